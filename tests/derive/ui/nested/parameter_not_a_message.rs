use datagrammar::Message;

#[derive(Message)]
#[message(tag = 1)]
struct Envelope<M> {
    id: u64,
    #[message(nested, rest)]
    body: M,
}

struct Mode;

fn main() {
    let _ = datagrammar::to_vec(&Envelope { id: 1, body: Mode });
}
