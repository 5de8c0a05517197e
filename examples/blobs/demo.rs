//! The demonstration: sends every file to a server process and back.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::Path;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use datagrammar::{Address, Backoff, Connection, OpenError};
use ignore::WalkBuilder;
use sha2::{Digest as _, Sha256};

use crate::client::{Client, Put};
use crate::log::Log;
use crate::protocol::{STORE_LEN, options};

/// How long the server may take to start.
const PATIENCE: Duration = Duration::from_secs(10);

/// The totals printed at the end.
#[derive(Default)]
struct Totals {
    files: u64,
    content: u64,
    refused: Vec<(String, String)>,
    unreadable: Vec<(String, String)>,
}

/// Sends the files under the current directory to a server process, asks for each back, and compares
/// them.
pub(crate) fn run(quiet: bool, all: bool) -> anyhow::Result<()> {
    let directory = tempfile::tempdir().context("making a directory for the socket")?;
    let address = Address::from_pathname(directory.path().join("blobs.sock"))?;
    let log = Log::new(quiet);
    log.header();
    let mut server = Server::start(&address, quiet)?;
    let client = server.connect(&address, log)?;

    let mut totals = Totals::default();
    let mut content = Vec::new();
    // Includes hidden files. Includes .git and ignored files (build output) only on request.
    let walk = WalkBuilder::new(".")
        .standard_filters(!all)
        .hidden(false)
        .filter_entry(move |entry| all || entry.file_name() != ".git")
        .build();
    for entry in walk {
        let entry = match entry {
            Ok(entry) => entry,
            Err(error) => {
                totals.unreadable.push(("a directory entry".into(), error.to_string()));
                continue;
            }
        };
        if !entry.file_type().is_some_and(|kind| kind.is_file()) {
            continue;
        }
        let path = entry.path().strip_prefix(".").unwrap_or(entry.path());
        there_and_back(&client, path, &mut content, &mut totals)
            .with_context(|| path.display().to_string())?;
    }
    let memory = [peak_memory("self")?, peak_memory(&server.child.id().to_string())?];
    println!("{totals}");
    let [sent, received] = client.log.tallies();
    println!("client -> server: {sent}");
    println!("server -> client: {received}");
    println!("peak memory: client {} KiB, server {} KiB", memory[0], memory[1]);
    drop(client);
    server.finish()
}

/// Sends one file and gets it back.
fn there_and_back(
    client: &Client,
    path: &Path,
    content: &mut Vec<u8>,
    totals: &mut Totals,
) -> anyhow::Result<()> {
    let name = path.to_string_lossy();
    match read(path, content) {
        Ok(len) if len <= STORE_LEN as u64 => {}
        Ok(len) => {
            let why = format!("{len} bytes are more than a store keeps, which is {STORE_LEN}");
            totals.refused.push((name.into(), why));
            return Ok(());
        }
        Err(why) => {
            totals.unreadable.push((name.into(), why.to_string()));
            return Ok(());
        }
    }
    match client.put(&name, content)? {
        Put::Stored => {}
        Put::Refused(why) => {
            totals.refused.push((name.into(), why));
            return Ok(());
        }
    }
    let expected = Sha256::digest(&content);
    let found = client.get(&name, |content| Sha256::digest(content))?;
    ensure!(expected == found, "came back with another digest");
    totals.files += 1;
    totals.content += content.len() as u64;
    Ok(())
}

/// Reads a file if the store may have room for it, and returns its length.
fn read(path: &Path, content: &mut Vec<u8>) -> io::Result<u64> {
    let mut file = File::open(path)?;
    let len = file.metadata()?.len();
    content.clear();
    if len <= STORE_LEN as u64 {
        // The file may grow while it is read, so bound the read.
        file.by_ref().take(STORE_LEN as u64).read_to_end(content)?;
    }
    Ok(len)
}

/// The peak resident memory of a process, in KiB.
fn peak_memory(process: &str) -> anyhow::Result<u64> {
    let path = format!("/proc/{process}/status");
    let status = fs::read_to_string(&path).context(path)?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let digits = line.and_then(|line| line.trim().strip_suffix(" kB"));
    digits.context("the kernel does not report VmHWM")?.trim().parse().context("VmHWM")
}

impl fmt::Display for Totals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (title, files) in
            [("not stored", &self.refused), ("not sent, unreadable", &self.unreadable)]
        {
            if !files.is_empty() {
                writeln!(f, "\n{title}: {}", files.len())?;
            }
            for (name, why) in files {
                writeln!(f, "  {name}: {why}")?;
            }
        }
        let Self { files, content, .. } = self;
        write!(f, "\n{files} files, {content} bytes: sent, asked back, and all digests are equal")
    }
}

/// The server process, killed on drop.
struct Server {
    child: Child,
}

impl Server {
    fn start(address: &Address, quiet: bool) -> anyhow::Result<Self> {
        let program = std::env::current_exe().context("finding this program")?;
        let mut command = Command::new(program);
        command.args(["serve", &address.to_string(), "--once"]);
        if quiet {
            command.arg("--quiet");
        }
        Ok(Self { child: command.spawn().context("starting the server")? })
    }

    /// Connects when the server listens.
    fn connect(&mut self, address: &Address, log: Log) -> anyhow::Result<Client> {
        let deadline = Instant::now() + PATIENCE;
        let mut backoff = Backoff::up_to(Duration::from_millis(50));
        loop {
            match Connection::connect_with(address, &options()) {
                Ok(connection) => return Ok(Client::new(connection, log)),
                Err(OpenError::Refused { .. }) if Instant::now() < deadline => backoff.wait(),
                Err(error) => return Err(error.into()),
            }
            if let Some(status) = self.child.try_wait().context("asking for the server")? {
                bail!("the server ended before it listened: {status}");
            }
        }
    }

    /// Waits for the server, which exits after its client.
    fn finish(mut self) -> anyhow::Result<()> {
        let status = self.child.wait().context("waiting for the server")?;
        ensure!(status.success(), "the server failed: {status}");
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Both fail if the process has already ended.
        _ = self.child.kill();
        _ = self.child.wait();
    }
}
