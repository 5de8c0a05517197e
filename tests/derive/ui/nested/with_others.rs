use datagrammar::Message;

#[derive(Message)]
enum Shape {
    #[message(tag = 1)]
    Empty,
}

#[derive(Message)]
enum Drawing<'a> {
    #[message(tag = 1)]
    Fd(#[message(nested, fd)] Shape),
    #[message(tag = 2)]
    With(#[message(nested, with = shape)] Shape),
    #[message(tag = 3)]
    Rest(#[message(nested, rest)] Option<Shape>),
    #[message(tag = 4)]
    Static(#[message(nested)] Lent<'static>, &'a str),
    #[message(tag = 5)]
    NotLast(#[message(nested, rest)] Shape, u8),
}

#[derive(Message)]
#[message(tag = 1)]
struct Lent<'a>(&'a str);

fn main() {}
