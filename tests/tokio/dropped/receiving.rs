//! The receiving side: every form, with futures that are dropped.

use datagrammar::tokio::Connection;
use datagrammar::{OwnedFrame, RecvError, Wait};
use futures_util::StreamExt as _;

use super::driver::Driver;
use super::model::{Model, Note};

type Ours = Connection<Note<'static>, Note<'static>>;
type Owned = OwnedFrame<Note<'static>>;

/// The receiving side.
pub(super) struct Receiving {
    pub(super) driver: Driver,
    pub(super) model: Model,
    /// Whether the connection is converted to a blocking one and back in between.
    pub(super) crosses: bool,
    /// The peeked length of the next frame.
    pub(super) peeked: Option<usize>,
}

impl Receiving {
    /// Receives until the end.
    pub(super) async fn run(mut self, mut ours: Ours) {
        loop {
            let is_end = match self.driver.random.below(8) {
                0..3 => {
                    let frame = self.driver.drive(ours.recv()).await;
                    frame.is_some_and(|frame| self.check(frame.unwrap().map(|f| f.into_owned())))
                }
                3 => {
                    let frame = self.driver.drive(ours.rx.recv_owned()).await;
                    frame.is_some_and(|frame| self.check(frame.unwrap()))
                }
                4 => {
                    let frame = self.driver.drive(ours.rx.next()).await;
                    frame.is_some_and(|frame| self.check(frame.transpose().unwrap()))
                }
                5 => {
                    let told = self.driver.drive(ours.rx.peek_len()).await;
                    self.told(told.map(Result::unwrap));
                    false
                }
                6 if self.crosses => {
                    let (crossed, is_end) = self.cross(ours);
                    ours = crossed;
                    is_end
                }
                _ => self.tried(ours.try_recv().map(|frame| frame.map(|f| f.into_owned()))),
            };
            if is_end {
                return self.model.end();
            }
            // Lets the socket become full.
            for _ in 0..self.driver.random.below(100).saturating_sub(90) {
                tokio::task::yield_now().await;
            }
        }
    }

    /// Checks the result of a receive. Returns whether it is the end.
    fn check(&mut self, frame: Option<Owned>) -> bool {
        let peeked = self.peeked.take();
        let Some(mut frame) = frame else {
            assert!(peeked.is_none(), "{peeked:?} was told, and the end came");
            return true;
        };
        assert!(peeked.is_none_or(|len| len == frame.len()), "{peeked:?} was told");
        self.model.check(frame.decode().unwrap());
        false
    }

    fn told(&mut self, told: Option<Option<usize>>) {
        if let Some(told) = told {
            assert!(self.peeked.is_none() || self.peeked == told, "{:?}, {told:?}", self.peeked);
            self.peeked = told;
        }
    }

    fn tried(&mut self, frame: Result<Option<Owned>, RecvError>) -> bool {
        match frame {
            Ok(frame) => self.check(frame),
            Err(RecvError::WouldBlock | RecvError::Unfinished { .. }) => false,
            Err(other) => panic!("{other:?}"),
        }
    }

    /// Converts the connection to a blocking one, receives, and converts it back. Returns whether the end has come.
    fn cross(&mut self, ours: Ours) -> (Ours, bool) {
        let mut ours = ours.into_blocking();
        let mut is_end = false;
        for _ in 0..self.driver.random.below(4) {
            is_end = match self.driver.random.below(3) {
                0 => self.tried(ours.rx.recv_owned(Wait::Try)),
                1 => match ours.rx.peek_len(Wait::Try) {
                    Ok(told) => {
                        self.told(Some(told));
                        false
                    }
                    Err(RecvError::WouldBlock) => false,
                    Err(other) => panic!("{other:?}"),
                },
                _ => self.tried(ours.try_recv().map(|frame| frame.map(|f| f.into_owned()))),
            };
            if is_end {
                break;
            }
        }
        (Ours::from_blocking(ours).map_err(|(_, error)| error).unwrap(), is_end)
    }
}
