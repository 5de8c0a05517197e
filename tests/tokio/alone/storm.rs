//! A listener whose process may open few descriptors, in a storm of clients.

use std::env;
use std::fs;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use datagrammar::tokio::{Connection, Listener};
use datagrammar::{Address, Options};
use datagrammar_tests::{Directory, Numbered, numbered};
use rustix::process::{Resource, Rlimit, setrlimit};
use tokio::time::{sleep, timeout};

use super::alone;

type Ours = Connection<Numbered<'static>, Numbered<'static>>;
type OurListener = Listener<Numbered<'static>, Numbered<'static>>;

/// The most descriptors that the server may have open.
const LIMIT: u64 = 64;
/// Clients that come and go while there are none left.
const STORM: usize = 40;
/// How long to wait for an expected event.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long the storm lasts: `DATAGRAMMAR_STORM` seconds, or 2.
fn duration() -> Duration {
    let seconds = env::var("DATAGRAMMAR_STORM");
    Duration::from_secs(seconds.map_or(2, |seconds| seconds.parse().expect("seconds")))
}

/// The server: a copy of this program that only runs [`server`]. It is killed when this is dropped.
struct Server(Child);

impl Server {
    fn start(address: &Address) -> Self {
        let mut command = Command::new(env::current_exe().unwrap());
        command.args(["--exact", "storm::server", "--ignored", "--nocapture"]);
        command.env("DATAGRAMMAR_STORM_ADDRESS", address.to_string());
        Self(command.stdin(Stdio::null()).stdout(Stdio::null()).spawn().unwrap())
    }

    /// Returns how many descriptors the server has open.
    fn open(&self) -> u64 {
        fs::read_dir(format!("/proc/{}/fd", self.0.id())).unwrap().count() as u64
    }

    /// Returns the processor time that the server has used (proc_pid_stat(5): utime and stime).
    fn worked(&self) -> Duration {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.0.id())).unwrap();
        let (_, fields) = stat.rsplit_once(')').unwrap();
        let fields: Vec<_> = fields.split_whitespace().collect();
        let ticks: u64 = fields[11..13].iter().map(|ticks| ticks.parse::<u64>().unwrap()).sum();
        Duration::from_secs(ticks).div_f64(rustix::param::clock_ticks_per_second() as f64)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        _ = self.0.kill();
        _ = self.0.wait();
    }
}

#[test]
#[ignore = "h25 starts it in a process of its own"]
fn server() {
    let _alone = alone();
    let address: Address = env::var("DATAGRAMMAR_STORM_ADDRESS").unwrap().parse().unwrap();
    let limit = Rlimit { current: Some(LIMIT), maximum: Some(LIMIT) };
    setrlimit(Resource::Nofile, limit).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let listener = OurListener::bind_with(&address, &Options::new().backlog(32)).unwrap();
        loop {
            let mut ours = listener.accept().await.unwrap();
            tokio::spawn(async move {
                while let Ok(Some(question)) = ours.rx.recv().await {
                    let note = question.decode().unwrap();
                    if ours.tx.send(&note).await.is_err() {
                        break;
                    }
                }
            });
        }
    });
}

/// Asks once, and waits for the answer.
async fn is_served(ours: &mut Ours, number: u64, patience: Duration) -> bool {
    if numbered(number, 10, |question| ours.try_send(question)).is_err() {
        return false;
    }
    let Ok(answer) = timeout(patience, ours.recv()).await else { return false };
    answer.unwrap().is_some_and(|answer| answer.decode().unwrap().check() == number)
}

/// Connects, asks, and disconnects, again and again. Returns how many clients were served.
async fn come_and_go(address: Address, stop: Arc<AtomicBool>) -> u64 {
    let mut served = 0;
    while !stop.load(Ordering::Relaxed) {
        let soon = Options::new().deadline(Instant::now() + Duration::from_millis(20));
        if let Ok(mut ours) = Ours::connect_with(&address, &soon).await {
            served += u64::from(is_served(&mut ours, 1, Duration::from_millis(20)).await);
        }
        sleep(Duration::from_millis(5)).await;
    }
    served
}

#[tokio::test]
async fn h25_a_storm_of_clients_without_descriptors_costs_little_and_passes() {
    let _alone = alone();
    let directory = Directory::new();
    let address = directory.address("socket");
    let server = Server::start(&address);
    let begun = Instant::now();
    while Ours::connect(&address).await.is_err() {
        assert!(begun.elapsed() < PATIENCE, "the server does not start");
        sleep(Duration::from_millis(10)).await;
    }

    // As many clients as can be served, and one that must wait.
    let mut served = Vec::new();
    while server.open() < LIMIT {
        let mut ours = Ours::connect(&address).await.unwrap();
        assert!(is_served(&mut ours, 1, PATIENCE).await);
        served.push(ours);
    }
    assert!(served.len() as u64 > LIMIT / 2, "{} served", served.len());
    let mut waiting = Ours::connect(&address).await.unwrap();
    numbered(1, 10, |question| waiting.try_send(question)).unwrap();

    let stop = Arc::new(AtomicBool::new(false));
    let storm: Vec<_> =
        (0..STORM).map(|_| tokio::spawn(come_and_go(address, Arc::clone(&stop)))).collect();
    let (begun, before) = (Instant::now(), server.worked());
    let mut rounds = 0;
    while begun.elapsed() < duration() {
        // The server serves its existing clients.
        for ours in &mut served {
            assert!(is_served(ours, rounds, PATIENCE).await);
        }
        rounds += 1;
        sleep(Duration::from_millis(250)).await;
    }
    let worked = (server.worked() - before).div_f64(begun.elapsed().as_secs_f64());
    println!("{worked:?} of work a second, {} clients served {rounds} times", served.len());
    // Without pauses, the server would use a whole processor.
    assert!(worked < Duration::from_millis(200), "{worked:?} of work a second");
    stop.store(true, Ordering::Relaxed);
    for client in storm {
        assert_eq!(client.await.unwrap(), 0, "served without a descriptor");
    }

    // When descriptors are free, waiting clients are served, and new ones too.
    served.truncate(served.len() - 5);
    let begun = Instant::now();
    let answer = timeout(PATIENCE, waiting.recv()).await.expect("to be served at last");
    assert!(answer.unwrap().is_some());
    println!("served {:?} after a descriptor became free", begun.elapsed());
    let mut another = Ours::connect(&address).await.unwrap();
    assert!(is_served(&mut another, 2, PATIENCE).await);
}
