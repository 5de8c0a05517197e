use datagrammar::{Connection, Message, Wait};

#[derive(Message)]
enum Text<'a> {
    #[message(tag = 1)]
    Line(&'a str),
}

fn main() {
    let (_theirs, mut ours) = Connection::<Text<'static>, Text<'static>>::pair().unwrap();
    let mut frame = ours.rx.recv_owned(Wait::Block).unwrap().unwrap();
    let Text::Line(line) = frame.decode().unwrap();
    drop(frame);
    println!("{line}");
}
