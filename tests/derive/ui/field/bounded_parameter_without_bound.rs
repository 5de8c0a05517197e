use datagrammar::Message;

#[derive(Message)]
enum Request<T: Clone> {
    #[message(tag = 1)]
    Put(Vec<T>),
}

#[derive(Clone)]
struct Mode;

fn main() {
    let _ = datagrammar::to_vec(&Request::Put(vec![Mode]));
}
