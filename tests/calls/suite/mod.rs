//! One suite over all kinds of clients and servers, in one process and in two.

#[cfg(feature = "tokio")]
mod awaited;
mod blocking;
mod cases;
mod endings;
#[expect(dead_code, reason = "only the other process inherits")]
mod ends;
mod grounds;
mod protocol;

#[cfg(feature = "tokio")]
use self::ends::Kind::Awaited;
use self::ends::Kind::Blocking;
use self::grounds::Ground;

macro_rules! tests {
    ($client:ident, $server:ident: $($case:ident)*) => {
        tests!($client, $server, pair, Pair: $($case)*);
        tests!($client, $server, path, Path: $($case)*);
        tests!($client, $server, inherited, Inherited: $($case)*);
    };
    ($client:ident, $server:ident, $module:ident, $ground:ident: $($case:ident)*) => {
        mod $module {
            use super::*;

            $(#[test]
            fn $case() {
                Ground::$ground.check(stringify!($case), $client, $server);
            })*

            #[test]
            fn h23_a_server_that_is_killed() {
                Ground::$ground.kill_server($client, $server);
            }

            #[test]
            fn h23_a_client_that_is_killed() {
                Ground::$ground.kill_client($client, $server);
            }
        }
    };
}

macro_rules! kinds {
    ($($module:ident: $client:ident $server:ident,)*) => {$(
        mod $module {
            use super::*;

            #[test]
            fn h22_items_that_nobody_takes() {
                grounds::measure(&["untaken", $client.name(), $server.name()]);
            }

            tests! {
                $client, $server:
                values_and_errors
                ten_thousand_calls_in_flight
                deadlines
                cancellation
                items_and_a_reader_that_stops
                one_way
                descriptors
                five_mebibytes
                panics
                graceful_shutdown
                shutdown_at_once
                an_older_client
                a_newer_client
            }
        }
    )*};
}

kinds! {
    blocking_client_of_blocking_server: Blocking Blocking,
}

#[test]
fn h22_items_that_nobody_receives_from_a_blocking_server() {
    grounds::measure(&["unreceived", Blocking.name()]);
}

#[cfg(feature = "tokio")]
#[test]
fn h22_items_that_nobody_receives_from_an_awaited_server() {
    grounds::measure(&["unreceived", Awaited.name()]);
}

#[cfg(feature = "tokio")]
kinds! {
    blocking_client_of_awaited_server: Blocking Awaited,
    awaited_client_of_blocking_server: Awaited Blocking,
    awaited_client_of_awaited_server: Awaited Awaited,
}
