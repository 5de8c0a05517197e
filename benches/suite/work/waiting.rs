//! The memory of connections under tokio, each with a task that waits.

use std::future::poll_fn;
use std::io;
use std::os::fd::{AsFd as _, OwnedFd};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context as _, Result, bail, ensure};
use datagrammar_benches::buffer::Buffer;
use datagrammar_benches::{raw, usage};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::runtime::Runtime;
use tokio::task::{JoinHandle, yield_now};

use crate::counting;
use crate::crowd::Sockets;
use crate::feed::{Feed, Lengths};
use crate::measure::Sample;
use crate::ways::Way;
use crate::ways::awaited::{self, Awaiting};

/// The length of each payload, in bytes.
const LEN: usize = 64 * 1024;

/// How many tasks have received.
static RECEIVED: AtomicUsize = AtomicUsize::new(0);

/// A task, which does not end.
type Task = JoinHandle<Result<()>>;

/// Each task receives one frame, and waits for the next one. All allocations for the connections and the tasks count:
/// those on the heap, or those of the whole process, whichever are more.
pub(super) fn run(way: Way, connections: usize) -> Result<Sample> {
    let note = Feed::new(Lengths::all(LEN))?.next()?;
    let runtime = awaited::runtime()?;
    // The first connection takes memory that the process needs only once.
    visit(&runtime, way, &mut Sockets::new(way, 1, &note)?, &mut Vec::with_capacity(1))?;

    let mut sockets = Sockets::new(way, connections, &note)?;
    let mut tasks = Vec::with_capacity(connections);
    let before = usage::anonymous_kib()?;
    let heap = counting::growth(|| visit(&runtime, way, &mut sockets, &mut tasks))?;
    let grown = usage::anonymous_kib()?.saturating_sub(before) as f64 * 1024.0;
    let most = grown.max(heap as f64) / connections as f64;
    Ok(Sample { memory: Some(most), ..Sample::default() })
}

/// Spawns the tasks, and sends each a frame.
fn visit(runtime: &Runtime, way: Way, sockets: &mut Sockets, tasks: &mut Vec<Task>) -> Result<()> {
    RECEIVED.store(0, Ordering::Relaxed);
    for server in sockets.take_servers() {
        tasks.push(match way {
            Way::Await => runtime.spawn(typed(server)),
            Way::BareAsyncFd => runtime.spawn(bare(server)),
            _ => bail!("{} is not for this workload", way.title()),
        });
    }
    runtime.block_on(async {
        for number in 0..sockets.clients() {
            sockets.send(number)?;
            while RECEIVED.load(Ordering::Relaxed) <= number {
                ensure!(
                    !tasks.iter().take(number + 1).any(JoinHandle::is_finished),
                    "a task failed"
                );
                yield_now().await;
            }
        }
        // The last task waits by now.
        yield_now().await;
        Ok(())
    })
}

async fn typed(server: OwnedFd) -> Result<()> {
    let mut connection = Awaiting::adopt(server)?;
    loop {
        let frame = connection.recv().await?.context("a client is gone")?;
        ensure!(frame.len() > LEN, "a frame of {} bytes came", frame.len());
        RECEIVED.fetch_add(1, Ordering::Relaxed);
    }
}

async fn bare(server: OwnedFd) -> Result<()> {
    static BUFFER: Mutex<Option<Buffer>> = Mutex::new(None);

    // SAFETY: an `OwnedFd` is one open descriptor until it is dropped, and is not replaced.
    let server = unsafe { AsyncFd::register_with_interest(server, Interest::READABLE) };
    let server = server.map_err(|error| error.into_parts().1)?;
    loop {
        let mut ready = poll_fn(|cx| server.poll_read_ready(cx)).await?;
        let received = ready.try_io(|server| {
            let mut buffer = BUFFER.lock().map_err(|_| io::Error::other("poisoned"))?;
            let buffer = match &mut *buffer {
                Some(buffer) => buffer,
                none => none.insert(Buffer::new(2 * LEN).map_err(io::Error::other)?),
            };
            raw::recv(server.as_fd(), buffer, libc::MSG_DONTWAIT | libc::MSG_TRUNC)
        });
        match received {
            Ok(len) => {
                ensure!(len? > LEN, "another frame came");
                RECEIVED.fetch_add(1, Ordering::Relaxed);
            }
            Err(_would_block) => continue,
        }
    }
}
