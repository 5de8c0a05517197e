use datagrammar::{Connection, Message, Wait};

#[derive(Message)]
enum Ping {
    #[message(tag = 1)]
    Ping,
}

fn main() {
    let (_theirs, mut ours) = Connection::<Ping, Ping>::pair().unwrap();
    let frame = ours.recv().unwrap().unwrap();
    let _len = ours.rx.peek_len(Wait::Try);
    drop(frame);
}
