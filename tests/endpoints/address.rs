//! Addresses: text to address and back, and errors for invalid text.

use std::ffi::OsStr;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use datagrammar::{Address, AddressError, DecodeError, EncodeError, Message, Socket, to_vec};
use proptest::prelude::*;

proptest! {
    #[test]
    fn paths_round_trip(bytes in prop::collection::vec(1..=u8::MAX, 1..=108)) {
        let path = Path::new(OsStr::from_bytes(&bytes));
        let address = Address::from_pathname(path).unwrap();
        prop_assert_eq!(address.as_pathname(), Some(path));
        prop_assert_eq!(address.to_string().parse::<Address>().unwrap(), address);
    }

    #[test]
    fn abstract_names_round_trip(bytes in prop::collection::vec(any::<u8>(), 1..=107)) {
        let address = Address::from_abstract_name(&bytes).unwrap();
        prop_assert_eq!(address.as_abstract_name(), Some(&bytes[..]));
        prop_assert_eq!(address.to_string().parse::<Address>().unwrap(), address);
    }

    #[test]
    fn ports_round_trip(inet: std::net::SocketAddr, cid: u32, port: u32) {
        let udp = Address::from(inet);
        prop_assert_eq!(udp.to_string().parse::<Address>().unwrap(), udp);
        let kept = udp.as_udp().unwrap();
        prop_assert_eq!((kept.ip(), kept.port()), (inet.ip(), inet.port()));
        let vsock = Address::vsock(cid, port);
        prop_assert_eq!(vsock.to_string().parse::<Address>().unwrap(), vsock);
        prop_assert_eq!(vsock.as_vsock(), Some((cid, port)));
    }

    #[test]
    fn no_text_panics(text: String) {
        for family in ["", "unix:", "unix:@", "vsock:", "udp:"] {
            if let Ok(address) = format!("{family}{text}").parse::<Address>() {
                prop_assert_eq!(address.to_string().parse::<Address>().unwrap(), address);
            }
        }
    }
}

#[test]
fn mistakes_are_named() {
    let error = |text: &str| text.parse::<Address>().unwrap_err();
    for text in ["", "unix", "/run/a.sock", "tcp:127.0.0.1:80", "UNIX:/a", " unix:/a"] {
        assert!(matches!(error(text), AddressError::UnknownFamily { .. }), "{text}");
    }
    assert!(matches!(error("unix:"), AddressError::NoName));
    assert!(matches!(error("unix:@"), AddressError::NoName));
    assert!(matches!(error("unix:/a%"), AddressError::BadEscape { at: 2 }));
    assert!(matches!(error("unix:/a%0"), AddressError::BadEscape { at: 2 }));
    assert!(matches!(error("unix:/%41%zz"), AddressError::BadEscape { at: 4 }));
    assert!(matches!(error("unix:@%+1"), AddressError::BadEscape { .. }));
    assert!(matches!(error("unix:/a%00b"), AddressError::NulInPath { at: 2 }));
    for text in ["vsock:", "vsock:2", "vsock:2:", "vsock:2:x", "vsock:-1:2", "vsock:4294967296:1"] {
        assert!(matches!(error(text), AddressError::Vsock { .. }), "{text}");
    }
    for text in ["udp:", "udp:localhost:1", "udp:127.0.0.1", "udp:127.0.0.1:65536", "udp:::1:1"] {
        assert!(matches!(error(text), AddressError::Udp { .. }), "{text}");
    }
    let long = error(&format!("unix:/{}", "x".repeat(108)));
    assert_eq!(
        long.to_string(),
        "a unix path of 109 bytes is longer than the 108 bytes of a socket address: choose a shorter one",
    );
    assert!(matches!(long, AddressError::TooLong { kind: "path", len: 109, max: 108 }));
    assert!(format!("unix:@{}", "x".repeat(107)).parse::<Address>().is_ok());
}

#[test]
fn odd_names_are_printed_readably() {
    for (address, text) in [
        (Address::from_pathname("/run/a b.sock").unwrap(), "unix:/run/a b.sock"),
        (Address::from_pathname("/100%").unwrap(), "unix:/100%25"),
        (Address::from_pathname("@relative").unwrap(), "unix:%40relative"),
        (Address::from_abstract_name(b"\0a\xff\n").unwrap(), "unix:@%00a%ff%0a"),
        (Address::from_pathname("/caf\u{e9}").unwrap(), "unix:/caf\u{e9}"),
    ] {
        assert_eq!(address.to_string(), text);
        assert_eq!(text.parse::<Address>().unwrap(), address);
    }
}

/// A configuration with the address of a service.
#[derive(Message, Debug, PartialEq)]
#[message(tag = 1)]
struct Found {
    at: Vec<Address>,
}

#[test]
fn addresses_travel_as_text() {
    let texts = ["unix:/run/a%25b.sock", "unix:@a b", "vsock:2:9000", "udp:[fe80::1%3]:53"];
    let found = Found { at: texts.iter().map(|text| text.parse().unwrap()).collect() };
    let frame = to_vec(&found).unwrap();
    let text: Vec<u8> =
        texts.iter().flat_map(|text| [&[text.len() as u8], text.as_bytes()].concat()).collect();
    assert_eq!(frame, [&[1, 4], &text[..]].concat());
    assert_eq!(Found::decode(&frame).unwrap(), found);
}

#[test]
fn what_is_no_address_does_not_travel() {
    let error = Found::decode(b"\x01\x01\x05tcp:1").unwrap_err();
    assert!(matches!(&error, DecodeError::Field { field: "Found.at", .. }), "{error:?}");
    assert!(error.to_string().contains("`tcp:1` is not an address: expected"), "{error}");
    assert!(Found::decode(b"\x01\x01\x09(unnamed)").is_err());

    // The address of a sender that was never bound.
    let receiver = Socket::<Found, Found>::bind(
        &format!("unix:@datagrammar-test-unnamed-{}", std::process::id()).parse().unwrap(),
    );
    let mut receiver = receiver.unwrap();
    let name = receiver.local_addr().unwrap();
    let sender = std::os::unix::net::UnixDatagram::unbound().unwrap();
    let name = std::os::unix::net::SocketAddr::from_abstract_name(name.as_abstract_name().unwrap());
    sender.send_to_addr(&[1, 0], &name.unwrap()).unwrap();
    let (_, from) = receiver.recv_from().unwrap();
    assert!(from.is_unnamed());
    let error = to_vec(&Found { at: vec![from] }).unwrap_err();
    assert!(
        matches!(error, EncodeError::Field { .. }) && error.to_string().contains("no text"),
        "{error}"
    );
}
