//! The number of system calls for a call.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use datagrammar::calls::CallError;
use datagrammar::{Message, Protocol};

use crate::strace::{Call, count, read, strace};
use crate::{Running, is_installed, run};

/// Waits until all threads of a process sleep.
fn wait_until_idle(id: i32) {
    // The state follows the name, which is in parentheses (proc_pid_stat(5)).
    let sleeps = |thread: &Path| {
        fs::read_to_string(thread.join("stat")).is_ok_and(|stat| stat.contains(") S "))
    };
    let all_sleep = || {
        let mut threads = fs::read_dir(format!("/proc/{id}/task")).unwrap();
        threads.all(|thread| sleeps(&thread.unwrap().path()))
    };
    // Twice, because one thread may have woken another between the two checks.
    while !(all_sleep() && all_sleep()) {
        thread::sleep(Duration::from_millis(1));
    }
}

/// Returns the server's system calls while `ask` runs. `ask` gets the server's address and process id.
fn served(directory: &Path, ask: impl FnOnce(&str, i32)) -> Vec<Call> {
    let address = format!("unix:{}/blobs.sock", directory.display());
    let output = directory.join("calls");
    let blobs = env!("CARGO_BIN_EXE_blobs");
    let mut server = Running::start(
        strace(&output, "all").args([blobs, "serve", &address, "--quiet"]).stdin(Stdio::null()),
        "serving at",
    );
    let file = directory.join("file");
    fs::write(&file, "content").unwrap();
    run(Command::new(blobs).args(["put", &address]).arg(&file));
    let strace = server.child.id();
    let children = fs::read_to_string(format!("/proc/{strace}/task/{strace}/children")).unwrap();
    let traced: i32 = children.trim().parse().unwrap();
    ask(&address, traced);

    // strace ends when the traced program has ended, so end the program, and not strace. Before that, the threads of
    // the clients must have seen the end.
    while fs::read_dir(format!("/proc/{traced}/task")).unwrap().count() > 1 {
        thread::sleep(Duration::from_millis(10));
    }
    let traced = rustix::process::Pid::from_raw(traced).unwrap();
    rustix::process::kill_process(traced, rustix::process::Signal::KILL).unwrap();
    server.child.wait().unwrap();
    read(&output)
}

#[test]
fn a_request_costs_a_read_and_a_peek_if_it_is_waited_for_and_its_answer_one_send() {
    if !is_installed("strace") {
        return;
    }
    const REQUESTS: usize = 100;
    let get = |address: &str, pause: &dyn Fn()| {
        let ours = AskClient::connect(&address.parse().unwrap()).unwrap();
        for _ in 0..REQUESTS {
            pause();
            let answer = ours.get("nothing");
            assert!(matches!(answer, Err(CallError::Answered(Refused { .. }))), "{answer:?}");
        }
    };
    let kinds: [fn(&Call) -> bool; 3] = [Call::is_peek, Call::is_read, Call::is_send];
    let counts = |calls: &[Call]| kinds.map(|is_kind| count(calls, is_kind).1);
    let directories = [(); 3].map(|()| tempfile::tempdir().unwrap());
    let [idle, paused, busy] = [
        served(directories[0].path(), |_, _| {}),
        served(directories[1].path(), |address, id| get(address, &|| wait_until_idle(id))),
        served(directories[2].path(), |address, _| get(address, &|| {})),
    ];
    let more = |calls: &[Call]| -> [usize; 3] {
        let (calls, idle) = (counts(calls), counts(&idle));
        std::array::from_fn(|kind| calls[kind].saturating_sub(idle[kind]))
    };
    // Requests that are queued before the server looks cost no peek: none, or few, unless the client is slow.
    for (calls, fewest) in [(&paused, REQUESTS * 3 / 4), (&busy, 0)] {
        let [peeks, reads, sends] = more(calls);
        assert_eq!((reads, sends), (REQUESTS, REQUESTS));
        assert!((fewest..=REQUESTS).contains(&peeks), "{peeks} peeks");
    }

    // No other calls, except those that a thread and a connection need, those of threads that wake each other, and
    // those of the listening thread, which repeatedly waits in ppoll and then accepts.
    let others = |calls: &[Call]| {
        let named = |name: &str| calls.iter().filter(|call| call.name == name).count();
        let others = calls.len() - counts(calls).iter().sum::<usize>();
        others - named("futex") - named("accept4") - named("ppoll").min(named("accept4"))
    };
    let more = others(&paused).saturating_sub(others(&idle));
    assert!(more < REQUESTS, "{more} other calls grow with the requests");
}

/// A question to the server.
#[derive(Message, Protocol)]
enum Ask<'a> {
    #[message(tag = 2, reply = Result<(), Refused>)]
    Get { name: &'a str },
}

#[derive(Message, Debug)]
#[message(tag = 1)]
struct Refused {
    why: String,
}
