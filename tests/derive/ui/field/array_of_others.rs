use datagrammar::Message;

struct Mode(u32);

#[derive(Message)]
#[message(tag = 1)]
struct Modes([Mode; 64]);

fn main() {}
