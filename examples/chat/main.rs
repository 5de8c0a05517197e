//! A chat server with rooms, on tokio: many clients, each message encoded once for all of them.
//!
//! A client that reads too slowly gets a last message and is disconnected, so it does not slow down others.
//!
//! ```console
//! $ chat serve unix:/tmp/chat.sock
//! $ chat talk unix:/tmp/chat.sock kitchen Ada
//! $ chat load unix:/tmp/chat.sock --clients 1000
//! ```

mod load;
mod protocol;
mod rooms;
mod server;
mod talk;

use std::time::Duration;

use clap::Parser;
use datagrammar::Address;

use crate::load::LoadOptions;

/// A chat server with rooms, and its clients.
#[derive(Parser)]
enum Task {
    /// Serves clients at ADDRESS until SIGTERM or Ctrl-C.
    Serve {
        /// The address: unix:/path, unix:@abstract, or vsock:CID:PORT.
        address: Address,
        /// How many seconds a client that must leave has to read its last events.
        #[arg(long, default_value_t = 5)]
        grace: u64,
    },
    /// Says each line of the standard input in ROOM.
    Talk {
        /// The address of the server.
        address: Address,
        /// The room to enter.
        room: String,
        /// The name to enter it with.
        name: String,
    },
    /// Talks with many clients at the same time, and prints how long a text takes.
    Load {
        /// The address of the server.
        address: Address,
        #[command(flatten)]
        load: LoadOptions,
    },
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    match Task::parse() {
        Task::Serve { address, grace } => server::serve(&address, Duration::from_secs(grace)).await,
        Task::Talk { address, room, name } => talk::run(&address, &room, &name).await,
        Task::Load { address, load } => load::run(&address, load).await,
    }
}
