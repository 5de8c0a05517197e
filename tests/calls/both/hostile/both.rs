//! A client and a server that both send more than the socket holds.

use std::thread;

use crate::{Counted, Echoed, Handler, Sums, add, with};

#[test]
fn h21_both_sides_flood_and_neither_stalls() {
    for threads in [1, 4] {
        let ((), noted) = with(threads, Handler::default(), |client| {
            thread::scope(|scope| {
                for thread in 0..8_u8 {
                    let client = &client;
                    scope.spawn(move || {
                        // In pieces, in both directions. None of the messages fits the socket.
                        let text = vec![thread; 300_000];
                        for _ in 0..20 {
                            let echo = &Sums::Echo { text: &text };
                            let mut answer = client.call::<Echoed<'static>>(echo).unwrap();
                            assert!(answer.decode().unwrap() == text);
                            client.notify(&Sums::Note(1)).unwrap();
                        }
                    });
                    scope.spawn(move || {
                        let count = &Sums::Count { to: 2000 };
                        let mut items = client.items::<Counted>(count).unwrap();
                        for number in 0..2000 {
                            assert_eq!(items.recv().unwrap().unwrap().0, number);
                        }
                        assert!(items.recv().unwrap().is_none());
                    });
                    scope.spawn(move || {
                        for number in 0..500 {
                            assert_eq!(
                                add(client, number, thread.into()).unwrap(),
                                number + u64::from(thread)
                            );
                        }
                    });
                }
            });
        });
        assert_eq!(noted, 8 * 20);
    }
}
