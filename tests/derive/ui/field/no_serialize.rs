use datagrammar::Message;

#[derive(serde::Deserialize)]
struct Mode(u32);

#[derive(Message)]
enum Request {
    #[message(tag = 1)]
    Put(String, Mode),
}

fn main() {}
