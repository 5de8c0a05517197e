use datagrammar::{Connection, Message};

#[derive(Message)]
enum Ping {
    #[message(tag = 1)]
    Ping,
}

fn main() {
    let (_theirs, ours) = Connection::<Ping, Ping>::pair().unwrap();
    let (_sender, mut receiver) = ours.split();
    let frame = receiver.recv().unwrap().unwrap();
    drop(receiver);
    drop(frame);
}
