//! The errors that a server reports of answers that cannot be sent, and of clients that cannot be accepted.

use std::sync::{Mutex, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use datagrammar::calls::{CallError, Context, Server};
use datagrammar::{AcceptError, Budget, EncodeError, Error, Listener, Options, Peer, SendError};
use datagrammar::{Message, Protocol};

/// Longer than the test takes.
const STALL: Duration = Duration::from_secs(60);

#[derive(Message, Protocol)]
enum Paint {
    #[message(tag = 1, reply = Colour)]
    Mix,
}

#[derive(Message, Debug)]
enum Colour {
    #[message(tag = 1)]
    Red,
    /// Cannot be sent.
    #[message(other)]
    Newer,
}

struct Painter;

impl PaintHandler for Painter {
    fn mix(&self, _cx: &Context) -> Colour {
        Colour::Newer
    }
}

#[cfg(feature = "tokio")]
impl PaintTokioHandler for Painter {
    async fn mix(&self, _cx: &Context) -> Colour {
        Colour::Newer
    }
}

/// Returns a function that sends each reported error.
fn teller() -> (impl Fn(Option<&Peer>, &Error) + Send + Sync, mpsc::Receiver<String>) {
    let (tell, told) = mpsc::channel();
    let tell = Mutex::new(tell);
    let tell = move |peer: Option<&Peer>, error: &Error| {
        let what = match error {
            Error::Send(SendError::Encode(EncodeError::UnknownTag(name))) => (*name).to_owned(),
            Error::Accept(AcceptError::Full { .. }) => "full".to_owned(),
            other => format!("{other:?}"),
        };
        let is_ours = peer.is_some_and(|peer| peer.pid == std::process::id());
        tell.lock().unwrap().send(format!("{what} {is_ours}")).unwrap();
    };
    (tell, told)
}

#[test]
fn an_answer_that_cannot_be_encoded_is_told() {
    let (tell, told) = teller();
    let (client, server) = datagrammar::Connection::pair().unwrap();
    thread::spawn(|| Server::new(PaintService(Painter)).on_error(tell).serve(server));
    let client = PaintClient::new(client);
    assert!(matches!(client.mix(), Err(CallError::Failed)));
    assert_eq!(told.recv_timeout(STALL).unwrap(), "Colour::Newer true");
}

#[cfg(feature = "tokio")]
#[tokio::test]
async fn an_answer_that_cannot_be_encoded_is_told_under_tokio() {
    use datagrammar::tokio::{Connection, calls::Server};

    let (tell, told) = teller();
    let (client, server) = Connection::pair().unwrap();
    let serving = Server::new(PaintTokioService(Painter)).on_error(tell);
    tokio::spawn(async move { serving.clone().serve(server).await });
    let client = PaintTokioClient::new(client);
    assert!(matches!(client.mix().await, Err(CallError::Failed)));
    assert_eq!(told.try_recv().unwrap(), "Colour::Newer true");
}

#[test]
fn a_server_that_is_full_tells_it_once() {
    let (tell, told) = teller();
    let address = format!("unix:@datagrammar-test-full-{}", std::process::id()).parse().unwrap();
    let options = Options::new().budget(&Budget::new().connections(1));
    let listener = Listener::bind_with(&address, &options).unwrap();
    let server = Server::new(PaintService(Painter)).on_error(tell);
    let stopper = server.stopper();
    let serving = thread::spawn(move || server.run(&listener));
    let client = PaintClient::connect(&address).unwrap();
    assert!(client.mix().is_err());
    let mut all = vec![told.recv_timeout(STALL).unwrap(), told.recv_timeout(STALL).unwrap()];
    all.sort_unstable();
    assert_eq!(all, ["Colour::Newer true", "full false"]);
    // It tries again meanwhile.
    assert!(told.recv_timeout(Duration::from_millis(500)).is_err());
    stopper.stop(Instant::now());
    serving.join().unwrap().unwrap();
}

#[cfg(feature = "tokio")]
#[tokio::test]
async fn a_server_that_is_full_tells_it_once_under_tokio() {
    let (tell, told) = teller();
    let address = format!("unix:@datagrammar-test-full-tokio-{}", std::process::id());
    let address = address.parse().unwrap();
    let options = Options::new().budget(&Budget::new().connections(1));
    let listener = datagrammar::tokio::Listener::bind_with(&address, &options).unwrap();
    let server = datagrammar::tokio::calls::Server::new(PaintTokioService(Painter)).on_error(tell);
    let serving = tokio::spawn(async move { server.run(&listener).await });
    let client = PaintTokioClient::connect(&address).await.unwrap();
    assert!(client.mix().await.is_err());
    let mut all = Vec::new();
    let far = Instant::now() + STALL;
    while all.len() < 2 && Instant::now() < far {
        all.extend(told.try_recv());
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    all.sort_unstable();
    assert_eq!(all, ["Colour::Newer true", "full false"]);
    // It tries again meanwhile.
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert!(told.try_recv().is_err());
    serving.abort();
}
