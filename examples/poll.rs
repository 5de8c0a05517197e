//! One thread serves many clients: an event loop with the `polling` crate that never blocks on one client.
//!
//! The server answers each text, of any length, with the same text in capital letters.
//!
//! ```console
//! $ poll serve unix:/tmp/poll.sock
//! $ poll shout unix:/tmp/poll.sock --clients 100 --len 1000000
//! ```

use std::collections::HashMap;
use std::os::fd::AsFd as _;
use std::thread;

use anyhow::{Context as _, anyhow, ensure};
use clap::Parser;
use datagrammar::error::Chain;
use datagrammar::{
    AcceptError, Address, Backoff, Connection, Error, Listener, Message, OwnedFrame, RecvError,
    SendError, Sender, Wait,
};
use polling::{Event, Events, Poller};

/// The message of both sides.
#[derive(Message)]
enum Talk<'a> {
    #[message(tag = 1)]
    Text(#[message(rest)] &'a [u8]),
}

type Talking = Connection<Talk<'static>, Talk<'static>>;

/// Answers many clients at once, in one thread.
#[derive(Parser)]
enum Task {
    /// Serves clients at ADDRESS.
    Serve {
        /// The address: unix:/path, unix:@abstract, or vsock:CID:PORT.
        address: Address,
    },
    /// Sends texts to the server at ADDRESS, and checks the answers.
    Shout {
        /// The address of the server.
        address: Address,
        /// How many clients run at the same time.
        #[arg(long, default_value_t = 10)]
        clients: usize,
        /// How many texts each client sends.
        #[arg(long, default_value_t = 10)]
        texts: usize,
        /// How long a text is, in bytes.
        #[arg(long, default_value_t = 1_000_000)]
        len: usize,
    },
}

fn main() -> anyhow::Result<()> {
    match Task::parse() {
        Task::Serve { address } => serve(&address),
        Task::Shout { address, clients, texts, len } => shout_all(&address, clients, texts, len),
    }
}

/// A client of the server.
struct Client {
    connection: Talking,
    /// An answer that had no room.
    unsent: Option<OwnedFrame<Talk<'static>>>,
}

/// What the server waits for on a client.
enum Next {
    Readable,
    Writable,
    Ended,
}

impl Client {
    /// Serves a client until it would block.
    fn advance(&mut self) -> Result<Next, Error> {
        loop {
            // A client that does not read its answers gets no others: they would pile up here.
            match self.send_on() {
                Ok(()) => {}
                Err(SendError::WouldBlock { .. }) => return Ok(Next::Writable),
                Err(error) => return Err(error.into()),
            }
            match self.connection.rx.try_recv() {
                Ok(Some(frame)) => match frame.decode() {
                    Ok(Talk::Text(text)) => {
                        let answer = Talk::Text(&text.to_ascii_uppercase());
                        self.unsent = send(&mut self.connection.tx, &answer)?;
                    }
                    Err(error) => eprintln!("a frame was not understood: {}", Chain(&error)),
                },
                Ok(None) => return Ok(Next::Ended),
                Err(RecvError::WouldBlock) => return Ok(Next::Readable),
                // A large frame in many pieces: there are more.
                Err(RecvError::Unfinished { .. }) => {}
                Err(error) if error.is_fatal() => return Err(error.into()),
                // The frame may still be queued.
                Err(error @ RecvError::NoMemory { .. }) => return Err(error.into()),
                // Too long, or not a frame: the next one can be received.
                Err(error) => eprintln!("a frame was dropped: {}", Chain(&error)),
            }
        }
    }

    /// Sends the rest of the last answer.
    fn send_on(&mut self) -> Result<(), SendError> {
        if let Some(answer) = &self.unsent {
            self.connection.tx.send_frame(answer, Wait::Try)?;
            self.unsent = None;
        }
        self.connection.tx.flush(Wait::Try)
    }
}

/// Sends a message. If there is room for only a part, the rest is pending. If there is no room, returns the
/// message as a frame.
fn send(
    tx: &mut Sender<Talk<'static>>,
    message: &Talk<'_>,
) -> Result<Option<OwnedFrame<Talk<'static>>>, Error> {
    match tx.try_send(message) {
        Ok(_len) => Ok(None),
        Err(SendError::WouldBlock { .. }) => Ok(Some(OwnedFrame::encode(message)?)),
        Err(error) => Err(error.into()),
    }
}

/// The poller's key of the listener.
const LISTENER: usize = 0;

fn serve(address: &Address) -> anyhow::Result<()> {
    let listener = Listener::bind(address)?;
    let mut clients = HashMap::<usize, Client>::new();
    // Dropped before the sockets that are added to it.
    let poller = Poller::new()?;
    let mut keys = LISTENER + 1..;
    let mut events = Events::new();
    // SAFETY: the listener is dropped after the poller.
    unsafe { poller.add(&listener.as_fd(), Event::readable(LISTENER)) }?;
    eprintln!("serving at {address}");
    loop {
        events.clear();
        poller.wait(&mut events, None)?;
        for event in events.iter() {
            if event.key == LISTENER {
                for connection in accept_all(&listener)? {
                    let Some(key) = keys.next() else { break };
                    // SAFETY: a client is deleted below before it is dropped, or dropped after the poller.
                    unsafe { poller.add(&connection, Event::readable(key)) }?;
                    clients.insert(key, Client { connection, unsent: None });
                }
                poller.modify(&listener, Event::readable(LISTENER))?;
                continue;
            }
            let Some(client) = clients.get_mut(&event.key) else { continue };
            let next = match client.advance() {
                Ok(Next::Readable) => Some(Event::readable(event.key)),
                Ok(Next::Writable) => Some(Event::writable(event.key)),
                Ok(Next::Ended) => None,
                Err(error) => {
                    eprintln!("a client failed: {:#}", anyhow!(error));
                    None
                }
            };
            match next {
                // The poller reports an event once. Ask for the next one.
                Some(next) => poller.modify(&client.connection, next)?,
                None => {
                    poller.delete(&client.connection)?;
                    clients.remove(&event.key);
                }
            }
        }
    }
}

/// Accepts every client in the backlog.
fn accept_all(listener: &Listener<Talk<'static>, Talk<'static>>) -> anyhow::Result<Vec<Talking>> {
    let mut accepted = Vec::new();
    loop {
        match listener.try_accept() {
            Ok(connection) => accepted.push(connection),
            Err(AcceptError::WouldBlock) => return Ok(accepted),
            Err(error) if error.is_fatal() => return Err(error).context("accepting"),
            // Out of descriptors: waiting clients stay in the backlog until others have left.
            Err(error) => {
                eprintln!("cannot accept: {}", Chain(&error));
                Backoff::new().wait();
                return Ok(accepted);
            }
        }
    }
}

fn shout_all(address: &Address, clients: usize, texts: usize, len: usize) -> anyhow::Result<()> {
    let shouting = (0..clients).map(|client| {
        let address = *address;
        thread::spawn(move || shout(&address, client, texts, len))
    });
    // Start all clients before waiting for the first.
    for client in shouting.collect::<Vec<_>>() {
        client.join().map_err(|_panic| anyhow!("a client panicked"))??;
    }
    println!("{clients} clients sent {texts} texts of {len} bytes each, and got them back");
    Ok(())
}

fn shout(address: &Address, client: usize, texts: usize, len: usize) -> anyhow::Result<()> {
    let mut server = Talking::connect(address)?;
    let letter = b'a' + (client % 26) as u8;
    let text = vec![letter; len];
    for _ in 0..texts {
        server.send(&Talk::Text(&text)).context("sending")?;
        let frame = server.recv().context("receiving")?.context("the server is gone")?;
        let Talk::Text(answer) = frame.decode().context("decoding")?;
        let is_shouted =
            answer.len() == len && answer.iter().all(|&found| found == letter.to_ascii_uppercase());
        ensure!(is_shouted, "another answer came back: {} bytes", answer.len());
    }
    Ok(())
}
