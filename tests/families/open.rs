//! How the two ends of each family are opened.

use std::io;
use std::os::fd::{AsFd as _, OwnedFd};
use std::process::{self, Command, Stdio};
use std::thread;

use datagrammar::{Address, Listener, OpenError, Socket};
use datagrammar_tests::Directory;

use crate::link::{Addressed, Connected, Link};
use crate::talk::{Talk, Tally, converse, serve};

/// The CID of this machine itself, and the port for any port (vsock(7)).
const VMADDR_CID_LOCAL: u32 = 1;
const VMADDR_PORT_ANY: u32 = u32::MAX;

pub(crate) fn unix_pair() -> Result<Tally, OpenError> {
    let (ours, theirs) = Connected::pair()?;
    Ok(in_threads(ours, theirs))
}

pub(crate) fn unix_path() -> Result<Tally, OpenError> {
    listening(&Directory::new().address("listener"))
}

pub(crate) fn unix_abstract_name() -> Result<Tally, OpenError> {
    let name = format!("datagrammar-families-{}", process::id());
    listening(&Address::from_abstract_name(name).unwrap())
}

pub(crate) fn vsock() -> Result<Tally, OpenError> {
    listening(&Address::vsock(VMADDR_CID_LOCAL, VMADDR_PORT_ANY))
}

/// The other process is this program again. Its standard input is one end of a connection.
pub(crate) fn two_processes() -> Result<Tally, OpenError> {
    let (mut ours, theirs) = Connected::pair()?;
    let theirs: OwnedFd = theirs.into_fd().unwrap().0;
    let mut server = Command::new(std::env::current_exe().unwrap())
        .arg("serve")
        .stdin(Stdio::from(theirs))
        .spawn()
        .unwrap();
    let tally = converse(&mut ours);
    assert!(server.wait().unwrap().success());
    Ok(tally)
}

/// The other process of [`two_processes`].
pub(crate) fn serve_inherited() {
    let fd = io::stdin().as_fd().try_clone_to_owned().unwrap();
    serve(&mut Connected::adopt(fd).unwrap());
}

pub(crate) fn unix_datagrams() -> Result<Tally, OpenError> {
    let directory = Directory::new();
    addressed(&directory.address("asks"), &directory.address("answers"))
}

pub(crate) fn udp() -> Result<Tally, OpenError> {
    let any_port: Address = "udp:127.0.0.1:0".parse().unwrap();
    addressed(&any_port, &any_port)
}

/// A conversation with a listener at `address`.
fn listening(address: &Address) -> Result<Tally, OpenError> {
    let listener = Listener::<Talk<'_>, Talk<'_>>::bind(address)?;
    let ours = Connected::connect(&listener.local_addr().unwrap())?;
    let theirs = listener.accept().expect("a client");
    Ok(in_threads(ours, theirs))
}

/// A conversation between sockets that are bound.
fn addressed(asks: &Address, answers: &Address) -> Result<Tally, OpenError> {
    let open = |address: &Address| -> Result<Addressed, OpenError> {
        let socket = Socket::bind(address)?;
        let peer = socket.local_addr().unwrap();
        Ok(Addressed { socket, peer })
    };
    let (mut ours, theirs) = (open(asks)?, open(answers)?);
    ours.peer = theirs.peer;
    Ok(in_threads(ours, theirs))
}

fn in_threads<L: Link + Send>(mut ours: L, mut theirs: L) -> Tally {
    // This owns both ends, so that a failure of one side ends the connection, and with it the other side.
    thread::scope(move |scope| {
        scope.spawn(move || serve(&mut theirs));
        converse(&mut ours)
    })
}
