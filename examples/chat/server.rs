//! The server: a task for each client.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::Context as _;
use datagrammar::tokio::{Connection, Listener, Queue, Receiver};
use datagrammar::{Address, Budget, Error, Limits, Options};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::protocol::{Event, Request};
use crate::rooms::{Member, Rooms};

/// The most bytes of events that wait for a client. A client that lags further behind is dropped.
const QUEUE_LEN: usize = 256 * 1024;

/// The longest request, in bytes.
const MAX_REQUEST: usize = 16 * 1024;

/// The most clients at a time.
const MAX_CLIENTS: usize = 10_000;

type Client = Connection<Event<'static>, Request<'static>>;

/// Serves clients until SIGTERM or SIGINT, and then says goodbye to all of them. A client that must leave has `grace`
/// to read its last events.
pub(crate) async fn serve(address: &Address, grace: Duration) -> anyhow::Result<()> {
    let budget = Budget::new().connections(MAX_CLIENTS);
    let options = Options::new().limits(Limits::default().frame_len(MAX_REQUEST)).budget(&budget);
    let listener = Listener::<Event<'static>, Request<'static>>::bind_with(address, &options)?;
    eprintln!("serving {address}");

    let rooms = Arc::new(Rooms::default());
    let (stop, stopped) = watch::channel(());
    let (mut terminated, mut interrupted) =
        (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let mut clients = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let client = accepted.context("accepting clients")?;
                clients.spawn(talk(client, Arc::clone(&rooms), stopped.clone(), grace));
            }
            Some(_) = clients.join_next(), if !clients.is_empty() => {}
            _ = terminated.recv() => break,
            _ = interrupted.recv() => break,
        }
    }
    eprintln!("saying goodbye to {} clients", clients.len());
    drop((listener, stop));
    while clients.join_next().await.is_some() {}
    Ok(())
}

/// Talks with a client until it leaves, lags behind, or the server stops.
async fn talk(
    client: Client,
    rooms: Arc<Rooms>,
    mut stopped: watch::Receiver<()>,
    grace: Duration,
) {
    let (tx, mut rx) = client.split();
    let (queue, driver) = tx.into_queue(QUEUE_LEN);
    // Dropping the set stops the driver, which holds the connection open.
    let mut drivers = JoinSet::new();
    drivers.spawn(driver);
    let too_slow = Arc::new(Notify::new());
    let mut seat = Seat::new(rooms, queue, Arc::clone(&too_slow));
    let reason = tokio::select! {
        result = listen(&mut rx, &mut seat) => match result {
            Ok(()) => None,
            Err(error) => Some(error.to_string()),
        },
        () = too_slow.notified() => Some("you read too slowly".to_owned()),
        _ = stopped.changed() => Some("the server stops".to_owned()),
    };
    let queue = seat.leave();
    let last = async {
        if let Some(reason) = &reason {
            // Fails if the client has gone.
            _ = queue.send(&Event::Goodbye { reason }).await;
        }
        drop(queue);
        _ = drivers.join_next().await;
    };
    // A client that does not read even these events loses them, and its connection.
    _ = timeout(grace, last).await;
}

/// Handles the requests of a client.
async fn listen(rx: &mut Receiver<Request<'static>>, seat: &mut Seat) -> Result<(), Error> {
    while let Some(frame) = rx.recv().await? {
        match frame.decode()? {
            Request::Join { room, name } => seat.take(room, name)?,
            Request::Say { text } => seat.say(text)?,
            // The client is newer than the server.
            Request::Unknown(_) => {}
        }
    }
    Ok(())
}

/// A client's place in at most one room.
struct Seat {
    id: u64,
    rooms: Arc<Rooms>,
    room: Option<String>,
    queue: Queue<Event<'static>>,
    too_slow: Arc<Notify>,
}

impl Seat {
    fn new(rooms: Arc<Rooms>, queue: Queue<Event<'static>>, too_slow: Arc<Notify>) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let id = NEXT.fetch_add(1, Ordering::Relaxed);
        Self { id, rooms, room: None, queue, too_slow }
    }

    /// Leaves the room, and enters another.
    fn take(&mut self, room: &str, name: &str) -> Result<(), Error> {
        if let Some(before) = self.room.take() {
            self.rooms.leave(&before, self.id)?;
        }
        let (queue, too_slow) = (self.queue.clone(), Arc::clone(&self.too_slow));
        self.rooms.join(room, self.id, Member { name: name.to_owned(), queue, too_slow })?;
        self.room = Some(room.to_owned());
        Ok(())
    }

    fn say(&self, text: &str) -> Result<(), Error> {
        match &self.room {
            Some(room) => Ok(self.rooms.say(room, self.id, text)?),
            None => Ok(()),
        }
    }

    /// Leaves for good, and returns the queue of events.
    fn leave(self) -> Queue<Event<'static>> {
        if let Some(room) = &self.room {
            // Fails only for a name that cannot be encoded, and it was encoded before.
            _ = self.rooms.leave(room, self.id);
        }
        self.queue
    }
}
