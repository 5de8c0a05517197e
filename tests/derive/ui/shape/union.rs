use datagrammar::Message;

#[derive(Message)]
#[message(tag = 1)]
union Word {
    int: u32,
    float: f32,
}

fn main() {}
