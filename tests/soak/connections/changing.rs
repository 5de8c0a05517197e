//! Changes an end: adopts its descriptor again, awaits for a while, or sets another limit.

use std::time::Duration;

use datagrammar::{Limits, tokio as awaited};

use super::{Model, Ours};

impl Model {
    /// Adopts the descriptor of an end in a new one, with the unread datagrams. Drops a pending rest.
    pub(super) fn hand_over(&mut self, at: usize) {
        // Unread datagrams would lose their descriptors.
        if self.ends[at].is_interrupted {
            return;
        }
        let ours = self.ends[at].ours.take().unwrap();
        if self.random.below(2) == 0 && ours.tx.pending() > 0 {
            self.ends[at].ours = Some(ours);
            return;
        }
        let (fd, unread) = ours.into_fd().unwrap();
        let mut ours = Ours::adopt_with(fd, &self.options).unwrap();
        ours.rx.restore(unread);
        ours.rx.set_limits(Limits::new().frame_len(self.ends[at].limit));
        self.ends[at].ours = Some(ours);
        self.ends[at].sent.tear();
        self.ends[1 - at].sent.orphan();
    }

    /// Converts an end to an awaited connection, receives, and converts it back.
    pub(super) fn cross(&mut self, at: usize) {
        let ours = self.ends[at].ours.take().unwrap();
        let runtime = self.runtime.handle().clone();
        let mut ours = {
            let _entered = runtime.enter();
            awaited::Connection::from_blocking(ours).map_err(|(_, error)| error).unwrap()
        };
        for _ in 0..self.random.below(4) {
            let is_owned = self.random.below(2) == 0;
            let received = self.runtime.block_on(async {
                let received = async {
                    match is_owned {
                        true => ours.rx.recv_owned().await,
                        false => Ok(ours.recv().await?.map(|frame| frame.into_owned())),
                    }
                };
                tokio::time::timeout(Duration::ZERO, received).await
            });
            // The reactor may not have reported the frame yet.
            let Ok(received) = received else { continue };
            self.check(at, received);
        }
        let _entered = runtime.enter();
        self.ends[at].ours = Some(ours.into_blocking());
    }

    pub(super) fn set_limit(&mut self, at: usize) {
        let limit = [100, 2000, 100_000, 16 << 20][self.random.below(4) as usize];
        let end = &mut self.ends[at];
        end.limit = limit;
        end.ours.as_mut().unwrap().rx.set_limits(Limits::new().frame_len(limit));
    }
}
