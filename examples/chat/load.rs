//! A load generator: many clients that talk at the same time, and the latencies of their texts.

use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use datagrammar::Address;
use datagrammar::tokio::Connection;
use hdrhistogram::Histogram;
use indicatif::{ProgressBar, ProgressStyle};
use tokio::task::JoinSet;

use crate::protocol::{Event, Request};

/// How much load to generate.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(crate) struct LoadOptions {
    /// How many clients talk at the same time.
    #[arg(long, default_value_t = 100)]
    clients: u32,
    /// How many rooms they share.
    #[arg(long, default_value_t = 10)]
    rooms: u32,
    /// How many texts each client says.
    #[arg(long, default_value_t = 100)]
    texts: u32,
    /// How long a text is, in bytes, at least 20.
    #[arg(long, default_value_t = 100)]
    len: usize,
}

/// The measurements of a client.
struct Seen {
    received: u64,
    /// How long its own texts took to come back, in microseconds.
    latencies: Histogram<u64>,
}

/// Runs all clients, and prints the number of events and a table of latencies.
pub(crate) async fn run(address: &Address, load: LoadOptions) -> anyhow::Result<()> {
    ensure!(load.rooms > 0 && load.len >= 20, "at least one room, and 20 bytes");
    let bar = ProgressBar::new(u64::from(load.clients) * u64::from(load.texts));
    bar.set_style(ProgressStyle::with_template("{wide_bar} {pos}/{len} texts, {per_sec}")?);
    let began = Instant::now();
    let mut clients = JoinSet::new();
    for number in 0..load.clients {
        let connection = Connection::connect(address).await?;
        clients.spawn(talk(connection, number, load, began, bar.clone()));
    }
    let mut all = histogram()?;
    let mut received = 0;
    while let Some(seen) = clients.join_next().await {
        let seen = seen??;
        received += seen.received;
        all.add(seen.latencies)?;
    }
    bar.finish_and_clear();
    report(load, received, began.elapsed(), &all);
    Ok(())
}

fn histogram() -> anyhow::Result<Histogram<u64>> {
    Ok(Histogram::new_with_bounds(1, 60_000_000, 3)?)
}

/// Says texts one by one, each after the previous one has come back.
async fn talk(
    connection: Connection<Request<'static>, Event<'static>>,
    number: u32,
    load: LoadOptions,
    began: Instant,
    bar: ProgressBar,
) -> anyhow::Result<Seen> {
    let (mut tx, mut rx) = connection.split();
    let (own, room) = (format!("client {number}"), format!("room {}", number % load.rooms));
    tx.send(&Request::Join { room: &room, name: &own }).await?;
    let (mut seen, mut said, mut is_in) = (Seen { received: 0, latencies: histogram()? }, 0, false);
    while said < load.texts || !is_in {
        let frame = rx.recv().await?.context("the server has closed the connection")?;
        seen.received += 1;
        match frame.decode()? {
            Event::Joined { name, .. } if name == own => is_in = true,
            Event::Said { name, text } if name == own => {
                let sent: u64 = text.trim_end_matches('.').parse().context("a time")?;
                let took = micros(began).saturating_sub(sent);
                seen.latencies.saturating_record(took.max(1));
                said += 1;
                bar.inc(1);
            }
            Event::Goodbye { reason } => anyhow::bail!("the server says goodbye: {reason}"),
            _ => continue,
        }
        if said < load.texts {
            let text = format!("{:.<len$}", micros(began), len = load.len);
            tx.send(&Request::Say { text: &text }).await?;
        }
    }
    Ok(seen)
}

/// The time since `began`, in microseconds.
fn micros(began: Instant) -> u64 {
    began.elapsed().as_micros() as u64
}

fn report(load: LoadOptions, received: u64, took: Duration, latencies: &Histogram<u64>) {
    let said = u64::from(load.clients) * u64::from(load.texts);
    let rate = received as f64 / took.as_secs_f64();
    println!(
        "{} clients in {} rooms said {said} texts and received {received} events, {rate:.0} a second",
        load.clients, load.rooms
    );
    println!("a text came back to its client after");
    for quantile in [0.5, 0.9, 0.99, 0.999, 1.0] {
        let micros = latencies.value_at_quantile(quantile);
        println!("  {:>5.1} %  {:>9.3} ms", quantile * 100.0, micros as f64 / 1000.0);
    }
}
