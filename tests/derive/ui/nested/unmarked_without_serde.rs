use datagrammar::Message;

#[derive(Message)]
enum Shape {
    #[message(tag = 1)]
    Circle { radius: u32 },
}

#[derive(Message)]
#[message(tag = 1)]
struct Drawing {
    shape: Shape,
}

#[derive(Message)]
#[message(tag = 1)]
struct Drawings {
    shape: Vec<Shape>,
}

fn main() {}
