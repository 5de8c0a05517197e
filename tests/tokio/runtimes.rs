//! Opening an endpoint checks that the runtime has the drivers that it needs, instead of the first pause.

use std::cell::RefCell;
use std::panic::{self, AssertUnwindSafe, Location};
use std::sync::Once;

use datagrammar::Message;
use datagrammar::tokio::{Connection, Listener, Socket};
use tokio::runtime::Builder;

#[derive(Message)]
enum Ping {
    #[message(tag = 1)]
    _Ping,
}

thread_local! {
    /// The file of this thread's last panic.
    static FILE: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Notes the file of each panic from now on.
fn note_files() {
    static NOTED: Once = Once::new();
    NOTED.call_once(|| {
        let others = panic::take_hook();
        panic::set_hook(Box::new(move |panic| {
            FILE.set(panic.location().map_or_else(String::new, |at| at.file().to_owned()));
            others(panic);
        }));
    });
}

/// Returns the message of the panic of `open` in the runtime of `builder`. The panic is at the caller of the library.
fn panic_of<T>(mut builder: Builder, open: impl FnOnce() -> T) -> String {
    note_files();
    let runtime = builder.build().unwrap();
    let _entered = runtime.enter();
    match panic::catch_unwind(AssertUnwindSafe(open)) {
        Ok(_) => panic!("it does not panic"),
        Err(panic) => {
            assert_eq!(FILE.take(), Location::caller().file());
            *panic.downcast::<String>().unwrap()
        }
    }
}

fn without_time() -> Builder {
    let mut builder = Builder::new_current_thread();
    builder.enable_io();
    builder
}

#[test]
fn a_runtime_without_timers_is_refused_at_once() {
    let told = [
        panic_of(without_time(), || Connection::<Ping, Ping>::pair()),
        panic_of(without_time(), || {
            Listener::<Ping, Ping>::bind(&"unix:@datagrammar-no-timers".parse().unwrap())
        }),
        panic_of(without_time(), || {
            Socket::<Ping, Ping>::bind(&"udp:127.0.0.1:0".parse().unwrap())
        }),
    ];
    assert!(told.iter().all(|told| told.contains("timers are disabled")), "{told:?}");
}

#[test]
fn a_runtime_without_a_reactor_is_refused_at_once() {
    let mut builder = Builder::new_current_thread();
    builder.enable_time();
    let told = panic_of(builder, || Connection::<Ping, Ping>::pair());
    assert!(told.contains("IO is disabled"), "{told}");
}
