//! How a client and a server are connected: over a pair, a path, and a descriptor that a child inherits.

use std::io::{BufRead as _, BufReader};
use std::os::fd::OwnedFd;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use datagrammar::{Address, Connection, Process};
use datagrammar_tests::{Directory, within};

use super::blocking::Blocking;
use super::cases::{CASES, Case, STALL};
use super::endings::a_server_that_is_killed;
use super::ends::{Client as _, End, Kind, Version};
use super::protocol::{State, Suite};

/// A connection that only passes on its descriptor.
type Untyped = Connection<Suite<'static>, Suite<'static>>;

/// Only one test at a time may have thousands of threads.
static THREADS: Mutex<()> = Mutex::new(());

#[derive(Debug, Clone, Copy)]
pub(crate) enum Ground {
    Pair,
    Path,
    Inherited,
}

impl Ground {
    /// Runs a case.
    pub(crate) fn check(self, case: &str, client: Kind, server: Kind) {
        let case = CASES.iter().find(|other| other.name == case).unwrap();
        let _alone = (case.name == "ten_thousand_calls_in_flight")
            .then(|| THREADS.lock().unwrap_or_else(PoisonError::into_inner));
        within(&self.awaited(case.name, client, server), move || self.run(case, client, server));
    }

    /// Says what a test waits for.
    fn awaited(self, what: &str, client: Kind, server: Kind) -> String {
        let (client, server) = (client.name(), server.name());
        format!("the end of `{what}`, with a client ({client}) and a server ({server})")
    }

    fn run(self, case: &Case, client: Kind, server: Kind) {
        match self {
            Self::Pair => {
                let (ours, theirs) = pair();
                let serving = serve(server, case.server, End::Adopted(theirs)).0;
                (case.run)(client, End::Adopted(ours));
                serving.join().unwrap();
            }
            Self::Path => {
                let directory = Directory::new();
                let address = directory.address("suite");
                let serving = serve(server, case.server, End::At(address)).0;
                (case.run)(client, End::At(address));
                stop(&address);
                serving.join().unwrap();
            }
            Self::Inherited => {
                let (ours, mut process) = inherit("serve", server, case.server.name());
                (case.run)(client, End::Adopted(ours));
                assert!(process.wait().unwrap().success());
                let (ours, mut process) = inherit("call", client, case.name);
                server.serve(case.server, Arc::default(), End::Adopted(ours), || {});
                assert!(process.wait().unwrap().success());
            }
        }
    }

    /// Kills the server while calls are in flight.
    pub(crate) fn kill_server(self, client: Kind, server: Kind) {
        let what = self.awaited("a server that is killed", client, server);
        within(&what, move || self.kill_server_and_wait(client, server));
    }

    fn kill_server_and_wait(self, client: Kind, server: Kind) {
        const ROUNDS: usize = 3;
        let directory = Directory::new();
        let mut times: Vec<_> = (0..ROUNDS)
            .map(|round| {
                let address = directory.address(&round.to_string());
                let (end, mut process) = self.start(&address, "serve", server, "new");
                let took = a_server_that_is_killed(client, end, || process.kill());
                process.wait();
                took
            })
            .collect();
        times.sort();
        println!("all calls have failed {times:?} after the server was killed");
        // On a busy machine, the time says more about the machine.
        let is_idle = std::env::var_os("DATAGRAMMAR_IDLE").is_some();
        let bound = if is_idle { Duration::from_millis(100) } else { STALL };
        assert!(times[ROUNDS / 2] <= bound, "{times:?}");
    }

    /// Kills the client while handlers work on its calls.
    pub(crate) fn kill_client(self, client: Kind, server: Kind) {
        let what = self.awaited("a client that is killed", client, server);
        within(&what, move || self.kill_client_and_wait(client, server));
    }

    fn kill_client_and_wait(self, client: Kind, server: Kind) {
        const CASE: &str = "a_client_that_waits_until_killed";
        let directory = Directory::new();
        let address = directory.address("suite");
        let (end, mut process, serving) = if let Self::Path = self {
            let serving = serve(server, Version::New, End::At(address));
            let process = command("call", client, CASE).arg(address.to_string()).spawn();
            (None, Started::Plain(process.unwrap()), Some(serving))
        } else {
            let (end, process) = self.start(&address, "call", client, CASE);
            (Some(end), process, None)
        };
        let (serving, state) = serving.unwrap_or_else(|| serve(server, Version::New, end.unwrap()));
        until(|| state.seen().waiting == 2);
        assert_eq!(state.seen().cancelled, 0);
        process.kill();
        until(|| state.seen().cancelled == 2);
        process.wait();
        if let Self::Path = self {
            stop(&address);
        }
        serving.join().unwrap();
    }

    /// Starts a side in another process. Returns the other end.
    fn start(self, address: &Address, side: &str, kind: Kind, what: &str) -> (End, Started) {
        match self {
            Self::Pair => {
                let (ours, theirs) = pair();
                let process = command(side, kind, what).stdin(Stdio::from(theirs)).spawn();
                (End::Adopted(ours), Started::Plain(process.unwrap()))
            }
            Self::Path => {
                let mut command = command(side, kind, what);
                command.arg(address.to_string()).stdout(Stdio::piped());
                let mut process = command.spawn().unwrap();
                let mut said = String::new();
                let stdout = process.stdout.take().unwrap();
                BufReader::new(stdout).read_line(&mut said).unwrap();
                assert_eq!(said, "ready\n");
                (End::At(*address), Started::Plain(process))
            }
            Self::Inherited => {
                let (ours, process) = inherit(side, kind, what);
                (End::Adopted(ours), Started::Managed(process))
            }
        }
    }
}

/// A process that was started in one of these ways.
enum Started {
    Plain(Child),
    Managed(Process),
}

impl Started {
    fn kill(&mut self) {
        match self {
            Self::Plain(child) => child.kill().unwrap(),
            Self::Managed(process) => process.kill().unwrap(),
        }
    }

    fn wait(mut self) {
        let status = match &mut self {
            Self::Plain(child) => child.wait().unwrap(),
            Self::Managed(process) => process.wait().unwrap(),
        };
        assert_eq!(status.signal(), Some(9));
    }
}

/// Runs a check that measures the memory of its process.
pub(crate) fn measure(check: &[&str]) {
    let mut process = Command::new(env!("CARGO_BIN_EXE_caller"));
    let output = process.args(check).output().unwrap();
    let (printed, said) = (output.stdout, output.stderr);
    print!("{}", String::from_utf8_lossy(&printed));
    assert!(output.status.success(), "{check:?}: {}", String::from_utf8_lossy(&said));
}

/// Serves on a thread, and returns when clients can connect.
fn serve(kind: Kind, version: Version, end: End) -> (JoinHandle<()>, Arc<State>) {
    let state = Arc::<State>::default();
    let (tell, is_ready) = mpsc::channel();
    let listens = matches!(end, End::At(_));
    let serving = thread::spawn({
        let state = Arc::clone(&state);
        move || kind.serve(version, state, end, || tell.send(()).unwrap())
    });
    if listens {
        is_ready.recv().unwrap();
    }
    (serving, state)
}

/// Stops the server at an address, unless it was stopped.
fn stop(address: &Address) {
    if let Ok(connection) = Untyped::connect(address) {
        let (end, _) = connection.into_fd().unwrap();
        let client = Blocking::<Suite<'static>>::open(End::Adopted(end));
        _ = client.notify(&Suite::Stop { at_once: false });
    }
}

/// Returns both ends of a pair.
fn pair() -> (OwnedFd, OwnedFd) {
    let (ours, theirs) = Untyped::pair().unwrap();
    (ours.into_fd().unwrap().0, theirs.into_fd().unwrap().0)
}

/// Starts a side in a child that inherits its end. Returns the other end.
fn inherit(side: &str, kind: Kind, what: &str) -> (OwnedFd, Process) {
    let child =
        datagrammar::Child::<Suite<'static>, Suite<'static>>::spawn(&mut command(side, kind, what));
    let (connection, process) = child.unwrap().into_parts();
    (connection.into_fd().unwrap().0, process)
}

fn command(side: &str, kind: Kind, what: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_caller"));
    command.args([side, kind.name(), what]);
    command
}

fn until(is_so: impl Fn() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < STALL);
        thread::sleep(Duration::from_millis(1));
    }
}
