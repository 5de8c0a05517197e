//! The sending side: every form, with futures that are dropped.

use std::net::Shutdown;

use datagrammar::tokio::{Batch, Connection, Sender};
use datagrammar::{OwnedFrame, SendAllError, SendError, Wait};

use datagrammar_tests::Random;

use super::driver::Driver;
use super::model::{Kind, Made, Model, Note};

type Ours = Connection<Note<'static>, Note<'static>>;

/// The sending side.
pub(super) struct Sending {
    pub(super) driver: Driver,
    pub(super) model: Model,
    /// Whether the connection is converted to a blocking one and back in between.
    pub(super) crosses: bool,
}

impl Sending {
    /// Sends until `enough` futures were dropped. Then ends the connection.
    pub(super) async fn run(mut self, mut ours: Ours, enough: u64) {
        while self.driver.dropped() < enough {
            match self.driver.random.below(9) {
                0..3 => self.send(&mut ours.tx).await,
                3 => self.send_frame(&mut ours.tx).await,
                4 => self.send_all(&mut ours.tx).await,
                5 => self.try_send(&mut ours.tx),
                6 => _ = self.driver.drive(ours.tx.flush()).await.transpose().unwrap(),
                7 if self.crosses => ours = self.cross(ours),
                _ => {
                    let (tx, rx) = ours.split();
                    let tx = self.batch(tx).await;
                    ours = joined(tx, rx);
                }
            }
        }
        ours.tx.flush().await.unwrap();
        ours.shutdown(Shutdown::Write).unwrap();
        // The connection stays open until everything is received: until the other side ends it.
        assert!(ours.recv().await.unwrap().is_none());
    }

    fn make(&mut self) -> Made {
        self.model.make(Kind::any(&mut self.driver.random))
    }

    fn make_many(&mut self) -> Vec<Made> {
        let count = 1 + self.driver.random.below(40);
        let model = self.model.clone();
        let kind = |random: &mut Random| match count {
            // Some bundles consist only of small messages.
            20.. => Kind::small(random),
            _ => Kind::any(random),
        };
        (0..count).map(|_| model.make(kind(&mut self.driver.random))).collect()
    }

    async fn send(&mut self, tx: &mut Sender<Note<'static>>) {
        let made = self.make();
        let before = tx.pending();
        let sent = self.driver.drive(tx.send(&made.note())).await;
        self.settle(sent, before, tx.pending());
    }

    async fn send_frame(&mut self, tx: &mut Sender<Note<'static>>) {
        let made = self.make();
        let frame = OwnedFrame::encode(&made.note()).unwrap();
        let before = tx.pending();
        let sent = self.driver.drive(tx.send_frame(&frame)).await;
        self.settle(sent, before, tx.pending());
    }

    /// A frame that has begun is sent, and another one is not.
    fn settle(&self, sent: Option<Result<usize, SendError>>, before: usize, after: usize) {
        self.model.settle(match sent {
            Some(sent) => sent.map(|_| Some(1)).unwrap(),
            // An earlier pending frame is still pending, or was completed before this one could begin.
            None if before == 0 => Some(usize::from(after > 0)),
            None if after > before => Some(1),
            None if after == 0 => Some(0),
            None => None,
        });
    }

    async fn send_all(&mut self, tx: &mut Sender<Note<'static>>) {
        let made = self.make_many();
        let notes: Vec<_> = made.iter().map(Made::note).collect();
        let sent = self.driver.drive(tx.send_all(&notes)).await;
        self.model.settle(sent.map(Result::unwrap));
    }

    fn try_send(&mut self, tx: &mut Sender<Note<'static>>) {
        let made = self.make();
        let sent = tx.try_send(&made.note());
        self.tried(sent.map(|_| 1).map_err(|error| (0, error)));
    }

    fn tried(&self, sent: Result<usize, (usize, SendError)>) {
        self.model.settle(Some(match sent {
            Ok(sent) | Err((sent, SendError::WouldBlock { .. })) => sent,
            Err((_, other)) => panic!("{other:?}"),
        }));
    }

    /// Sends from a batch. Each message is in the batch, was sent, or was not pushed.
    async fn batch(&mut self, tx: Sender<Note<'static>>) -> Sender<Note<'static>> {
        let mut batch = Batch::new(tx);
        for _ in 0..self.driver.random.below(100) {
            let made = self.make();
            let pushed = self.driver.drive(batch.push(&made.note())).await;
            self.model.settle(Some(pushed.map_or(0, |pushed| pushed.map(|()| 1).unwrap())));
            if self.driver.random.below(20) == 0 {
                self.driver.drive(batch.flush()).await.transpose().unwrap();
            }
        }
        batch.into_inner().await.unwrap()
    }

    /// Converts the connection to a blocking one, sends, and converts it back.
    fn cross(&mut self, ours: Ours) -> Ours {
        let mut ours = ours.into_blocking();
        for _ in 0..self.driver.random.below(4) {
            match self.driver.random.below(3) {
                0 => {
                    let made = self.make();
                    let sent = ours.try_send(&made.note());
                    self.tried(sent.map(|_| 1).map_err(|error| (0, error)));
                }
                1 => {
                    let made = self.make_many();
                    let notes: Vec<_> = made.iter().map(Made::note).collect();
                    let sent = ours.tx.send_all(&notes, Wait::Try);
                    self.tried(sent.map_err(|SendAllError { sent, error, .. }| (sent, error)));
                }
                _ => match ours.tx.flush(Wait::Try) {
                    Ok(()) | Err(SendError::WouldBlock { .. }) => {}
                    Err(other) => panic!("{other:?}"),
                },
            }
        }
        Ours::from_blocking(ours).map_err(|(_, error)| error).unwrap()
    }
}

/// Joins halves, by way of another connection.
fn joined(tx: Sender<Note<'static>>, rx: datagrammar::tokio::Receiver<Note<'static>>) -> Ours {
    let (mut ours, _) = Ours::pair().unwrap();
    (ours.tx, ours.rx) = (tx, rx);
    ours
}
