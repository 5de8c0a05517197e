//! AF_VSOCK: a connection to oneself where the kernel can, and a clear error where it cannot.

use datagrammar::{Address, Connection, Listener, OpenError};
use datagrammar_tests::{Numbered, numbered, skipped};

type Ours = Connection<Numbered<'static>, Numbered<'static>>;

/// The CID that is this machine itself (vsock(7), VMADDR_CID_LOCAL).
const LOCAL: u32 = 1;

#[test]
fn vsock_works_or_says_why_not() {
    let address = Address::vsock(LOCAL, 40_000 + std::process::id() % 10_000);
    let listener = match Listener::<Numbered<'_>, Numbered<'_>>::bind(&address) {
        Ok(listener) => listener,
        Err(error) => return explains(&error),
    };
    let mut client = match Ours::connect(&address) {
        Ok(client) => client,
        Err(error) => return explains(&error),
    };
    let mut server = listener.accept().unwrap();
    for (number, len) in [(0, 1), (1, 1_000), (2, 60_000)] {
        numbered(number, len, |frame| client.send(frame)).unwrap();
        assert_eq!(server.recv().unwrap().expect("a frame").decode().unwrap().check(), number);
    }
    drop(client);
    assert!(server.recv().unwrap().is_none());
}

/// The kernel has no vsock, or none that reaches itself: the error says so.
fn explains(error: &OpenError) {
    skipped(format_args!("no vsock loopback here: {error}"));
    match error {
        OpenError::Unsupported { .. } => {
            assert!(error.to_string().contains("AF_VSOCK"), "{error}");
        }
        OpenError::Io { .. } | OpenError::NotHere { .. } | OpenError::Refused { .. } => {}
        other => panic!("{other:?}"),
    }
}
