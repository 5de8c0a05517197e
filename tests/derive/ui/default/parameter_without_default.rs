use datagrammar::Message;

#[derive(Message)]
enum Request<T> {
    #[message(tag = 1)]
    Put(#[message(default)] T),
}

#[derive(serde::Serialize, serde::Deserialize)]
struct Mode;

fn main() {
    let _ = datagrammar::to_vec(&Request::Put(Mode));
}
