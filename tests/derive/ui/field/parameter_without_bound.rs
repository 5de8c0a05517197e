use datagrammar::Message;

#[derive(Message)]
enum Request<T> {
    #[message(tag = 1)]
    Put(T),
}

struct Mode;

fn main() {
    let _ = datagrammar::to_vec(&Request::Put(Mode));
}
