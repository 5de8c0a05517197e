//! Frees the memory of a queue that has not been used for a while.

use std::mem;
use std::pin::Pin;
use std::task::Context;
use std::time::Duration;

use ::tokio::time::{Instant, Sleep, sleep_until};

use super::shared::{Aftermath, Shared};

/// Memory is freed after one to two periods without a message.
const PERIOD: Duration = Duration::from_secs(1);

/// Detects that a queue is idle. A busy queue sets one timer in each period.
#[derive(Debug, Default)]
pub(super) struct Idle {
    timer: Option<Pin<Box<Sleep>>>,
    is_armed: bool,
    is_used: bool,
}

impl Idle {
    /// Notes that the queue is used.
    #[inline]
    pub(super) fn touch(&mut self) {
        self.is_used = true;
    }

    /// Polls the timer, while nothing is queued and there is memory to free.
    pub(super) fn poll(
        &mut self,
        cx: &mut Context<'_>,
        shared: &Shared,
        aftermath: &mut Aftermath,
    ) {
        loop {
            if !self.is_armed {
                let end = Instant::now() + PERIOD;
                match &mut self.timer {
                    Some(timer) => timer.as_mut().reset(end),
                    None => self.timer = Some(Box::pin(sleep_until(end))),
                }
                (self.is_armed, self.is_used) = (true, false);
            }
            let Some(timer) = &mut self.timer else { return };
            if timer.as_mut().poll(cx).is_pending() {
                return;
            }
            self.is_armed = false;
            if !mem::take(&mut self.is_used) {
                return shared.shrink(aftermath);
            }
        }
    }
}
