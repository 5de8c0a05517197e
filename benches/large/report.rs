//! Prints the figures, and whether they meet the requirements.

use std::collections::BTreeMap;

use datagrammar_benches::machine;
use datagrammar_benches::requirement::{Bound, Requirement};

use crate::compare::{Needs, Side};
use crate::ways::Way;

/// The least speed of datagrammar, relative to the faster plain loop.
const MIN_SPEED: f64 = 1.0;

/// The most memory that each process may need besides the message, in MiB, its program included.
const MAX_EXTRA: f64 = 2.0;

/// Prints all figures, and returns whether every requirement is met.
pub(crate) fn print(mib: usize, rounds: u32, results: &BTreeMap<Way, Needs>) -> bool {
    let mib = mib as f64;
    println!("{}.", machine::describe());
    println!("One message of {mib} MiB, moved {rounds} times in each way: medians.");
    println!("Peaks are VmHWM in MiB less the message, and in brackets before it was sent.");
    println!();
    println!(
        "                     GB/s  best   CPU s: send receive   peak: sender        receiver"
    );
    for (way, &Needs { elapsed, best, sender, receiver }) in results {
        let speed = |elapsed: f64| mib * 1024.0 * 1024.0 / elapsed / 1e9;
        println!(
            "{:20} {:4.2} {:5.2} {:13.2} {:7.2} {:8.2} ({:5.2}) {:7.2} ({:5.2})",
            way.title(),
            speed(elapsed),
            speed(best),
            sender.cpu,
            receiver.cpu,
            sender.peak - mib,
            sender.before - mib,
            receiver.peak - mib,
            receiver.before,
        );
    }
    println!();
    let met = requirements(mib, results).map(|requirement| requirement.print());
    met.into_iter().all(|met| met)
}

fn requirements(mib: f64, results: &BTreeMap<Way, Needs>) -> [Requirement; 4] {
    let elapsed = |way: Way| results.get(&way).map_or(f64::NAN, |needs| needs.elapsed);
    let ours = elapsed(Way::Datagrammar);
    let loops = [Way::Raw32k, Way::Raw200k];
    let plain = loops.into_iter().min_by(|&a, &b| elapsed(a).total_cmp(&elapsed(b)));
    let plain = plain.unwrap_or(Way::Raw32k);
    // The whole process, its program included.
    let extra = |side: fn(&Needs) -> Side| {
        results.get(&Way::Datagrammar).map(side).map_or(f64::NAN, |side| side.peak - mib)
    };
    [
        Requirement {
            what: format!("speed, datagrammar / {}", plain.title()),
            number: elapsed(plain) / ours,
            bound: Bound::AtLeast(MIN_SPEED),
        },
        Requirement {
            what: format!("speed, datagrammar / {}", Way::IpcChannel.title()),
            number: elapsed(Way::IpcChannel) / ours,
            bound: Bound::AtLeast(1.0),
        },
        Requirement {
            what: "MiB of the sender besides the message".into(),
            number: extra(|needs| needs.sender),
            bound: Bound::AtMost(MAX_EXTRA),
        },
        Requirement {
            what: "MiB of the receiver besides the message".into(),
            number: extra(|needs| needs.receiver),
            bound: Bound::AtMost(MAX_EXTRA),
        },
    ]
}
