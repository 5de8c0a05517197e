use datagrammar::{Connection, Message};

#[derive(Message)]
enum Ping {
    #[message(tag = 1)]
    Ping,
}

fn main() {
    let (_theirs, mut ours) = Connection::<Ping, Ping>::pair().unwrap();
    let frames = ours.recv_batch().unwrap().unwrap();
    let _len = ours.peek_len();
    drop(frames);
}
