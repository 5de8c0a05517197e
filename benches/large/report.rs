//! Prints the figures, and whether they meet the requirements.

use datagrammar_benches::machine;
use datagrammar_benches::requirement::{Bound, Requirement};

use crate::compare::{Results, Sample};
use crate::ways::Way;

/// The least speed of datagrammar, relative to the faster plain loop, and to ipc-channel.
const MIN_SPEED: f64 = 1.0;

/// The most memory that each process may need besides the message, in MiB, including its program.
const MAX_EXTRA: f64 = 2.0;

/// Prints all figures, and returns whether every requirement is met.
pub(crate) fn print(mib: usize, rounds: u32, results: &Results) -> bool {
    let mib = mib as f64;
    println!("{}.", machine::describe());
    println!("One message of {mib} MiB, moved {rounds} times in each way: medians.");
    println!("Peaks are VmHWM in MiB less the message, and in brackets before it was sent.");
    println!();
    println!("                     GB/s   CPU s: send receive   peak: sender        receiver");
    for &way in results.0.keys() {
        let of = |figure: fn(&Sample) -> f64| results.median(way, figure);
        println!(
            "{:20} {:4.2} {:13.2} {:7.2} {:8.2} ({:5.2}) {:7.2} ({:5.2})",
            way.title(),
            mib * 1024.0 * 1024.0 / of(|sample| sample.elapsed) / 1e9,
            of(|sample| sample.sender.cpu),
            of(|sample| sample.receiver.cpu),
            of(|sample| sample.sender.peak) - mib,
            of(|sample| sample.sender.before) - mib,
            of(|sample| sample.receiver.peak) - mib,
            of(|sample| sample.receiver.before),
        );
    }
    println!();
    let met = requirements(mib, results).map(|requirement| requirement.print());
    met.into_iter().all(|met| met)
}

fn requirements(mib: f64, results: &Results) -> [Requirement; 4] {
    let elapsed = |way| results.median(way, |sample| sample.elapsed);
    let plain =
        if elapsed(Way::Raw32k) < elapsed(Way::Raw200k) { Way::Raw32k } else { Way::Raw200k };
    let speed = |other: Way| Requirement {
        what: format!("speed, datagrammar ÷ {}", other.title()),
        number: elapsed(other) / elapsed(Way::Datagrammar),
        bound: Bound::AtLeast(MIN_SPEED),
    };
    let memory = |side: &str, peak: fn(&Sample) -> f64| Requirement {
        what: format!("MiB of the {side} besides the message"),
        number: results.median(Way::Datagrammar, peak) - mib,
        bound: Bound::AtMost(MAX_EXTRA),
    };
    [
        speed(plain),
        speed(Way::IpcChannel),
        memory("sender", |sample| sample.sender.peak),
        memory("receiver", |sample| sample.receiver.peak),
    ]
}
