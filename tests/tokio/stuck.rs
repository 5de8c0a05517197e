//! A client that does not read.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use datagrammar::tokio::{Connection, Listener};
use datagrammar_tests::{Directory, Numbered, body, numbered};
use tokio::task::JoinSet;

type Ours = Connection<Numbered<'static>, Numbered<'static>>;
type OurListener = Listener<Numbered<'static>, Numbered<'static>>;

const CLIENTS: u64 = 64;
const ROUNDS: u64 = 200;
/// The length of an answer in bytes.
const ANSWER: usize = 1_000;
/// More answers than fit in any socket here.
const FLOOD: u64 = 20_000;

/// Answers each question. Counts the questions of the client that does not read.
async fn serve(mut ours: Ours, of_stuck: &'static AtomicU64) {
    let body = body(7, ANSWER);
    let mut number = 0;
    while let Some(question) = ours.recv().await.unwrap() {
        if question.decode().unwrap().check() >= FLOOD {
            of_stuck.fetch_add(1, Ordering::SeqCst);
        }
        number += 1;
        ours.send(&Numbered::Numbered { number, len: ANSWER as u64, body: &body }).await.unwrap();
    }
}

/// Asks `ROUNDS` times, and returns the median of how long an answer took.
async fn ask(ours: &mut Ours) -> Duration {
    let body = body(1, 10);
    let mut took = Vec::new();
    for _ in 0..ROUNDS {
        let begun = Instant::now();
        ours.send(&Numbered::Numbered { number: 1, len: 10, body: &body }).await.unwrap();
        let answer = ours.recv().await.unwrap().expect("an answer");
        assert_eq!(answer.len(), answer.bytes().len());
        took.push(begun.elapsed());
    }
    took.sort();
    took[took.len() / 2]
}

/// Lets all `clients` ask at the same time, and returns the median of their medians.
async fn ask_all(clients: Vec<Ours>) -> (Vec<Ours>, Duration) {
    let mut tasks = JoinSet::new();
    for mut ours in clients {
        tasks.spawn(async move {
            let median = ask(&mut ours).await;
            (ours, median)
        });
    }
    let (clients, mut medians): (_, Vec<_>) = tasks.join_all().await.into_iter().unzip();
    medians.sort();
    (clients, medians[medians.len() / 2])
}

#[tokio::test]
async fn h22_a_client_that_does_not_read_costs_the_others_nothing() {
    let directory = Directory::new();
    let address = directory.address("socket");
    let listener = OurListener::bind(&address).unwrap();
    let of_stuck: &'static AtomicU64 = Box::leak(Box::default());
    tokio::spawn(async move {
        while let Ok(ours) = listener.accept().await {
            tokio::spawn(serve(ours, of_stuck));
        }
    });
    let mut clients = Vec::new();
    for _ in 0..CLIENTS {
        clients.push(Ours::connect(&address).await.unwrap());
    }
    let (mut clients, before) = ask_all(clients).await;

    // One client keeps asking until nothing more fits.
    let (mut tx, mut rx) = clients.pop().unwrap().split();
    let flood = tokio::spawn(async move {
        for number in FLOOD..2 * FLOOD {
            let body = body(number, 10);
            tx.send(&Numbered::Numbered { number, len: 10, body: &body }).await.unwrap();
        }
        tx
    });
    let (clients, _) = ask_all(clients).await;
    let taken = of_stuck.load(Ordering::SeqCst);
    assert!(!flood.is_finished(), "the server has taken {taken} questions that it cannot answer");
    // The server holds one answer, and takes no question meanwhile: the queues are the kernel's.
    let (clients, during) = ask_all(clients).await;
    assert_eq!(of_stuck.load(Ordering::SeqCst), taken);
    assert!(0 < taken && taken < FLOOD / 10, "{taken}");
    println!("median: {before:?} with {CLIENTS} clients, {during:?} with one stuck");
    assert_eq!(clients.len() as u64, CLIENTS - 1);

    // The client finally reads, and all answers are there.
    for number in 1..=FLOOD {
        let answer = rx.recv().await.unwrap().expect("an answer");
        let Numbered::Numbered { number: answered, body, .. } = answer.decode().unwrap();
        assert_eq!((answered, body.len()), (number + ROUNDS, ANSWER));
    }
    drop(flood.await.unwrap());
    assert_eq!(numbered(0, 1, |_| of_stuck.load(Ordering::SeqCst)), FLOOD);
}
