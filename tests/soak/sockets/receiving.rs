//! Receives in every way.

use std::process;
use std::time::{Duration, Instant};

use datagrammar::{Address, OwnedFrame, RecvError, Wait};

use super::{Model, Next, Place};
use crate::note::Note;

type Received = Result<(OwnedFrame<Note<'static>>, Address), RecvError>;

impl Model {
    pub(super) fn receive(&mut self) {
        let at = self.any();
        let form = self.random.below(5);
        let Place { socket, queue, .. } = &mut self.places[at];
        let Some(socket) = socket else { return };
        let wait = match form {
            0 if !queue.is_empty() => Wait::Block,
            1 if !queue.is_empty() => Wait::Until(Instant::now() + Duration::from_secs(60)),
            2 => Wait::Until(Instant::now()),
            _ => Wait::Try,
        };
        let received = match (form, wait) {
            (4, _) => socket.rx.recv_owned_from(wait),
            (_, Wait::Block) => socket.recv_from().map(|(frame, from)| (frame.into_owned(), from)),
            (_, Wait::Try) => {
                socket.try_recv_from().map(|(frame, from)| (frame.into_owned(), from))
            }
            (_, Wait::Until(deadline)) => {
                let received = socket.recv_from_deadline(deadline);
                received.map(|(frame, from)| (frame.into_owned(), from))
            }
        };
        self.check(at, received);
    }

    /// Checks the result of a receive.
    pub(super) fn check(&mut self, at: usize, received: Received) {
        let place = &mut self.places[at];
        match (place.pop(), received) {
            (None, Err(RecvError::WouldBlock | RecvError::TimedOut)) => {}
            (
                Some(Next::Fault),
                Err(RecvError::Empty | RecvError::BadFragment(_) | RecvError::BadMemory(_)),
            ) => {}
            (Some(Next::Note(made, _)), Err(RecvError::TooLarge { len, limit })) => {
                assert_eq!((len, limit), (made.frame_len(), place.limit));
                assert!(len > limit);
            }
            (Some(Next::Note(made, from)), Ok((frame, sender))) => {
                assert_eq!(sender, from);
                assert!(frame.len() <= place.limit);
                if self.identifies {
                    assert_eq!(frame.sender().expect("the sender is known").pid, process::id());
                }
                made.check(frame);
            }
            (next, received) => panic!("{next:?} came as {:?}", received.map(|_| ())),
        }
    }
}
