use datagrammar::{Message, Protocol, calls, tokio};

#[derive(Message, Protocol)]
enum Blobs<'a> {
    #[message(tag = 1, reply = u64)]
    Put { name: &'a str, content: &'a [u8] },
    #[message(tag = 2)]
    Remove(&'a str),
}

struct WithoutContext;

impl BlobsHandler for WithoutContext {
    fn put(&self, name: &str, content: &[u8]) -> u64 {
        (name.len() + content.len()) as u64
    }

    fn remove(&self, _: &calls::Context) {}
}

struct NotAsync;

impl BlobsTokioHandler for NotAsync {
    fn put(&self, _: &tokio::calls::Context, name: &str, content: &[u8]) -> u64 {
        (name.len() + content.len()) as u64
    }

    fn remove(&self, _: &tokio::calls::Context, _: &str) {}
}

struct Mutable(u64);

impl BlobsHandler for Mutable {
    fn put(&mut self, _: &calls::Context, _: &str, _: &[u8]) -> u64 {
        self.0 += 1;
        self.0
    }

    fn remove(&self, _: &calls::Context, _: &str) {}
}

fn main() {}
