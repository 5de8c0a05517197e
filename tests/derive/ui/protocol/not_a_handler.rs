use std::sync::Arc;

use datagrammar::calls::{Context, Service};
use datagrammar::{Message, Protocol};

#[derive(Message, Protocol)]
enum Sums {
    #[message(tag = 1, reply = u64)]
    Add { left: u64, right: u64 },
}

struct Adder;

impl SumsHandler for Adder {
    fn add(&self, _: &Context, left: u64, right: u64) -> u64 {
        left + right
    }
}

fn serve(_: impl Service) {}

fn main() {
    serve(SumsService(Arc::new(Adder)));
}
