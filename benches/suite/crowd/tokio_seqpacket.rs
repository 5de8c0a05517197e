//! tokio-seqpacket, and bincode by hand: a task for each connection, with a buffer of its own, as one writes
//! it. Clients are plain sockets.

use std::os::fd::{AsFd as _, OwnedFd};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context as _, Result, ensure};
use datagrammar_benches::buffer::Buffer;
use datagrammar_benches::raw;
use tokio::runtime::Runtime;
use tokio::sync::Notify;
use tokio_seqpacket::UnixSeqpacket;

use super::{Crowd, Sockets, Tally};
use crate::message::Note;
use crate::ways::{codec, runtime};

/// As long as in the other workloads. What is not touched of it costs nothing.
const BUFFER: usize = 128 * 1024;

struct Tasks {
    runtime: Runtime,
    clients: Vec<OwnedFd>,
    outgoing: Buffer,
    shared: Arc<Shared>,
    /// The memory that the sockets lay in, so that it is not counted as free.
    _servers: Vec<OwnedFd>,
    _parked: Option<(OwnedFd, OwnedFd)>,
}

/// What the tasks have in common, all of which are on one thread.
#[derive(Default)]
struct Shared {
    tally: Mutex<Tally>,
    /// Told when all has come.
    all: Notify,
}

pub(super) fn gather(sockets: Sockets) -> Result<Box<dyn Crowd>> {
    let Sockets { clients, mut servers, _parked } = sockets;
    let (runtime, shared) = (runtime::new()?, Arc::<Shared>::default());
    let context = runtime.enter();
    for server in servers.drain(..) {
        let socket = UnixSeqpacket::try_from(runtime::nonblocking(server)?)?;
        let shared = Arc::clone(&shared);
        runtime.spawn(async move {
            if let Err(error) = serve(&socket, &shared).await {
                eprintln!("{error}");
            }
        });
    }
    drop(context);
    Ok(Box::new(Tasks {
        runtime,
        clients,
        outgoing: Buffer::new(BUFFER)?,
        shared,
        _servers: servers,
        _parked,
    }))
}

async fn serve(socket: &UnixSeqpacket, shared: &Shared) -> Result<()> {
    let mut buffer = Buffer::new(BUFFER)?;
    loop {
        let info = socket.recv(&mut buffer).await?;
        ensure!(!info.truncated(), "a datagram was cut");
        let note = codec::note(buffer.get(..info.bytes_read()).context("more than fits")?)?;
        let mut tally = shared.tally.lock().unwrap_or_else(PoisonError::into_inner);
        tally.came(note);
        if !tally.waits() {
            shared.all.notify_one();
        }
    }
}

impl Crowd for Tasks {
    fn clients(&self) -> usize {
        self.clients.len()
    }

    fn send(&mut self, to: usize, note: Note<'static>) -> Result<()> {
        let client = self.clients.get(to).context("no such connection")?;
        raw::send(client.as_fd(), codec::encode(&note, &mut self.outgoing)?)?;
        Ok(())
    }

    fn serve(&mut self, tally: &mut Tally) -> Result<()> {
        let swap = |tally: &mut Tally| {
            let mut shared = self.shared.tally.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::swap(&mut *shared, tally);
        };
        swap(tally);
        self.runtime.block_on(self.shared.all.notified());
        swap(tally);
        Ok(())
    }
}
