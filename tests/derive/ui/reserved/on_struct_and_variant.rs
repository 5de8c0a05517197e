use datagrammar::Message;

#[derive(Message)]
#[message(tag = 1, reserved(2))]
struct Beat;

#[derive(Message)]
enum Request {
    #[message(tag = 1, reserved(2))]
    Ping,
}

fn main() {}
