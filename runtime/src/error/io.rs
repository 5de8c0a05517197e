//! Conversions to an [`io::Error`], for functions that return one.

use std::io::{self, ErrorKind};

use super::{
    AcceptError, AddressError, DecodeError, EncodeError, Error, MemoryFault, OpenError, RecvError,
    SendAllError, SendError,
};

/// An error with a matching [`ErrorKind`].
trait HasKind {
    fn kind(&self) -> ErrorKind;
}

impl HasKind for AddressError {
    fn kind(&self) -> ErrorKind {
        ErrorKind::InvalidInput
    }
}

impl HasKind for OpenError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::InUse { .. } => ErrorKind::AddrInUse,
            Self::NotHere { .. } => ErrorKind::AddrNotAvailable,
            Self::NotProbed { .. } | Self::WrongServer { .. } => ErrorKind::PermissionDenied,
            Self::NotASocket { .. } | Self::NotALock { .. } => ErrorKind::AlreadyExists,
            Self::WrongDescriptor { .. } | Self::WrongFamily { .. } => ErrorKind::InvalidInput,
            Self::Unsupported { .. } => ErrorKind::Unsupported,
            Self::Refused { .. } => ErrorKind::ConnectionRefused,
            Self::TimedOut { .. } => ErrorKind::TimedOut,
            Self::Exhausted(source) | Self::Io { source, .. } => source.kind(),
        }
    }
}

impl HasKind for AcceptError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::WouldBlock => ErrorKind::WouldBlock,
            Self::TimedOut => ErrorKind::TimedOut,
            Self::Full { .. } => ErrorKind::QuotaExceeded,
            Self::Shutdown => ErrorKind::NotConnected,
            Self::Exhausted(source) | Self::Io { source, .. } => source.kind(),
        }
    }
}

impl HasKind for RecvError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::WouldBlock => ErrorKind::WouldBlock,
            Self::TimedOut => ErrorKind::TimedOut,
            Self::TooLarge { .. } | Self::BadFragment(_) | Self::BadBundle(_) | Self::Empty => {
                ErrorKind::InvalidData
            }
            Self::OverBudget { .. } => ErrorKind::QuotaExceeded,
            Self::Incomplete { .. } => ErrorKind::UnexpectedEof,
            // By convention, callers retry after this kind.
            Self::Unfinished { .. } => ErrorKind::Interrupted,
            Self::BadMemory(fault) => fault.kind(),
            Self::DescriptorsLost { .. } => ErrorKind::Other,
            Self::Refused => ErrorKind::ConnectionRefused,
            Self::NoMemory { .. } => ErrorKind::OutOfMemory,
            Self::Shutdown => ErrorKind::NotConnected,
            Self::WrongDescriptor { .. } => ErrorKind::InvalidInput,
            Self::Io(source) => source.kind(),
        }
    }
}

impl HasKind for SendError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::WouldBlock { .. } | Self::Full { .. } => ErrorKind::WouldBlock,
            Self::TimedOut { .. } => ErrorKind::TimedOut,
            Self::Closed | Self::Disconnected => ErrorKind::BrokenPipe,
            Self::Refused => ErrorKind::ConnectionRefused,
            Self::NoAddress => ErrorKind::AddrNotAvailable,
            Self::DescriptorsRefused { .. } => ErrorKind::PermissionDenied,
            Self::Encode(_)
            | Self::TooLarge { .. }
            | Self::NoDescriptors { .. }
            | Self::TooManyDescriptors { .. }
            | Self::DescriptorsTaken { .. }
            | Self::WrongFamily { .. } => ErrorKind::InvalidInput,
            Self::Io { source, .. } => source.kind(),
        }
    }
}

impl HasKind for SendAllError {
    fn kind(&self) -> ErrorKind {
        self.error.kind()
    }
}

impl HasKind for DecodeError {
    fn kind(&self) -> ErrorKind {
        match self {
            // The caller chose the message type and the frame.
            Self::DescriptorsTaken { .. } | Self::BorrowedFd(_) => ErrorKind::InvalidInput,
            _ => ErrorKind::InvalidData,
        }
    }
}

impl HasKind for EncodeError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Fd(source) => source.kind(),
            _ => ErrorKind::InvalidInput,
        }
    }
}

impl HasKind for MemoryFault {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Io(source) => source.kind(),
            _ => ErrorKind::InvalidData,
        }
    }
}

macro_rules! convert {
    ($($error:ty)*) => {$(
        /// Keeps the error as the inner one, with the matching kind.
        impl From<$error> for io::Error {
            fn from(error: $error) -> Self {
                Self::new(error.kind(), error)
            }
        }
    )*};
}

convert! {
    AcceptError AddressError DecodeError EncodeError MemoryFault OpenError RecvError SendAllError SendError
}

/// Returns an [`io::Error`] as it is. Keeps any other error as the inner one, with the matching kind.
impl From<Error> for io::Error {
    fn from(error: Error) -> Self {
        match error {
            Error::Address(error) => error.into(),
            Error::Open(error) => error.into(),
            Error::Accept(error) => error.into(),
            Error::Recv(error) => error.into(),
            Error::Send(error) => error.into(),
            Error::SendAll(error) => error.into(),
            Error::Decode(error) => error.into(),
            Error::Encode(error) => error.into(),
            Error::Memory(error) => error.into(),
            Error::Io(error) => error,
        }
    }
}
