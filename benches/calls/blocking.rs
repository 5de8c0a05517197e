//! Blocking calls, and raw system calls that move the same bytes. Both sides are on one core.

use std::os::fd::{AsFd as _, OwnedFd};
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow, ensure};
use datagrammar::calls::{Answers, Call, Client, Server, Service};
use datagrammar::{Connection, Options};
use datagrammar_benches::usage::cpu_time;
use datagrammar_benches::{cpus, raw};

use crate::Case;
use crate::echo::{Echo, EchoEchoAnswer, TEXT};

/// The length of a request and of an answer: the head, the tag, the length of the text, and the text.
const LEN: usize = 14 + 1 + 1 + TEXT.len();

/// Compares one call at a time with raw system calls.
pub(crate) fn compare(calls: usize, rounds: u32) -> Result<Vec<Case>> {
    // Pins a thread of its own, so that others may use all processors.
    let compared = thread::spawn(move || -> Result<Vec<Case>> {
        let cpu = cpus::allowed()?.first().copied().context("no processor is allowed")?;
        cpus::pin(cpu)?;
        let ways = [
            ("blocking, eager", Options::new().eager(), Some(1.3)),
            ("blocking", Options::new(), Some(1.3)),
        ];
        let raw = "two raw send + recv";
        let case = |(sides, options, required): (_, Options, _)| {
            Case::measure((sides, 1), (raw, required), rounds, || {
                Ok([measure(&options, calls)?, measure_raw(calls)?])
            })
        };
        ways.into_iter().map(case).collect()
    });
    compared.join().map_err(|_| anyhow!("the comparison has panicked"))?
}

struct Handler;

impl Service for Handler {
    type Protocol = Echo<'static>;

    fn handle(&self, mut call: Call<Echo<'static>>) {
        let Some((_, Echo::Echo { text }, answer)) = call.open() else { return };
        answer.reply::<EchoEchoAnswer<'static>>(Ok(text));
    }
}

/// Returns the CPU time of a call, of both sides, in nanoseconds.
fn measure(options: &Options, calls: usize) -> Result<f64> {
    let (client, server) = Connection::<Echo<'static>, Answers<Echo<'static>>>::pair_with(options)?;
    let serving = thread::spawn(|| Server::new(Handler).threads(1).serve(server));
    let client = Client::new(client);
    let before = cpu_time()?;
    for _ in 0..calls {
        let mut answer = client.call::<EchoEchoAnswer<'static>>(&Echo::Echo { text: TEXT })?;
        ensure!(answer.decode()? == TEXT);
    }
    let used = cpu_time()? - before;
    drop(client);
    serving.join().map_err(|_| anyhow!("the server has panicked"))??;
    Ok(per_call(used, calls))
}

/// Returns the CPU time of a datagram there and one back, of both sides, in nanoseconds.
fn measure_raw(calls: usize) -> Result<f64> {
    let (client, server) = raw::pair()?;
    let serving = thread::spawn(move || -> Result<()> {
        let mut buffer = [0; LEN];
        while receive(&server, &mut buffer)? > 0 {
            raw::send(server.as_fd(), &buffer)?;
        }
        Ok(())
    });
    let mut buffer = [0; LEN];
    let before = cpu_time()?;
    for _ in 0..calls {
        raw::send(client.as_fd(), &buffer)?;
        ensure!(receive(&client, &mut buffer)? == LEN);
    }
    let used = cpu_time()? - before;
    drop(client);
    serving.join().map_err(|_| anyhow!("the raw server has panicked"))??;
    Ok(per_call(used, calls))
}

fn receive(fd: &OwnedFd, buffer: &mut [u8]) -> Result<usize> {
    Ok(raw::recv(fd.as_fd(), buffer, 0)?)
}

fn per_call(used: Duration, calls: usize) -> f64 {
    used.as_nanos() as f64 / calls as f64
}
