use datagrammar::calls::Context;
use datagrammar::{Message, Protocol};

#[derive(Message)]
#[message(tag = 1)]
struct Blob<'a>(#[message(rest)] &'a [u8]);

#[derive(Message, Protocol)]
enum Blobs {
    #[message(tag = 1, reply = Blob<'_>)]
    Get(u64),
    #[message(tag = 2, items = Blob<'_>)]
    List,
}

struct Store;

impl BlobsHandler for Store {
    fn get(&self, _: &Context, _: u64) {}

    fn list(&self, _: &Context) {}
}

fn main() {}
