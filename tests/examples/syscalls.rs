//! The number of system calls for a frame.

use std::thread;
use std::time::Duration;

use datagrammar::{Batch, Connection, Message, RecvError, Wait};

use crate::strace::{Call, Marks, count, phases, read, strace};
use crate::{is_installed, run};

#[test]
fn quickstart_peeks_and_reads_each_frame_that_it_waits_for() {
    if !is_installed("strace") {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let output = directory.path().join("calls");
    run(strace(&output, "network").arg(env!("CARGO_BIN_EXE_quickstart")));
    let calls = read(&output);
    // Three questions and their answers.
    assert_eq!(count(&calls, Call::is_peek).1, 6, "{calls:#?}");
    assert_eq!(count(&calls, Call::is_read).1, 6, "{calls:#?}");
    assert_eq!(count(&calls, Call::is_send), (6, 6), "{calls:#?}");
}

#[derive(Message)]
enum Note {
    #[message(tag = 1)]
    Note(u32),
}

/// The traced program. It marks the phases of its calls.
#[test]
#[ignore = "runs under strace, in the test below"]
fn program() {
    let marks = Marks::new();
    let mark = |name: &str| marks.set(name);
    let (mut ours, mut theirs) = Connection::<Note, Note>::pair().unwrap();
    let notes: Vec<_> = (0..100).map(Note::Note).collect();
    let receive = |theirs: &mut Connection<Note, Note>, count: usize| {
        for _ in 0..count {
            theirs.recv().unwrap().expect("a frame").decode().unwrap();
        }
    };
    // Until the receiver has learned that frames are queued.
    for note in &notes[..10] {
        ours.send(note).unwrap();
    }
    receive(&mut theirs, 10);

    mark("sending all");
    ours.tx.send_all(&notes, Wait::Block).unwrap();
    mark("receiving all");
    receive(&mut theirs, 100);
    mark("a batch");
    let mut batch = Batch::new(ours.tx);
    for note in &notes {
        batch.push(note, Wait::Block).unwrap();
    }
    let mut tx = batch.into_inner(Wait::Block).unwrap();
    mark("receiving it");
    receive(&mut theirs, 100);
    mark("sending one by one");
    for note in &notes {
        tx.send(note).unwrap();
    }
    mark("receiving queued frames");
    receive(&mut theirs, 100);
    mark("trying");
    assert!(matches!(theirs.try_recv(), Err(RecvError::WouldBlock)));
    mark("waiting");
    thread::scope(|scope| {
        scope.spawn(|| {
            for note in &notes[..20] {
                thread::sleep(Duration::from_millis(10));
                tx.send(note).unwrap();
            }
        });
        receive(&mut theirs, 20);
    });
    // No mark here: strace may split its call while the thread ends.
}

#[test]
fn bundles_cost_one_call_queued_frames_one_each_and_others_a_peek_and_a_read() {
    if !is_installed("strace") {
        return;
    }
    let phases = phases("syscalls::program");
    let counts = |phase: &str| {
        let calls = phases.get(phase).map_or(&[][..], Vec::as_slice);
        let kinds = [Call::is_peek, Call::is_read, Call::is_send];
        kinds.map(|is_kind| count(calls, is_kind))
    };
    let none = (0, 0);
    assert_eq!(counts("sending all"), [none, none, (1, 1)], "{phases:#?}");
    assert_eq!(counts("receiving all"), [none, (1, 1), none], "{phases:#?}");
    assert_eq!(counts("a batch"), [none, none, (1, 1)], "{phases:#?}");
    assert_eq!(counts("receiving it"), [none, (1, 1), none], "{phases:#?}");
    assert_eq!(counts("sending one by one"), [none, none, (100, 100)], "{phases:#?}");
    assert_eq!(counts("receiving queued frames"), [none, (100, 100), none], "{phases:#?}");
    assert_eq!(counts("trying"), [none, (1, 0), none], "{phases:#?}");
    // Sometimes a read is tried before the peek, and on a busy machine a frame may be queued by then. But a frame is
    // never read twice, and a read that finds nothing comes before a peek.
    let [(_, peeks), (reads, read), sends] = counts("waiting");
    assert_eq!((read, sends), (20, (20, 20)), "{phases:#?}");
    assert!((1..=20).contains(&peeks) && reads - read <= peeks, "{phases:#?}");
}
