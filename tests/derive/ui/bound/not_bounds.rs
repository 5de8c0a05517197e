use datagrammar::Message;

#[derive(Message)]
#[message(tag = 1, bound = "T Clone")]
struct One<T>(T);

#[derive(Message)]
#[message(tag = 1, bound = T)]
struct Two<T>(T);

#[derive(Message)]
#[message(tag = 1)]
struct Three<T>(#[message(bound)] T);

fn main() {}
