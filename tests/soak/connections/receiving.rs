//! Receives in every way.

use std::fs::File;
use std::os::fd::AsRawFd as _;
use std::time::{Duration, Instant};

use datagrammar::{RecvError, Wait};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::expected::Came;
use super::{Model, Received};

impl Model {
    /// Receives while the process may open no descriptor.
    pub(super) fn starve(&mut self, at: usize) {
        // The descriptors may belong to a frame that only the replaced receiver knows.
        if self.ends[1 - at].sent.0.front().is_some_and(|first| first.is_orphaned) {
            return;
        }
        // The next descriptor to be opened gets this number.
        let probe = File::open("/proc/version").unwrap();
        let next = probe.as_raw_fd() as u64;
        drop(probe);
        let before = getrlimit(Resource::Nofile);
        let lowered = Rlimit { current: Some(next), maximum: before.maximum };
        setrlimit(Resource::Nofile, lowered).unwrap();
        let received = self.ends[at].ours.as_mut().unwrap().rx.recv_owned(Wait::Try);
        setrlimit(Resource::Nofile, before).unwrap();
        if let Err(RecvError::DescriptorsLost { received: 0, .. }) = received {
            return self.ends[1 - at].sent.lose_descriptors();
        }
        self.check(at, received);
    }

    pub(super) fn peek(&mut self, at: usize) {
        let wait = self.wait();
        match self.ends[at].ours.as_mut().unwrap().rx.peek_len(wait) {
            Ok(len) => {
                len.expect("no end");
                assert!(!self.ends[1 - at].sent.0.is_empty());
            }
            Err(RecvError::WouldBlock | RecvError::TimedOut) => {
                assert!(!self.ends[1 - at].sent.is_there(), "a message is there");
            }
            Err(other) => panic!("{other:?}"),
        }
    }

    pub(super) fn receive(&mut self, at: usize) {
        let is_there = self.ends[1 - at].sent.is_there();
        let form = self.random.below(5);
        let wait = match form {
            0 if is_there => Wait::Block,
            1 if is_there => Wait::Until(Instant::now() + Duration::from_secs(60)),
            2 => Wait::Until(Instant::now()),
            _ => Wait::Try,
        };
        let ours = self.ends[at].ours.as_mut().unwrap();
        let received = match (form, wait) {
            (4, _) => ours.rx.recv_owned(wait),
            (_, Wait::Block) => ours.recv().map(|frame| frame.map(|frame| frame.into_owned())),
            (_, Wait::Try) => ours.try_recv().map(|frame| frame.map(|frame| frame.into_owned())),
            (_, Wait::Until(deadline)) => {
                let received = ours.recv_deadline(deadline);
                received.map(|frame| frame.map(|frame| frame.into_owned()))
            }
        };
        self.check(at, received);
    }

    /// Checks the result of a receive.
    pub(super) fn check(&mut self, at: usize, received: Received) {
        let (limit, has_budget) = (self.ends[at].limit, self.budget.is_some());
        let came = self.ends[1 - at].sent.check(received, limit, has_budget);
        self.ends[at].is_interrupted = came == Came::Incomplete;
    }
}
