//! A service without a socket: bytes in, bytes out.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;

use datagrammar::calls::Direct;
use datagrammar::{OwnedFrame, Peer};
use datagrammar_tests::datagrams::{CANCEL, CREDIT, END, ITEM, REPLY, REQUEST, part};
use proptest::prelude::{Strategy as _, any};
use proptest::{collection, prop_oneof, proptest, strategy::Just};

use crate::store::{Blobs, BlobsService, Store};

fn request(id: u64, request: &Blobs<'_>) -> Vec<u8> {
    part(REQUEST, 0, id, OwnedFrame::<Blobs<'static>>::encode(request).unwrap().bytes())
}

fn root() -> Direct<BlobsService<Store>> {
    Direct::new(BlobsService(Store::default())).peer(Peer::new(0, 0))
}

#[test]
fn requests_are_answered_by_their_ids() {
    let direct = root();
    let put = Blobs::Put { name: "a", content: b"xyz" };
    assert_eq!(direct.exchange(&request(9, &put)), [part(REPLY, 0, 9, &[1, 3])]);
    let touch = OwnedFrame::<Blobs<'static>>::encode(&Blobs::Touch { name: "b" }).unwrap();
    assert!(direct.exchange(touch.bytes()).is_empty());
    let get = |name| direct.exchange(&request(u64::MAX, &Blobs::Get { name }));
    assert_eq!(get("a"), [part(REPLY, 0, u64::MAX, b"\x01\x01xyz")]);
    assert_eq!(get("b"), [part(REPLY, 0, u64::MAX, b"\x01\x01")]);
    assert_eq!(get("c"), [part(REPLY, 0, u64::MAX, b"\x02\x01")]);
    assert_eq!(get("!late"), [part(REPLY, 0, u64::MAX, b"\x01\x01late")]);
    assert_eq!(get("!dropped"), [part(REPLY, 3, u64::MAX, b"")]);
}

#[test]
fn what_is_no_request_is_refused_or_ignored() {
    let direct = root();
    // An unknown tag, missing bytes, no frame at all, and a missing descriptor.
    assert_eq!(direct.exchange(&part(REQUEST, 0, 1, &[99])), [part(REPLY, 1, 1, b"")]);
    assert_eq!(direct.exchange(&part(REQUEST, 0, 2, &[2, 200])), [part(REPLY, 2, 2, b"")]);
    assert_eq!(direct.exchange(&part(REQUEST, 0, 3, b"")), [part(REPLY, 2, 3, b"")]);
    assert_eq!(direct.exchange(&part(REQUEST, 0, 4, b"\x04\x01a")), [part(REPLY, 2, 4, b"")]);
    // Ordinary frames have no answer, even malformed ones.
    for ignored in [&b""[..], b"\0", b"\x63", b"\x02\xff", &part(4, 0, 2, b"\x01\x01")] {
        assert!(direct.exchange(ignored).is_empty(), "{ignored:?}");
    }
    for kind in [0, 1, 2, 3, REPLY, ITEM, END, CANCEL, CREDIT, 11, 255] {
        assert!(direct.exchange(&part(kind, 1, 5, b"")).is_empty(), "{kind}");
    }
    assert_eq!(direct.exchange(&request(5, &Blobs::Get { name: "" })).len(), 1);
}

#[test]
fn items_need_credit_and_end_when_cancelled() {
    let store = Store::default();
    let stopped = Arc::clone(&store.stopped);
    let direct = Direct::new(BlobsService(store));
    let item = part(ITEM, 0, 7, b"\x01\x01!");
    assert_eq!(direct.exchange(&request(7, &Blobs::Watch { prefix: "!" })), vec![item.clone(); 16]);
    assert_eq!(direct.exchange(&part(CREDIT, 3, 7, b"")), vec![item; 3]);
    // The id is in use.
    let again = direct.exchange(&request(7, &Blobs::Get { name: "" }));
    assert_eq!(again, [part(REPLY, 2, 7, b"")]);
    assert!(direct.exchange(&part(CREDIT, 3, 8, b"")).is_empty());
    assert!(direct.exchange(&part(CANCEL, 0, 7, b"")).is_empty());
    while stopped.load(Ordering::SeqCst) == 0 {
        thread::yield_now();
    }
    assert!(direct.exchange(&part(CREDIT, 3, 7, b"")).is_empty());

    let few = direct.exchange(&request(8, &Blobs::Watch { prefix: "" }));
    assert_eq!(few, [part(ITEM, 0, 8, b"\x02\x01z"), part(END, 0, 8, b"")]);
}

#[test]
fn a_connection_that_ends_cancels_its_calls() {
    let store = Store::default();
    let stopped = Arc::clone(&store.stopped);
    let direct = Direct::new(BlobsService(store));
    assert_eq!(direct.exchange(&request(1, &Blobs::Watch { prefix: "!" })).len(), 16);
    drop(direct);
    while stopped.load(Ordering::SeqCst) == 0 {
        thread::yield_now();
    }
}

proptest! {
    #[test]
    fn hostile_bytes_do_no_harm(datagrams in collection::vec(hostile(), 0..30)) {
        let direct = root();
        for datagram in &datagrams {
            for answer in direct.exchange(datagram) {
                assert!(matches!(answer[..2], [0, REPLY | ITEM | END]), "{answer:?}");
            }
        }
    }
}

fn hostile() -> impl proptest::strategy::Strategy<Value = Vec<u8>> {
    let bytes = || collection::vec(any::<u8>(), 0..40);
    let parts = (0_u8..12, prop_oneof![0_u32..20, any::<u32>()], 0_u64..4, 0_u8..8, bytes());
    let parts = parts.prop_map(|(kind, number, id, tag, bytes)| {
        // A passed deadline ends the items, so no call runs on.
        let number = if kind == REQUEST { 1 } else { number.min(1000) };
        part(kind, number, id, &[&[tag][..], &bytes].concat())
    });
    prop_oneof![bytes(), parts, Just(request(2, &Blobs::Watch { prefix: "!" }))]
}
