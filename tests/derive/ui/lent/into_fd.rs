use datagrammar::{Connection, Message};

#[derive(Message)]
enum Ping {
    #[message(tag = 1)]
    Ping,
}

fn main() {
    let (_theirs, mut ours) = Connection::<Ping, Ping>::pair().unwrap();
    let frame = ours.recv().unwrap().unwrap();
    let _fd = ours.into_fd();
    drop(frame);
}
