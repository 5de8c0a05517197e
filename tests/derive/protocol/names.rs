//! Calls with the names of methods of common traits.

use std::collections::HashSet;
use std::thread;

use datagrammar::calls::{Client, Context, Server};
use datagrammar::{Connection, Message, Protocol};

macro_rules! protocol {
    ($($tag:literal $variant:ident $method:ident),*) => {
        #[derive(Message, Protocol)]
        enum Common {
            $(#[message(tag = $tag, reply = u64)] $variant,)*
        }

        struct Handler;

        impl CommonHandler for Handler {
            $(fn $method(&self, _cx: &Context) -> u64 { $tag })*
        }

        /// Makes each call by its method, and returns the answers.
        fn call_all(client: CommonClient) -> HashSet<u64> {
            let answers = HashSet::from([$(client.$method().unwrap()),*]);
            drop(client);
            answers
        }
    };
}

protocol! {
    1 AsRef as_ref, 2 Borrow borrow, 3 Call call, 4 Cmp cmp, 5 Default default, 6 Deref deref, 7 Drop drop, 8 Eq eq,
    9 Fmt fmt, 10 Hash hash, 11 IntoIter into_iter, 12 Items items, 13 Next next, 14 Notify notify, 15 Poll poll,
    16 ToOwned to_owned, 17 ToString to_string, 18 TryFrom try_from, 19 TypeId type_id
}

#[test]
fn calls_can_have_the_names_of_common_methods() {
    let (client, server) = Connection::pair().unwrap();
    let server = thread::spawn(|| Server::new(CommonService(Handler)).serve(server));
    let client = CommonClient::from(Client::new(client));
    assert!(format!("{client:?}").contains("CommonClient"));
    assert_eq!(call_all(client.clone()).len(), 19);
    drop(client);
    server.join().unwrap().unwrap();
}
