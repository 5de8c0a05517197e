//! Servers that race for a path, and the umask that they have.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::FileTypeExt as _;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::thread;
use std::time::Duration;

use datagrammar::{Address, Connection};
use datagrammar_tests::{Directory, Numbered, Random, child, seed};

type Ours = Connection<Numbered<'static>, Numbered<'static>>;

/// A server in another process.
struct Server {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: BufReader<ChildStdout>,
}

impl Server {
    fn start(address: &Address) -> Self {
        let mut child = Command::new(child!())
            .args(["bind", &address.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let stdin = child.stdin.take();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        Self { child, stdin, stdout }
    }

    /// The result of binding.
    fn outcome(&mut self) -> String {
        let mut line = String::new();
        self.stdout.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    fn stop(mut self) {
        drop(self.stdin.take());
        self.child.wait().unwrap();
    }

    fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

#[test]
fn h27_of_servers_that_race_for_a_path_one_gets_it() {
    let directory = Directory::new();
    let address = directory.address("socket");
    let path = address.as_pathname().unwrap();
    let mut random = Random(seed());
    for round in 0..15 {
        // The path that they find: free, or with the socket of a killed server.
        if round % 3 != 0 {
            let mut dead = Server::start(&address);
            assert_eq!(dead.outcome(), "bound");
            dead.kill();
            assert!(fs::symlink_metadata(path).unwrap().file_type().is_socket());
        }
        let mut servers: Vec<Server> = (0..4)
            .map(|_| {
                thread::sleep(Duration::from_micros(random.below(2000)));
                Server::start(&address)
            })
            .collect();
        let outcomes: Vec<String> = servers.iter_mut().map(Server::outcome).collect();
        let bound = outcomes.iter().filter(|outcome| *outcome == "bound").count();
        let in_use = outcomes.iter().filter(|outcome| *outcome == "in use").count();
        assert_eq!((bound, in_use), (1, 3), "round {round}: {outcomes:?}");
        // The server that claims the path really has it.
        Ours::connect(&address).unwrap();
        servers.into_iter().for_each(Server::stop);
        let left: Vec<_> = fs::read_dir(directory.path()).unwrap().collect();
        assert!(left.is_empty(), "round {round}: left behind: {left:?}");
    }
}

#[test]
fn h27_a_path_has_the_mode_asked_for_whatever_the_umask() {
    let directory = Directory::new();
    let child = Command::new(child!())
        .args(["mode", &directory.address("open").to_string()])
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&child.stdout), "666\n", "{child:?}");
}
