//! What a call costs, compared with tarpc over a UNIX socket. Both sides are in this process, on one thread or on
//! two. The rounds of both are interleaved.
//!
//! `cargo run --release -p datagrammar-benches --bin compare-calls`

mod ours;
mod theirs;

use std::thread;
use std::time::Duration;

use anyhow::Result;
use clap::Parser;
use datagrammar_benches::usage::cpu_time;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::oneshot;

/// What each call sends and gets back.
const TEXT: &[u8; 64] = &[b'x'; 64];

/// How many calls are in flight, and the most that the CPU time may be of tarpc's.
const REQUIRED: [(usize, f64); 3] = [(1, 0.6), (16, 0.35), (256, 0.25)];

/// Compares calls with those of tarpc.
#[derive(Debug, Parser)]
struct Arguments {
    /// The calls of a round.
    #[arg(long, default_value_t = 20_000)]
    calls: usize,
    /// The rounds of each.
    #[arg(long, default_value_t = 9)]
    rounds: usize,
    /// Runs our calls alone, on one thread, with so many in flight: for a profiler.
    #[arg(long)]
    profile: Option<usize>,
}

/// Makes so many calls on each of so many tasks.
type Run = dyn Fn(&Runtime, usize, usize) -> Result<()>;

/// A client and its server.
struct Pair {
    client: Runtime,
    run: Box<Run>,
    /// Ends the thread of the server, if it has one.
    _end: Option<oneshot::Sender<()>>,
}

impl Pair {
    /// Returns the CPU time of a call of both sides.
    fn measure(&self, calls: usize, in_flight: usize) -> Result<f64> {
        let before = cpu_time()?;
        (self.run)(&self.client, calls / in_flight, in_flight)?;
        let used = cpu_time()? - before;
        Ok(used.as_nanos() as f64 / calls as f64)
    }
}

fn runtime() -> Result<Runtime> {
    Ok(Builder::new_current_thread().enable_all().build()?)
}

/// Runs `serve` on the runtime of the client, or on a thread of its own.
fn spawn_server<F: Future<Output = ()> + Send + 'static>(
    client: &Runtime,
    apart: bool,
    serve: impl FnOnce() -> Result<F> + Send + 'static,
) -> Result<Option<oneshot::Sender<()>>> {
    if !apart {
        let _guard = client.enter();
        client.spawn(serve()?);
        return Ok(None);
    }
    let (end, ended) = oneshot::channel();
    thread::spawn(move || -> Result<()> {
        let runtime = runtime()?;
        let _guard = runtime.enter();
        runtime.spawn(serve()?);
        _ = runtime.block_on(ended);
        Ok(())
    });
    Ok(Some(end))
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

fn main() -> Result<()> {
    let Arguments { calls, rounds, profile } = Arguments::parse();
    if let Some(in_flight) = profile {
        let pair = ours::pair(false)?;
        for _ in 0..rounds {
            println!("{:.0} ns", pair.measure(calls, in_flight)?);
        }
        return Ok(());
    }
    println!("| sides | in flight | datagrammar, ns | tarpc 0.38, ns | ratio | required |");
    println!("| --- | ---: | ---: | ---: | ---: | ---: |");
    for apart in [false, true] {
        let (ours, theirs) = (ours::pair(apart)?, theirs::pair(apart)?);
        for (in_flight, required) in REQUIRED {
            let mut times = [Vec::new(), Vec::new()];
            for round in 0..=rounds {
                for (pair, times) in [&ours, &theirs].into_iter().zip(&mut times) {
                    let time = pair.measure(calls, in_flight)?;
                    // The first one warms up.
                    if round > 0 {
                        times.push(time);
                    }
                }
                thread::sleep(Duration::from_millis(1));
            }
            let ratios = times[0].iter().zip(&times[1]).map(|(ours, theirs)| ours / theirs);
            let ratio = median(ratios.collect());
            let [ours, theirs] = times.map(median);
            let sides = if apart { "two threads" } else { "one thread" };
            println!(
                "| {sides} | {in_flight} | {ours:.0} | {theirs:.0} | {ratio:.2} | {required} |"
            );
        }
    }
    Ok(())
}
