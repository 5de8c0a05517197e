//! Changes that the reactor does not report.

use std::net::UdpSocket;
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::time::{Duration, Instant};

use datagrammar::RecvError;
use datagrammar::tokio::Socket;
use datagrammar_tests::{Numbered, numbered, raw};

type OursAlone = Socket<Numbered<'static>, Numbered<'static>>;

#[tokio::test]
async fn h04_an_error_that_the_reactor_does_not_report_costs_no_frame() {
    let (_taken, closed) = raw::closed_port();
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let on: libc::c_int = 1;
    let len = size_of_val(&on) as libc::socklen_t;
    // SAFETY: the pointer is to an integer of that length, which is borrowed for the call.
    let set = unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            libc::SOL_IP,
            libc::IP_RECVERR,
            (&raw const on).cast(),
            len,
        )
    };
    assert_eq!(set, 0);
    let mut ours = OursAlone::adopt(OwnedFd::from(socket)).unwrap();
    let to = format!("udp:{closed}").parse().unwrap();
    numbered(1, 10, |frame| ours.try_send_to(frame, &to)).unwrap();
    // No event comes for the error alone. A check of the socket finds it, including the one at a deadline.
    let late = Instant::now() + Duration::from_millis(50);
    let refused = ours.recv_from_deadline(late).await.unwrap_err();
    assert!(matches!(refused, RecvError::Refused), "{refused:?}");

    // And a frame comes after it.
    numbered(1, 10, |frame| ours.try_send_to(frame, &to)).unwrap();
    let own = ours.local_addr().unwrap();
    let mut sender = OursAlone::unbound(&own).unwrap();
    numbered(2, 10, |frame| sender.try_send_to(frame, &own)).unwrap();
    let refused = ours.recv_from().await.unwrap_err();
    assert!(matches!(refused, RecvError::Refused), "{refused:?}");
    assert_eq!(ours.recv_from().await.unwrap().0.decode().unwrap().check(), 2);
}
