use datagrammar::Message;

#[derive(Message)]
#[repr(u32)]
enum Request {
    Ping = 1,
    Stop = 2,
}

fn main() {}
