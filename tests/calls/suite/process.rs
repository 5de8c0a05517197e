//! A client or a server of the suite in a process of its own: `serve KIND VERSION [ADDRESS]` and `call KIND CASE
//! [ADDRESS]`. Without an address, it inherits its connection. Or both sides, to measure their memory: `untaken CLIENT
//! SERVER` and `unreceived SERVER`.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a panic is how a test fails")]
#![expect(dead_code, reason = "the tests have more to do with it")]

#[cfg(feature = "tokio")]
mod awaited;
mod blocking;
mod cases;
mod endings;
mod ends;
mod protocol;
mod unread;

use std::env;
use std::panic;

use datagrammar_tests::within;

use self::cases::CASES;
use self::ends::{End, Kind, Version};

fn main() {
    let report = panic::take_hook();
    panic::set_hook(Box::new(move |info| match info.payload_as_str() {
        Some("as asked") => {}
        _ => report(info),
    }));
    let arguments: Vec<_> = env::args().skip(1).collect();
    within(&format!("the end of {arguments:?}"), move || run(&arguments));
}

fn run(arguments: &[String]) {
    match arguments {
        [check, client, server] if check == "untaken" => {
            return unread::untaken(kind(client), kind(server));
        }
        [check, server] if check == "unreceived" => return unread::unreceived(kind(server)),
        _ => {}
    }
    let [side, name, what, address @ ..] = arguments else { panic!("{arguments:?}") };
    let kind = kind(name);
    let end = match address {
        [address] => End::At(address.parse().unwrap()),
        _ => End::Inherited,
    };
    if side == "call" {
        let case = CASES.iter().find(|case| case.name == what).unwrap();
        return (case.run)(kind, end);
    }
    let version = if what == Version::Old.name() { Version::Old } else { Version::New };
    kind.serve(version, Default::default(), end, || println!("ready"));
}

fn kind(name: &str) -> Kind {
    match name {
        #[cfg(feature = "tokio")]
        "awaited" => Kind::Awaited,
        _ => Kind::Blocking,
    }
}
