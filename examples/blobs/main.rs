//! A store of blobs, as a client and a server that speak typed datagrams.
//!
//! Without arguments it starts its server as a separate process, sends every file under the current
//! directory there, asks for each back, and compares. In two terminals:
//!
//! ```console
//! $ blobs serve unix:/tmp/blobs.sock
//! $ blobs put unix:/tmp/blobs.sock README.md
//! $ blobs list unix:/tmp/blobs.sock
//! $ blobs get unix:/tmp/blobs.sock README.md
//! ```

mod client;
mod demo;
mod log;
mod protocol;
mod server;

use std::fs;
use std::io::{self, Write as _};
use std::path::PathBuf;

use anyhow::{Context as _, bail};
use clap::{Parser, Subcommand};
use datagrammar::{Address, Connection};

use crate::client::{Client, Put};
use crate::log::Log;

/// Stores blobs, over typed datagrams that a peek sizes.
///
/// Without a command: starts a server process, sends every file under the current directory to it
/// that fits a datagram (but those that git ignores), asks for each back, and compares digests.
#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Task>,
    /// Print no row for each frame.
    #[arg(long, global = true)]
    quiet: bool,
    /// Send the files that git ignores too.
    #[arg(long)]
    all: bool,
}

#[derive(Subcommand)]
enum Task {
    /// Serves clients at ADDRESS: unix:/path, unix:@abstract, or vsock:CID:PORT.
    Serve {
        address: Address,
        /// Serve one client, and end with it.
        #[arg(long)]
        once: bool,
    },
    /// Stores files under their paths.
    Put {
        address: Address,
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
    /// Writes the content of blobs to the standard output.
    Get {
        address: Address,
        #[arg(required = true)]
        names: Vec<String>,
    },
    /// Prints the size and the name of each blob.
    List { address: Address },
}

fn main() -> anyhow::Result<()> {
    let Arguments { command, quiet, all } = Arguments::parse();
    match command {
        None => demo::run(quiet, all),
        Some(Task::Serve { address, once }) => server::serve(&address, quiet, once),
        Some(Task::Put { address, files }) => put(&address, &files),
        Some(Task::Get { address, names }) => get(&address, &names),
        Some(Task::List { address }) => list(&address),
    }
}

fn put(address: &Address, files: &[PathBuf]) -> anyhow::Result<()> {
    let mut client = connect(address)?;
    for file in files {
        let name = file.display().to_string();
        let content = fs::read(file).with_context(|| format!("reading {name}"))?;
        match client.put(&name, &content).with_context(|| format!("storing {name}"))? {
            Put::Stored => println!("stored {name}, {} bytes", content.len()),
            Put::TooLarge(why) => bail!("cannot store {name}: {why}"),
        }
    }
    Ok(())
}

fn get(address: &Address, names: &[String]) -> anyhow::Result<()> {
    let mut client = connect(address)?;
    let mut stdout = io::stdout().lock();
    for name in names {
        client
            .get(name, |content| stdout.write_all(content))
            .with_context(|| format!("asking for {name}"))?
            .context("writing to the standard output")?;
    }
    Ok(())
}

fn list(address: &Address) -> anyhow::Result<()> {
    connect(address)?.list(|name, size| println!("{size:>11}  {name}"))
}

fn connect(address: &Address) -> anyhow::Result<Client> {
    let connection = Connection::connect_with(address, &protocol::options())?;
    Ok(Client::new(connection, Log::new(true)))
}
