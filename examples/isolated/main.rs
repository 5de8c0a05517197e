//! A parser of untrusted files, in a process that can only answer typed messages.
//!
//! The program opens each file and passes it to a parser. The parser is a child in its own user, mount,
//! network, PID and IPC namespaces, without a file system, privileges or output, and with few system calls.
//! Each file gets a new parser. The program reports a parser that crashes or takes too long.
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

/// Describes untrusted PNG files, parsed in a confined process.
#[derive(Parser)]
struct Arguments {
    /// The PNG files.
    files: Vec<PathBuf>,
    /// Make the parser try to open a path and to connect to a server.
    #[arg(long)]
    escape: bool,
    /// Make the parser crash before each file, to see it replaced.
    #[arg(long)]
    crash: bool,
}

/// The arguments of the process that creates namespaces, and of the parser in them.
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

/// Fails if a file cannot be opened, or a parser fails without being asked to crash.
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
        // A file name can contain terminal control characters.
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

/// Opens a regular file. Other files, such as FIFOs, could block.
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
        // The parser's only output is its connection. It closes the standard error when it is confined.
        let child = Child::spawn(Command::new(program).arg(JAIL).stdout(Stdio::null()))?;
        let (mut connection, mut process) = child.into_parts();
        match connection.recv().context("waiting for the parser")? {
            Some(frame) => match frame.decode().context("decoding the first message")? {
                Tell::Ready => {}
                other => bail!("the parser begins with {other:?}"),
            },
            // It has printed the reason on the standard error.
            None => bail!("the parser cannot be confined here ({})", process.wait()?),
        }
        Ok(Self { connection, process })
    }

    /// Asks the parser, prints its answer, and returns whether there is one. Then replaces the parser, because
    /// the file may have taken it over. Reports a parser that crashes or takes too long.
    fn ask(&mut self, ask: &Ask, subject: &str) -> anyhow::Result<bool> {
        match self.connection.send(ask) {
            // The receive below reports a parser that has ended.
            Ok(_) | Err(SendError::Disconnected) => {}
            // Without a question, there is no answer to wait for.
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
        // This kills the previous parser, if it still runs.
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

    /// Closes the connection, which ends the parser.
    fn finish(self) -> anyhow::Result<()> {
        let Self { connection, mut process } = self;
        drop(connection);
        let status = process.wait().context("waiting for the parser")?;
        ensure!(status.success(), "the parser failed: {status}");
        Ok(())
    }
}
