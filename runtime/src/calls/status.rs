//! The statuses of replies and the credit of items, as on the wire.

use crate::error::{CallError, RecvError};

/// How many items a server may send before it gets more credit.
pub(crate) const CREDIT: u32 = 16;

/// How a call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Status {
    /// With an answer, or with all items.
    Done = 0,
    NotSupported = 1,
    Malformed = 2,
    Failed = 3,
    Cancelled = 4,
    TimedOut = 5,
    Busy = 6,
    Stopping = 7,
    TooLarge = 8,
}

impl Status {
    /// Returns the status of a number. An unknown one, of a newer server, is a failure.
    pub(crate) fn new(number: u32) -> Self {
        let all = [
            Self::Done,
            Self::NotSupported,
            Self::Malformed,
            Self::Failed,
            Self::Cancelled,
            Self::TimedOut,
            Self::Busy,
            Self::Stopping,
            Self::TooLarge,
        ];
        all.into_iter().find(|status| *status as u32 == number).unwrap_or(Self::Failed)
    }

    /// Returns the status that gives a caller this error.
    pub(crate) fn of_error(error: &CallError) -> Self {
        match error {
            CallError::NotSupported => Self::NotSupported,
            CallError::Malformed => Self::Malformed,
            CallError::Cancelled => Self::Cancelled,
            CallError::TimedOut => Self::TimedOut,
            CallError::Busy => Self::Busy,
            CallError::Stopping => Self::Stopping,
            CallError::TooLarge => Self::TooLarge,
            _ => Self::Failed,
        }
    }

    /// Returns the status of a request that was not received.
    pub(crate) fn of_refused(error: &RecvError) -> Self {
        match error {
            RecvError::TooLarge { .. } => Self::TooLarge,
            RecvError::OverBudget { .. }
            | RecvError::NoMemory { .. }
            | RecvError::DescriptorsLost { .. } => Self::Busy,
            _ => Self::Malformed,
        }
    }

    /// Returns the error of a call that ended like this. `None` if it has an answer.
    pub(crate) fn into_error(self) -> Option<CallError> {
        Some(match self {
            Self::Done => return None,
            Self::NotSupported => CallError::NotSupported,
            Self::Malformed => CallError::Malformed,
            Self::Failed => CallError::Failed,
            Self::Cancelled => CallError::Cancelled,
            Self::TimedOut => CallError::TimedOut,
            Self::Busy => CallError::Busy,
            Self::Stopping => CallError::Stopping,
            Self::TooLarge => CallError::TooLarge,
        })
    }
}
