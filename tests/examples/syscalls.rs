//! What a frame costs in system calls: strace writes down those of running programs.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use datagrammar::calls::CallError;
use datagrammar::{Batch, Connection, Message, Protocol, RecvError, Wait};
use rustix::net::{SendFlags, send};

use crate::{Running, is_installed, run};

/// A system call that has ended.
#[derive(Debug, PartialEq)]
struct Call {
    name: String,
    /// Its arguments, as strace prints them, or the end of them.
    arguments: String,
    /// What it returned, or -1.
    result: i64,
}

impl Call {
    /// The call on a line of strace's, if it ends there: `12 recv(3, "", 0) = 0`, or the second half of one that
    /// another thread's has interrupted, `12 <... recv resumed>3, "", 0) = 0`.
    fn parse(line: &str) -> Option<Self> {
        let (call, result) = line.rsplit_once(" = ")?;
        let (_thread, call) = call.trim().split_once(' ')?;
        let (name, arguments) = match call.trim().strip_prefix("<... ") {
            Some(resumed) => resumed.split_once(" resumed>")?,
            None => call.trim().split_once('(')?,
        };
        let result = result.split(' ').next()?.parse().ok()?;
        Some(Self { name: name.to_owned(), arguments: arguments.to_owned(), result })
    }

    fn is_peek(&self) -> bool {
        self.name.starts_with("recv") && self.arguments.contains("MSG_PEEK")
    }

    fn is_read(&self) -> bool {
        self.name.starts_with("recv") && !self.arguments.contains("MSG_PEEK")
    }

    fn is_send(&self) -> bool {
        self.name.starts_with("send")
    }
}

/// How many calls of a kind there were, and how many of them brought something.
fn count(calls: &[Call], is_kind: fn(&Call) -> bool) -> (usize, usize) {
    let kind = calls.iter().filter(|call| is_kind(call));
    (kind.clone().count(), kind.filter(|call| call.result > 0).count())
}

/// Begins a command that traces another program's calls to `output`.
fn strace(output: &Path, calls: &str) -> Command {
    let mut strace = Command::new("strace");
    strace.args(["--follow-forks", "--string-limit=64", "--trace", calls, "--output"]).arg(output);
    strace
}

fn read(output: &Path) -> Vec<Call> {
    fs::read_to_string(output).unwrap().lines().filter_map(Call::parse).collect()
}

#[test]
fn a_line_of_strace_is_understood() {
    let call = |name: &str, arguments: &str, result| {
        Some(Call { name: name.into(), arguments: arguments.into(), result })
    };
    assert_eq!(
        Call::parse(r#"7  sendto(3, "a = b", 5, 0) = 5"#),
        call("sendto", r#"3, "a = b", 5, 0)"#, 5)
    );
    assert_eq!(
        Call::parse(
            "7  <... recvfrom resumed>\"\", 1, MSG_PEEK, NULL, NULL) = -1 EAGAIN (Resource)"
        ),
        call("recvfrom", "\"\", 1, MSG_PEEK, NULL, NULL)", -1),
    );
    assert_eq!(Call::parse("7  recvfrom(3,  <unfinished ...>"), None);
    assert_eq!(Call::parse("7  +++ exited with 0 +++"), None);
}

#[test]
fn quickstart_peeks_and_reads_each_frame_that_it_waits_for() {
    if !is_installed("strace") {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let output = directory.path().join("calls");
    run(strace(&output, "network").arg(env!("CARGO_BIN_EXE_quickstart")));
    let calls = read(&output);
    // Three questions, and their answers.
    assert_eq!(count(&calls, Call::is_peek).1, 6, "{calls:#?}");
    assert_eq!(count(&calls, Call::is_read).1, 6, "{calls:#?}");
    assert_eq!(count(&calls, Call::is_send), (6, 6), "{calls:#?}");
}

#[derive(Message)]
enum Note {
    #[message(tag = 1)]
    Note(u32),
}

/// What is traced below: it says between the calls which ones come.
#[test]
#[ignore = "runs under strace, in the test below"]
fn program() {
    let (marks, _kept) = UnixDatagram::pair().unwrap();
    let mark = |name: &str| {
        send(&marks, name.as_bytes(), SendFlags::empty()).unwrap();
    };
    let (mut ours, mut theirs) = Connection::<Note, Note>::pair().unwrap();
    let notes: Vec<_> = (0..100).map(Note::Note).collect();
    let receive = |theirs: &mut Connection<Note, Note>, count: usize| {
        for _ in 0..count {
            theirs.recv().unwrap().expect("a frame").decode().unwrap();
        }
    };
    // Until the receiver knows that frames are queued.
    for note in &notes[..10] {
        ours.send(note).unwrap();
    }
    receive(&mut theirs, 10);

    mark("mark: sending all");
    ours.tx.send_all(&notes, Wait::Block).unwrap();
    mark("mark: receiving all");
    receive(&mut theirs, 100);
    mark("mark: a batch");
    let mut batch = Batch::new(ours.tx);
    for note in &notes {
        batch.push(note, Wait::Block).unwrap();
    }
    let mut tx = batch.into_inner(Wait::Block).unwrap();
    mark("mark: receiving it");
    receive(&mut theirs, 100);
    mark("mark: sending one by one");
    for note in &notes {
        tx.send(note).unwrap();
    }
    mark("mark: receiving what is queued");
    receive(&mut theirs, 100);
    mark("mark: trying");
    assert!(matches!(theirs.try_recv(), Err(RecvError::WouldBlock)));
    mark("mark: waiting");
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
    let directory = tempfile::tempdir().unwrap();
    let output = directory.path().join("calls");
    let mut command = strace(&output, "network");
    command.arg(std::env::current_exe().unwrap());
    run(command.args(["--ignored", "--exact", "syscalls::program"]));

    let mut phases = BTreeMap::<String, Vec<Call>>::new();
    let mut phase = "before".to_owned();
    for call in read(&output) {
        match call.arguments.split_once("\"mark: ") {
            Some((_, rest)) => rest.split('"').next().unwrap().clone_into(&mut phase),
            None => phases.entry(phase.clone()).or_default().push(call),
        }
    }
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
    assert_eq!(counts("receiving what is queued"), [none, (100, 100), none], "{phases:#?}");
    assert_eq!(counts("trying"), [none, (1, 0), none], "{phases:#?}");
    // Now and then a read is tried before the peek; and on a busy machine, one may be queued by then. But a
    // frame is never read twice, and a read that finds nothing comes before a peek.
    let [(_, peeks), (reads, read), sends] = counts("waiting");
    assert_eq!((read, sends), (20, (20, 20)), "{phases:#?}");
    assert!((1..=20).contains(&peeks) && reads - read <= peeks, "{phases:#?}");
}

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
    // Twice: one thread may have woken another between the looks at the two.
    while !(all_sleep() && all_sleep()) {
        thread::sleep(Duration::from_millis(1));
    }
}

/// Returns the server's calls while `ask` runs, which gets the server's address and the id of its process.
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

    // strace ends when what it traces has ended: end that, and not strace itself. The threads of the clients have
    // to have met the end before.
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
    // Those that are there before the server looks cost no peek: none, or few, unless the client hurries.
    for (calls, fewest) in [(&paused, REQUESTS * 3 / 4), (&busy, 0)] {
        let [peeks, reads, sends] = more(calls);
        assert_eq!((reads, sends), (REQUESTS, REQUESTS));
        assert!((fewest..=REQUESTS).contains(&peeks), "{peeks} peeks");
    }

    // And nothing else, but for what a thread and a connection take, for threads that wake each other, and for the
    // thread that listens: it waits in ppoll and then accepts, now and then.
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
