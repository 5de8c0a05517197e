//! A parser of untrusted files in a process that can do nothing but answer typed messages.
//!
//! The program opens each file and passes it to its parser, a child in user, mount, network, PID and IPC
//! namespaces of its own, without a file system, privileges, output, or any system call that it does not
//! need. Each file gets a parser of its own; one that crashes or takes too long is reported.
//!
//! ```console
//! $ isolated picture.png another.png
//! $ isolated --escape --crash
//! ```

mod jail;
mod parser;
mod protocol;

use std::env;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use clap::Parser;
use datagrammar::{Child, Connection, Process, RecvError, SendError};

use crate::protocol::{Ask, Tell};

/// Says what is in PNG files that nobody trusts. They are parsed by a confined process.
#[derive(Parser)]
struct Arguments {
    files: Vec<PathBuf>,
    /// Have the parser try to open a path and to connect to a server.
    #[arg(long)]
    escape: bool,
    /// Have the parser crash before each file, to see it replaced.
    #[arg(long)]
    crash: bool,
}

/// The argument that makes namespaces, and the one that parses in them.
const JAIL: &str = "in-namespaces";

/// How long a parser may take for a picture.
const PATIENCE: Duration = Duration::from_secs(60);

const PARSE: &str = "parse";

fn main() -> anyhow::Result<ExitCode> {
    match env::args().nth(1).as_deref() {
        Some(JAIL) => jail::enter(PARSE),
        Some(PARSE) => parser::run().map(|()| ExitCode::SUCCESS),
        _ => run(&Arguments::parse()),
    }
}

/// Fails if a file cannot be opened, or a parser does not answer that was not asked to crash.
fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let mut parser = Isolated::start()?;
    if arguments.escape {
        parser.escape()?;
    }
    let mut code = ExitCode::SUCCESS;
    for path in &arguments.files {
        if arguments.crash {
            parser.ask(&Ask::Crash, "crashing as asked")?;
        }
        // A name may hold what a terminal takes for commands.
        let subject = path.display().to_string().escape_debug().to_string();
        let answered = match open(path) {
            Ok(file) => parser.ask(&Ask::Picture { file }, &subject)?,
            Err(error) => {
                println!("{subject}: {error}");
                false
            }
        };
        if !answered {
            code = ExitCode::FAILURE;
        }
    }
    if arguments.crash && arguments.files.is_empty() {
        parser.ask(&Ask::Crash, "crashing as asked")?;
    }
    parser.finish()?;
    Ok(code)
}

/// Opens a regular file. What else a path may name could keep us waiting.
fn open(path: &Path) -> io::Result<File> {
    let file = OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK).open(path)?;
    match file.metadata()?.is_file() {
        true => Ok(file),
        false => Err(io::Error::other("not a regular file")),
    }
}

/// The parser's process and the connection to it.
struct Isolated {
    connection: Connection<Ask, Tell<'static>>,
    process: Process,
}

impl Isolated {
    fn start() -> anyhow::Result<Self> {
        let program: &Path = &env::current_exe().context("finding this program")?;
        // The parser is left no output but its connection. It gives the standard error up once confined.
        let child = Child::spawn(Command::new(program).arg(JAIL).stdout(Stdio::null()))?;
        let (mut connection, mut process) = child.into_parts();
        match connection.recv().context("waiting for the parser")? {
            Some(frame) => match frame.decode().context("decoding the first message")? {
                Tell::Ready => {}
                other => bail!("the parser begins with {other:?}"),
            },
            // It has said why on the standard error.
            None => bail!("the parser cannot be confined here ({})", process.wait()?),
        }
        Ok(Self { connection, process })
    }

    /// Asks, and prints the answer; whether there is one. A parser that ends instead, or takes too long, is
    /// replaced.
    ///
    /// It is new for each file: what it is after one might be the work of that file.
    fn ask(&mut self, ask: &Ask, subject: &str) -> anyhow::Result<bool> {
        match self.connection.send(ask) {
            // One that has ended says so when its answer is asked for.
            Ok(_) | Err(SendError::Disconnected) => {}
            // To anything else that was not sent, there is no answer to wait for.
            Err(error) => {
                return Err(error).with_context(|| format!("asking the parser ({subject})"));
            }
        }
        let mut answered = false;
        match self.connection.recv_deadline(Instant::now() + PATIENCE) {
            Err(RecvError::TimedOut) => println!("{subject}: the parser takes too long"),
            Err(error) => return Err(error).context("receiving an answer"),
            Ok(Some(frame)) => {
                match frame.decode().context("decoding an answer")? {
                    Tell::Picture { width, height, channels, bits, bytes, sum } => println!(
                        "{subject}: {width} x {height}, {channels} channels of {bits} bits, {bytes} bytes, sum {sum}"
                    ),
                    Tell::Refused { why } => println!("{subject}: refused: {}", why.escape_debug()),
                    other => bail!("an answer to nothing that was asked: {other:?}"),
                }
                answered = true;
            }
            Ok(None) => {
                let status = self.process.wait().context("waiting for the parser")?;
                println!("{subject}: the parser crashed ({status}), and is replaced");
            }
        }
        // The one before is killed, if it has not ended.
        *self = Self::start()?;
        Ok(answered)
    }

    fn escape(&mut self) -> anyhow::Result<()> {
        self.connection.send(&Ask::Escape).context("asking the parser")?;
        let frame = self.connection.recv().context("receiving an answer")?;
        let frame = frame.context("the parser ended instead of answering")?;
        if let Tell::Confined { path, network } = frame.decode().context("decoding an answer")? {
            println!("opening a path: {}", path.escape_debug());
            println!("connecting to a server: {}", network.escape_debug());
        }
        Ok(())
    }

    /// Ends the connection, and with it the parser.
    fn finish(self) -> anyhow::Result<()> {
        let Self { connection, mut process } = self;
        drop(connection);
        let status = process.wait().context("waiting for the parser")?;
        ensure!(status.success(), "the parser failed: {status}");
        Ok(())
    }
}
