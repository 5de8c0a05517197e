use std::rc::Rc;

use datagrammar::tokio::calls::Context;
use datagrammar::{Message, Protocol};

#[derive(Message, Protocol)]
enum Blobs<'a> {
    #[message(tag = 1, reply = u64)]
    Put(&'a str),
}

struct Store;

impl BlobsTokioHandler for Store {
    async fn put(&self, _: &Context, value: &str) -> u64 {
        let name = Rc::<str>::from(value);
        std::future::ready(()).await;
        name.len() as u64
    }
}

fn main() {}
