//! A process that is forbidden to send, from some moment on.

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use datagrammar::Connection;
use datagrammar::calls::{Answers, Call, CallError, Server, Service};
use seccompiler::{BpfProgram, SeccompAction, SeccompFilter};

use crate::protocol::{Counted, Sum, Sums};
use crate::{Ours, add};

/// Longer than any of these tests takes.
const STALL: Duration = Duration::from_secs(60);

/// Forbids this thread to send any more.
fn forbid_sending() {
    let rules =
        [libc::SYS_sendmsg, libc::SYS_sendmmsg, libc::SYS_sendto].map(|call| (call, Vec::new()));
    let filter = SeccompFilter::new(
        rules.into_iter().collect(),
        SeccompAction::Allow,
        SeccompAction::Errno(libc::EPERM as u32),
        std::env::consts::ARCH.try_into().unwrap(),
    );
    let program: BpfProgram = filter.unwrap().try_into().unwrap();
    seccompiler::apply_filter(&program).unwrap();
}

struct Forbidden;

impl Service for Forbidden {
    type Protocol = Sums<'static>;

    fn handle(&self, mut call: Call<Sums<'static>>) {
        let Some((_, request, answer)) = call.open() else { return };
        match request {
            Sums::Add { left, right } => {
                if left == 7 {
                    forbid_sending();
                }
                answer.reply::<Sum>(Ok(left + right));
            }
            Sums::Count { to } => {
                let mut items = answer.items::<Counted>();
                (0..to).for_each(|number| items.send(&Counted(number)).unwrap());
                forbid_sending();
                items.end();
            }
            _ => panic!("nothing else is called"),
        }
    }
}

fn check(call: impl FnOnce(&Ours) -> CallError<String> + Send + 'static) {
    let (client, server) = Connection::<Sums<'static>, Answers<Sums<'static>>>::pair().unwrap();
    let (done, is_done) = mpsc::channel();
    let client = Ours::new(client);
    thread::spawn(move || {
        Server::new(Forbidden).threads(1).serve(server).unwrap();
        done.send(None).unwrap();
    });
    let (failed, has_failed) = mpsc::channel();
    thread::spawn(move || {
        assert_eq!(add(&client, 1, 2).unwrap(), 3);
        failed.send(call(&client)).unwrap();
    });
    let error = has_failed.recv_timeout(STALL).expect("the caller learns of it");
    assert!(matches!(error, CallError::Disconnected(_)), "{error:?}");
    assert_eq!(is_done.recv_timeout(STALL), Ok(None::<()>), "the server ends");
}

#[test]
fn a_server_that_can_send_nothing_ends() {
    check(|client| add(client, 7, 2).unwrap_err());
}

#[test]
fn a_server_that_cannot_end_its_items_ends() {
    check(|client| {
        let mut items = client.items::<Counted>(&Sums::Count { to: 2 }).unwrap();
        assert_eq!(items.recv().unwrap().unwrap().0, 0);
        assert_eq!(items.recv().unwrap().unwrap().0, 1);
        items.recv().map(|_| ()).unwrap_err().widen()
    });
}
