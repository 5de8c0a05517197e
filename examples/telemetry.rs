//! Telemetry: many senders and one receiver, over UNIX datagrams or UDP.
//!
//! ```console
//! $ telemetry receive unix:/tmp/telemetry.sock
//! $ telemetry send unix:/tmp/telemetry.sock --senders 4 --samples 10000
//! ```
//!
//! Over UNIX nothing is lost: a full receiver blocks its senders. Over UDP (`udp:127.0.0.1:9000`) the
//! receiver counts missing samples by their numbers, and prints the kernel's count of dropped datagrams.

use std::collections::BTreeMap;
use std::fmt;
use std::process;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, anyhow};
use clap::Parser;
use datagrammar::{Address, Message, RecvError, Socket};

/// The most senders that the receiver tracks. It bounds the memory that unknown senders can use.
const MAX_SENDERS: usize = 1024;

/// A report of a sender.
#[derive(Message, Debug)]
enum Report<'a> {
    #[message(tag = 1)]
    Sample { sender: &'a str, number: u64, load: f64 },
    #[message(tag = 2)]
    Done { sender: &'a str, samples: u64 },
}

type Reports = Socket<Report<'static>, Report<'static>>;

/// Sends samples from many senders to one receiver.
#[derive(Parser)]
enum Task {
    /// Receives samples at ADDRESS, and prints a summary.
    Receive {
        /// The address: unix:/path, unix:@abstract, or udp:IP:PORT.
        address: Address,
        /// Exit after this many seconds without a sample.
        #[arg(long, default_value_t = 5)]
        patience: u64,
        /// Exit when this many senders are done.
        #[arg(long)]
        senders: Option<usize>,
    },
    /// Sends samples to ADDRESS.
    Send {
        /// The address of the receiver.
        address: Address,
        /// How many senders run at the same time.
        #[arg(long, default_value_t = 4)]
        senders: u64,
        /// How many samples each sender sends.
        #[arg(long, default_value_t = 10_000)]
        samples: u64,
    },
}

fn main() -> anyhow::Result<()> {
    match Task::parse() {
        Task::Receive { address, patience, senders } => receive(&address, patience, senders),
        Task::Send { address, senders, samples } => send_all(&address, senders, samples),
    }
}

fn send_all(address: &Address, senders: u64, samples: u64) -> anyhow::Result<()> {
    let senders = (0..senders).map(|sender| {
        let sender = format!("{}-{sender}", process::id());
        let address = *address;
        thread::spawn(move || send(&address, &sender, samples))
    });
    // Start all senders before waiting for the first.
    for sender in senders.collect::<Vec<_>>() {
        sender.join().map_err(|_panic| anyhow!("a sender panicked"))??;
    }
    Ok(())
}

fn send(address: &Address, sender: &str, samples: u64) -> anyhow::Result<()> {
    let mut socket = Reports::unbound(address)?;
    for number in 0..samples {
        let load = (number as f64 / 100.0).sin().abs();
        deliver(&mut socket, address, &Report::Sample { sender, number, load })?;
    }
    deliver(&mut socket, address, &Report::Done { sender, samples })
}

fn deliver(socket: &mut Reports, address: &Address, report: &Report<'_>) -> anyhow::Result<()> {
    socket.send_to(report, address).with_context(|| format!("sending to {address}"))?;
    Ok(())
}

/// The samples of one sender.
#[derive(Default)]
struct Account {
    received: u64,
    bytes: u64,
    load: f64,
    /// How many samples the sender claims to have sent, when it is done.
    sent: Option<u64>,
}

fn receive(address: &Address, patience: u64, senders: Option<usize>) -> anyhow::Result<()> {
    let mut socket = Reports::bind(address)?;
    eprintln!("receiving at {}", socket.local_addr()?);
    let mut accounts = BTreeMap::<Box<str>, Account>::new();
    let mut strange = 0_u64;
    while senders.is_none_or(|senders| done(&accounts) < senders) {
        let deadline = Instant::now() + Duration::from_secs(patience);
        let (frame, _from) = match socket.recv_from_deadline(deadline) {
            Ok(received) => received,
            Err(RecvError::TimedOut) => break,
            // The datagram may still be queued.
            Err(error @ RecvError::NoMemory { .. }) => return Err(error).context("receiving"),
            Err(error) if error.is_fatal() => return Err(error).context("receiving"),
            // Anybody can send anything here: count it, and continue.
            Err(_) => {
                strange += 1;
                continue;
            }
        };
        let len = frame.len() as u64;
        let Ok(report) = frame.decode() else {
            strange += 1;
            continue;
        };
        let (Report::Sample { sender, .. } | Report::Done { sender, .. }) = report;
        if !accounts.contains_key(sender) {
            if accounts.len() == MAX_SENDERS {
                strange += 1;
                continue;
            }
            accounts.insert(sender.into(), Account::default());
        }
        if let Some(account) = accounts.get_mut(sender) {
            account.add(&report, len);
        }
    }
    for (sender, account) in &accounts {
        println!("{sender}: {account}");
    }
    println!("{strange} datagrams were not ours; the kernel dropped {}", socket.drops()?);
    Ok(())
}

fn done(accounts: &BTreeMap<Box<str>, Account>) -> usize {
    accounts.values().filter(|account| account.sent.is_some()).count()
}

impl Account {
    fn add(&mut self, report: &Report<'_>, len: u64) {
        match *report {
            Report::Sample { load, .. } => {
                self.received += 1;
                self.bytes += len;
                self.load += load;
            }
            Report::Done { samples, .. } => self.sent = Some(samples),
        }
    }
}

impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { received, bytes, load, sent } = self;
        let mean = load / (*received).max(1) as f64;
        write!(f, "{received} samples in {bytes} bytes, mean load {mean:.3}")?;
        match sent {
            Some(sent) => write!(f, ", {} missing", sent.saturating_sub(*received)),
            None => f.write_str(", and no end yet"),
        }
    }
}
