//! The system calls. Only this module uses libc and `unsafe`. It returns [`std::io::Error`]s, and takes and
//! returns owned or borrowed descriptors, never numbers.
//!
//! A name with a number, such as recv(2), is a page of the Linux manual: <https://man7.org/linux/man-pages/>.

#![allow(unsafe_code)]

mod child;
mod control;
mod errno;
mod fs;
mod identity;
mod inherit;
mod kind;
mod lane;
mod listener;
mod memfd;
mod memory;
mod name;
mod options;
mod permit;
mod poll;
mod process;
mod random;
#[cfg(feature = "tokio")]
mod reactor;
mod recv;
mod recv_state;
mod send;
mod socket;
mod whole;

pub(crate) use self::child::{ChildState, kill, wait_for};
pub(crate) use self::control::{Ancillary, MAX_DESCRIPTORS};
pub(crate) use self::errno::{
    EACCES, EALREADY, EINPROGRESS, EMSGSIZE, ENOTSOCK, EPERM, EPROTOTYPE, ETOOMANYREFS,
    is_exhausted, is_of_destination, is_unsupported,
};
pub(crate) use self::fs::{
    O_NOFOLLOW, O_NONBLOCK, O_PATH, file_system, rename_noreplace, set_mode_nofollow,
};
pub(crate) use self::identity::Credentials;
pub(crate) use self::inherit::{empty_stdin, inherit_only_stdio, take_inherited};
pub(crate) use self::kind::Kind;
pub(crate) use self::lane::{LANE_LEN, Lane};
pub(crate) use self::listener::{ListenerFd, Wakeup};
pub(crate) use self::memfd::{Mapping, TMPFS, first_hole, memfd, missing_seals, seal};
pub(crate) use self::memory::populate;
pub(crate) use self::name::{Name, SUN_PATH, View};
pub(crate) use self::options::{accept_descriptors, drops, inspect, set_buffers, set_send_timeout};
pub(crate) use self::permit::{InUse, Permit};
pub(crate) use self::poll::{Readiness, has_hung_up, wait};
pub(crate) use self::process::{effective_uid, open_file_limit, own_pidfd_inode, pidfd_open};
pub(crate) use self::random::random;
#[cfg(feature = "tokio")]
pub(crate) use self::reactor::{register, register_duplicate};
pub(crate) use self::recv::{Peeked, Scatter, peek, peek_len, recv};
pub(crate) use self::recv_state::{RecvState, recv_state};
pub(crate) use self::send::send;
pub(crate) use self::socket::{DatagramFd, bind, local_name};
pub(crate) use self::whole::send_whole;
