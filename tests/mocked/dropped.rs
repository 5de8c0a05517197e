//! Protocols that drop unknown messages: an `other` variant without a field, in the calls and in the answers.

use std::sync::{Arc, Mutex};
use std::thread;

use datagrammar::calls::{
    Call, CallError, Client, Context, Direct, ItemError, ItemSender, Outcome, Script, Server,
    Service,
};
use datagrammar::{Connection, EncodeError, Protocol, SendError};

/// Both versions of the answers, in their own modules.
mod old {
    use datagrammar::{Message, Protocol};

    #[derive(Message, Debug, Clone, Copy, PartialEq, Eq)]
    pub(crate) enum Colour {
        #[message(tag = 1)]
        Red,
        #[message(other)]
        Newer,
    }

    #[derive(Message, Protocol, Debug, Clone, Copy, PartialEq)]
    pub(crate) enum Lamp {
        #[message(tag = 1, reply = Colour)]
        Colour,
        #[message(tag = 2, reply = Option<Colour>)]
        Last,
        #[message(tag = 3, items = Colour)]
        All,
        #[message(tag = 4)]
        Set(#[message(nested)] Colour),
        #[message(other)]
        Newer,
    }
}

mod new {
    use datagrammar::{Message, Protocol};

    #[derive(Message, Debug, Clone, Copy, PartialEq, Eq)]
    pub(crate) enum Colour {
        #[message(tag = 1)]
        Red,
        #[message(tag = 2)]
        Mixed(u8, u8),
    }

    #[derive(Message, Protocol)]
    pub(crate) enum Lamp {
        #[message(tag = 1, reply = Colour)]
        Colour,
        #[message(tag = 2, reply = Option<Colour>)]
        Last,
        #[message(tag = 3, items = Colour)]
        All,
        #[message(tag = 4)]
        Set(#[message(nested)] Colour),
        #[message(tag = 5, reply = bool)]
        IsOn,
        #[message(tag = 6, items = Colour)]
        Fade,
        #[message(tag = 7)]
        Off,
    }
}

use old::{Colour, Lamp};

/// A server that answers with a colour, and keeps the colours that were set.
#[derive(Clone)]
struct Old(Colour, Arc<Mutex<Vec<Colour>>>);

impl Old {
    fn new(colour: Colour) -> Self {
        Self(colour, Arc::default())
    }
}

impl old::LampHandler for Old {
    fn colour(&self, _: &Context) -> Colour {
        self.0
    }

    fn last(&self, _: &Context) -> Option<Colour> {
        Some(self.0)
    }

    fn all(&self, _: &Context, mut items: ItemSender<Colour>) {
        items.send(&Colour::Red).unwrap();
        let sent = items.send(&self.0);
        let is_refused = |error| {
            let ItemError::NotSent(SendError::Encode(EncodeError::UnknownTag(variant))) = error
            else {
                return false;
            };
            variant == "Colour::Newer"
        };
        assert_eq!(sent.is_err_and(is_refused), self.0 == Colour::Newer);
    }

    fn set(&self, _: &Context, colour: Colour) {
        self.1.lock().unwrap().push(colour);
    }
}

struct New;

impl new::LampHandler for New {
    fn colour(&self, _: &Context) -> new::Colour {
        new::Colour::Mixed(1, 2)
    }

    fn last(&self, _: &Context) -> Option<new::Colour> {
        Some(new::Colour::Mixed(1, 2))
    }

    fn all(&self, _: &Context, mut items: ItemSender<new::Colour>) {
        for colour in [new::Colour::Red, new::Colour::Mixed(1, 2), new::Colour::Red] {
            items.send(&colour).unwrap();
        }
    }

    fn set(&self, _: &Context, _: new::Colour) {}

    fn is_on(&self, _: &Context) -> bool {
        true
    }

    fn fade(&self, _: &Context, _: ItemSender<new::Colour>) {}

    fn off(&self, _: &Context) {}
}

/// Serves one connection with `service`, and calls it with `test`.
fn with_server<S: Service, P>(service: S, test: impl FnOnce(Connection<P, P>))
where
    S::Protocol: 'static,
    P: Protocol,
{
    let (client, server) = Connection::<P, P>::pair().unwrap();
    let server = Connection::adopt(server.into_fd().unwrap().0).unwrap();
    thread::scope(|scope| {
        scope.spawn(|| Server::new(service).serve(server).unwrap());
        test(client);
    });
}

fn client_of<P: Protocol + 'static, C: From<Client<P>>>(connection: Connection<P, P>) -> C {
    let connection = Connection::adopt(connection.into_fd().unwrap().0).unwrap();
    C::from(Client::new(connection))
}

#[test]
fn an_old_client_drops_what_is_new_in_answers_and_items() {
    with_server(new::LampService(New), |connection: Connection<Lamp, Lamp>| {
        let client: old::LampClient = client_of(connection);
        assert_eq!(client.colour().unwrap(), Colour::Newer);
        assert_eq!(client.last().unwrap(), Some(Colour::Newer));
        let mut items = client.all().unwrap();
        for colour in [Colour::Red, Colour::Newer, Colour::Red] {
            assert_eq!(items.recv().unwrap(), Some(colour));
        }
        assert_eq!(items.recv().unwrap(), None);
    });
}

#[test]
fn an_old_server_says_that_it_does_not_support_new_calls() {
    let handler = Old::new(Colour::Red);
    with_server(
        old::LampService(handler.clone()),
        |connection: Connection<new::Lamp, new::Lamp>| {
            let client: new::LampClient = client_of(connection);
            let error = client.is_on().unwrap_err();
            assert!(matches!(error, CallError::NotSupported), "{error:?}");
            assert_eq!(error.outcome(), Outcome::NotExecuted);
            assert!(matches!(client.fade().unwrap().recv(), Err(CallError::NotSupported)));
            client.off().unwrap();
            client.set(new::Colour::Mixed(1, 2)).unwrap();
            client.set(new::Colour::Red).unwrap();
            assert_eq!(client.colour().unwrap(), new::Colour::Red);
        },
    );
    // Calls without an answer may be handled at the same time.
    let set = handler.1.lock().unwrap();
    assert!(
        matches!(**set, [Colour::Newer, Colour::Red] | [Colour::Red, Colour::Newer]),
        "{set:?}"
    );
}

#[test]
fn an_answer_that_cannot_be_sent_fails_its_own_call() {
    with_server(old::LampService(Old::new(Colour::Newer)), |connection: Connection<Lamp, Lamp>| {
        let client: old::LampClient = client_of(connection);
        for _ in 0..2 {
            assert!(matches!(client.colour(), Err(CallError::Failed)));
            assert!(matches!(client.last(), Err(CallError::Failed)));
            let mut items = client.all().unwrap();
            assert_eq!(items.recv().unwrap(), Some(Colour::Red));
            assert_eq!(items.recv().unwrap(), None);
        }
    });
}

#[track_caller]
fn is_not_sent<T: std::fmt::Debug>(called: Result<T, CallError>, unsent: &str) {
    let Err(CallError::NotSent(error)) = called else { panic!("{called:?}") };
    let SendError::Encode(EncodeError::UnknownTag(variant)) = *error else { panic!("{error:?}") };
    assert_eq!(variant, unsent);
}

#[test]
fn a_call_that_cannot_be_sent_fails_alone() {
    let handler = Old::new(Colour::Red);
    let direct = Direct::new(old::LampService(handler.clone()));
    with_server(old::LampService(handler), |connection: Connection<Lamp, Lamp>| {
        let client: Client<Lamp> = client_of(connection);
        is_not_sent(client.call::<old::LampColourAnswer>(&Lamp::Newer), "Lamp::Newer");
        is_not_sent(client.items::<Colour>(&Lamp::Newer), "Lamp::Newer");
        is_not_sent(client.notify(&Lamp::Newer), "Lamp::Newer");
        is_not_sent(client.notify(&Lamp::Set(Colour::Newer)), "Colour::Newer");
        is_not_sent(direct.call::<old::LampColourAnswer>(&Lamp::Newer), "Lamp::Newer");
        let mut answer = client.call::<old::LampColourAnswer>(&Lamp::Colour).unwrap();
        assert_eq!(answer.decode().unwrap(), Colour::Red);
        assert_eq!(client.in_flight(), 0);
    });
}

/// The frame says which call it is, because the message does not know its tag.
#[test]
fn the_server_knows_the_tag_of_an_unknown_call() {
    struct Logging(Mutex<Vec<(String, u32)>>);

    impl Service for &Logging {
        type Protocol = Lamp;

        fn handle(&self, mut call: Call<Lamp>) {
            let (cx, lamp, answering) = call.open().unwrap();
            self.0.lock().unwrap().push((format!("{lamp:?} {}", cx.name()), cx.tag()));
            answering.not_supported();
        }
    }

    let logging = Logging(Mutex::default());
    with_server(&logging, |connection: Connection<new::Lamp, new::Lamp>| {
        let client: new::LampClient = client_of(connection);
        assert!(matches!(client.is_on(), Err(CallError::NotSupported)));
        assert!(matches!(client.colour(), Err(CallError::NotSupported)));
    });
    let logged = logging.0.into_inner().unwrap();
    assert_eq!(logged, [("Newer Newer".to_owned(), 5), ("Colour Colour".to_owned(), 1)]);
}

#[test]
fn a_script_knows_the_tag_of_an_unknown_call() {
    let (connection, mut script) = Script::<Lamp>::new().unwrap();
    script.expect(|call| *call == Lamp::Colour).answer::<old::LampColourAnswer>(Ok(Colour::Red));
    let playing = script.play();
    let (fd, _) = connection.into_fd().unwrap();
    let client = new::LampClient::new(Connection::adopt(fd).unwrap());
    drop(client.is_on());
    drop(client);
    let error = playing.finish().unwrap_err().to_string();
    assert!(error.contains("came Newer (tag 5)"), "{error}");
}
