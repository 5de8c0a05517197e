use datagrammar::Message;

#[derive(Message)]
#[message(reserved(1), tag = 3, extensible = true)]
enum Request<'a> {
    Ping,
    #[message(tag = 1)]
    Stop,
    #[message(tag = 2)]
    Get(#[message(rest)] &'a str, &'static str),
    #[message(tag = 2, rename = "put")]
    Put {
        #[message(default)]
        mode: u32,
        owner: u32,
        #[message(tag = 9)]
        group: u32,
    },
    #[message(other)]
    Unknown(u32),
}

fn main() {}
