//! A blob store: a client and a server that exchange calls over typed datagrams.
//!
//! Without arguments, it starts a server process, sends it every file under the current directory, asks for
//! each file back, and compares the digests. In two terminals:
//!
//! ```console
//! $ blobs serve unix:/tmp/blobs.sock
//! $ blobs put unix:/tmp/blobs.sock README.md
//! $ blobs import unix:/tmp/blobs.sock Cargo.lock
//! $ blobs list unix:/tmp/blobs.sock
//! $ blobs get unix:/tmp/blobs.sock README.md
//! $ blobs watch unix:/tmp/blobs.sock
//! ```

mod client;
mod demo;
mod log;
mod protocol;
mod server;

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::PathBuf;

use anyhow::{Context as _, bail};
use clap::{Parser, Subcommand};
use datagrammar::{Address, Connection};

use crate::client::{Client, Put};
use crate::log::Log;
use crate::protocol::Change;

/// Stores blobs over typed datagrams.
///
/// Without a command: starts a server process, sends it every file under the current directory (except
/// .git and files that git ignores), asks for each file back, and compares the digests.
#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Task>,
    /// Without a command, and for `serve`: do not print a row for each frame.
    #[arg(long, global = true)]
    quiet: bool,
    /// Without a command: also send .git and files that git ignores.
    #[arg(long)]
    all: bool,
}

#[derive(Subcommand)]
enum Task {
    /// Serves clients.
    Serve {
        /// The address: unix:/path, unix:@abstract, or vsock:CID:PORT.
        address: Address,
        /// Serve one client, then exit.
        #[arg(long)]
        once: bool,
    },
    /// Stores files under their paths.
    Put {
        /// The address of the server.
        address: Address,
        /// The files to store.
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
    /// Stores files under their paths. Passes them as open files, and the server reads them.
    Import {
        /// The address of the server: unix:/path or unix:@abstract, which can carry open files.
        address: Address,
        /// The files to store.
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
    /// Writes the contents of blobs to the standard output.
    Get {
        /// The address of the server.
        address: Address,
        /// The names of the blobs.
        #[arg(required = true)]
        names: Vec<String>,
    },
    /// Prints the size and the name of each blob.
    List {
        /// The address of the server.
        address: Address,
    },
    /// Removes blobs.
    Remove {
        /// The address of the server.
        address: Address,
        /// The names of the blobs.
        #[arg(required = true)]
        names: Vec<String>,
    },
    /// Prints each blob that is stored or removed, until the server ends.
    Watch {
        /// The address of the server.
        address: Address,
        /// Only blobs whose names begin with this.
        #[arg(default_value = "")]
        prefix: String,
    },
}

fn main() -> anyhow::Result<()> {
    let Arguments { command, quiet, all } = Arguments::parse();
    match command {
        None => demo::run(quiet, all),
        Some(Task::Serve { address, once }) => server::serve(&address, quiet, once),
        Some(Task::Put { address, files }) => put(&address, &files),
        Some(Task::Import { address, files }) => import(&address, &files),
        Some(Task::Get { address, names }) => get(&address, &names),
        Some(Task::List { address }) => list(&address),
        Some(Task::Remove { address, names }) => remove(&address, &names),
        Some(Task::Watch { address, prefix }) => watch(&address, &prefix),
    }
}

fn put(address: &Address, files: &[PathBuf]) -> anyhow::Result<()> {
    let client = connect(address)?;
    for file in files {
        let name = file.display().to_string();
        let content = fs::read(file).with_context(|| format!("reading {name}"))?;
        match client.put(&name, &content).with_context(|| format!("storing {name}"))? {
            Put::Stored => println!("stored {name}, {} bytes", content.len()),
            Put::Refused(why) => bail!("the server refuses {name}: {why}"),
        }
    }
    Ok(())
}

fn import(address: &Address, files: &[PathBuf]) -> anyhow::Result<()> {
    let client = connect(address)?;
    for path in files {
        let name = path.display().to_string();
        let file = File::open(path).with_context(|| format!("opening {name}"))?;
        let size = client.import(&name, file).with_context(|| format!("importing {name}"))?;
        println!("imported {name}, {size} bytes");
    }
    Ok(())
}

fn get(address: &Address, names: &[String]) -> anyhow::Result<()> {
    let client = connect(address)?;
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
    connect(address)?.list(|name, size| println!("{size:>11}  {}", name.escape_debug()))
}

fn remove(address: &Address, names: &[String]) -> anyhow::Result<()> {
    let client = connect(address)?;
    names.iter().try_for_each(|name| client.remove(name))
}

fn watch(address: &Address, prefix: &str) -> anyhow::Result<()> {
    connect(address)?.watch(prefix, |change| match change {
        Change::Stored { name, size } => println!("stored {}, {size} bytes", name.escape_debug()),
        Change::Removed { name } => println!("removed {}", name.escape_debug()),
        Change::Unknown(unknown) => println!("a change of a newer server, {}", unknown.tag()),
    })
}

fn connect(address: &Address) -> anyhow::Result<Client> {
    let connection = Connection::connect_with(address, &protocol::options())?;
    Ok(Client::new(connection, Log::new(true)))
}
