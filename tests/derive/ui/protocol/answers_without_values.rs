use datagrammar::{Message, Protocol};

#[derive(Message)]
#[message(tag = 1)]
struct Line(String);

#[derive(Message, Protocol)]
enum Files {
    #[message(tag = 1, reply = str)]
    Name,
    #[message(tag = 2, reply = Result<[u8], Box<dyn std::error::Error>>)]
    Content,
    #[message(tag = 3, reply = impl Iterator<Item = Line>)]
    Lines,
    #[message(tag = 4, items = Vec<Line>)]
    Watch,
    #[message(tag = 5, items = Result<Line, String>)]
    Check,
    #[message(tag = 6, items = [Line])]
    Grep,
    #[message(tag = 7, items = impl Message)]
    Find,
    #[message(tag = 8, items = str)]
    Names,
}

fn main() {}
