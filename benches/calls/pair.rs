//! A client and a server, and the threads on which they run.

use std::thread;

use anyhow::Result;
use datagrammar_benches::usage::cpu_time;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::oneshot;

/// Where both sides run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Sides {
    /// On one thread.
    OneThread,
    /// On a runtime with a thread for each core, as `#[tokio::main]` makes it.
    OneRuntime,
    /// On a thread each.
    TwoThreads,
}

/// Makes a number of calls on each of a number of tasks.
type Run = dyn Fn(&Runtime, usize, usize) -> Result<()>;

/// A client and its server.
pub(crate) struct Pair {
    pub(crate) client: Runtime,
    pub(crate) run: Box<Run>,
    /// Ends the thread of the server, if it has one.
    pub(crate) _end: Option<oneshot::Sender<()>>,
}

impl Pair {
    /// Returns the CPU time of a call, of both sides, in nanoseconds.
    pub(crate) fn measure(&self, calls: usize, in_flight: usize) -> Result<f64> {
        let before = cpu_time()?;
        (self.run)(&self.client, calls / in_flight, in_flight)?;
        let used = cpu_time()? - before;
        Ok(used.as_nanos() as f64 / calls as f64)
    }
}

impl Sides {
    pub(crate) const ALL: [Self; 3] = [Self::OneThread, Self::OneRuntime, Self::TwoThreads];

    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::OneThread => "one thread",
            Self::OneRuntime => "one runtime",
            Self::TwoThreads => "two threads",
        }
    }

    /// Creates the runtime of one side, or of both.
    pub(crate) fn runtime(self) -> Result<Runtime> {
        let mut builder = match self {
            Self::OneThread | Self::TwoThreads => Builder::new_current_thread(),
            Self::OneRuntime => Builder::new_multi_thread(),
        };
        Ok(builder.enable_all().build()?)
    }
}

/// Runs `serve` on the runtime of the client, or on a thread of its own.
pub(crate) fn spawn_server<F: Future<Output = ()> + Send + 'static>(
    client: &Runtime,
    sides: Sides,
    serve: impl FnOnce() -> Result<F> + Send + 'static,
) -> Result<Option<oneshot::Sender<()>>> {
    if sides != Sides::TwoThreads {
        let _guard = client.enter();
        client.spawn(serve()?);
        return Ok(None);
    }
    let (end, ended) = oneshot::channel();
    thread::spawn(move || -> Result<()> {
        let runtime = sides.runtime()?;
        let _guard = runtime.enter();
        runtime.spawn(serve()?);
        _ = runtime.block_on(ended);
        Ok(())
    });
    Ok(Some(end))
}
