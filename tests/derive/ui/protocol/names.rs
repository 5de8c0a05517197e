use datagrammar::{Message, Protocol};

#[derive(Message, Protocol)]
enum Clock {
    #[message(tag = 1)]
    New,
    #[message(tag = 2)]
    SetTo(u64),
    #[message(tag = 3, name = set_to)]
    Set(u64),
    #[message(tag = 4, name = deadline)]
    Limit(u64),
    #[message(tag = 5)]
    Super,
    #[message(tag = 6, reply = u64)]
    PutAll,
    #[allow(non_camel_case_types)]
    #[message(tag = 7, reply = u64, name = put_every)]
    Put_All,
    #[message(tag = 8)]
    From,
    #[message(tag = 9, reply = u64)]
    Into,
    #[message(tag = 10)]
    TryInto(u64),
    #[message(tag = 11)]
    Clone,
    #[message(tag = 12)]
    Connect,
}

fn main() {}
