//! Which ways do which workloads, and why the others do not.

use clap::ValueEnum as _;

use crate::crowd;
use crate::limits;
use crate::ways::Way;
use crate::workload::Workload;

/// What is measured in a run.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) workloads: Vec<Workload>,
    /// Whether the figures mean nothing.
    pub(crate) quick: bool,
}

impl Plan {
    pub(crate) fn new(quick: bool, only: &[String]) -> Self {
        let mut workloads = Vec::new();
        let (lengths, trips, mib): (&[usize], &[usize], &[usize]) = if quick {
            (&[16, 1024], &[16], &[16])
        } else {
            (&[16, 256, 1024, 16 * 1024, 64 * 1024], &[16, 1024, 64 * 1024], &[16, 256])
        };
        let (idle, fan): (&[usize], &[usize]) =
            if quick { (&[100], &[1, 10]) } else { (&[1000, 10_000], &[1, 10, 100, 1000, 10_000]) };
        workloads.extend(lengths.iter().copied().map(Workload::Burst));
        workloads.extend(lengths.iter().copied().map(Workload::Stream));
        workloads.extend(trips.iter().copied().map(Workload::Trip));
        workloads.extend(mib.iter().copied().map(Workload::Large));
        workloads.extend([Workload::Descriptors, Workload::Mixed]);
        workloads.extend(idle.iter().copied().map(Workload::Idle));
        workloads.extend(fan.iter().copied().map(Workload::Fan));
        workloads.extend(fan.iter().copied().map(Workload::Flock));
        workloads.push(Workload::After);
        workloads.retain(|workload| {
            let name = workload.to_string();
            only.is_empty()
                || only.iter().any(|only| {
                    name == *only || name.split_once(':').is_some_and(|(kind, _)| kind == only)
                })
        });
        Self { workloads, quick }
    }

    /// The workloads of which `pick` gives the number, in order.
    pub(crate) fn of(&self, pick: fn(Workload) -> Option<usize>) -> Vec<(Workload, usize)> {
        let numbered = |&workload: &Workload| Some((workload, pick(workload)?));
        self.workloads.iter().filter_map(numbered).collect()
    }

    /// For how many milliseconds of CPU time each is measured.
    pub(crate) fn millis(&self) -> u64 {
        if self.quick { 2 } else { 200 }
    }
}

/// The ways that do a workload.
pub(crate) fn ways(workload: Workload) -> Vec<Way> {
    let able = |way: &&Way| absence(**way, workload).is_none();
    Way::value_variants().iter().filter(able).copied().collect()
}

/// The ways that a table of a workload shows, with those that cannot do it.
pub(crate) fn shown(workload: Workload) -> Vec<Way> {
    let shown = |way: &&Way| absence(**way, workload) != Some(Absence::NotShown);
    Way::value_variants().iter().filter(shown).copied().collect()
}

/// Why a way does not do a workload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Absence {
    /// It would not say anything.
    NotShown,
    /// It cannot.
    Cannot(&'static str),
}

/// Why a way does not do a workload, if it does not.
pub(crate) fn absence(way: Way, workload: Workload) -> Option<Absence> {
    use Absence::{Cannot, NotShown};
    use Way::{
        Bare, Buffered, Floor, IpcChannel, Peeked, Tarpc, TokioSeqpacket, TokioUnixIpc, Tube,
        TypedAll, TypedEach, TypedOne, Uds,
    };
    match (workload, way) {
        (Workload::Trip(_), Tarpc) => None,
        // It asks and answers, and has no other messages.
        (_, Tarpc) => Some(NotShown),
        (Workload::Burst(_) | Workload::Stream(_), _) => None,
        // They encode nothing: there to show what the system calls of bursts and streams cost.
        (_, Floor | Bare) => Some(NotShown),
        // One message at a time.
        (Workload::Trip(_), TypedAll) => Some(NotShown),
        (Workload::Trip(_), _) => None,
        (Workload::Mixed, Tube) => {
            Some(Cannot("as JSON, 4 MiB of bytes are longer than the longest datagram"))
        }
        (Workload::Mixed, _) => None,
        (Workload::Large(_) | Workload::After, TypedEach | IpcChannel | TokioUnixIpc) => None,
        (Workload::Large(_) | Workload::After, TypedAll | TypedOne) => Some(NotShown),
        (Workload::Large(_) | Workload::After, _) => {
            Some(Cannot("a message is one datagram, which is 4,263,616 bytes at most"))
        }
        (
            Workload::Idle(connections) | Workload::Fan(connections) | Workload::Flock(connections),
            IpcChannel,
        ) if limits::allow_descriptors(crowd::descriptors(connections))
            .map_or(true, |allowed| allowed < crowd::descriptors(connections)) =>
        {
            Some(Cannot("has both ends of each, more descriptors than a process may have here"))
        }
        (_, TypedEach | Buffered | IpcChannel | TokioSeqpacket) => None,
        (Workload::Descriptors, TokioUnixIpc | Tube | Peeked | Uds) => Some(NotShown),
        (Workload::Descriptors | Workload::Idle(_) | Workload::Fan(_) | Workload::Flock(_), _) => {
            Some(NotShown)
        }
    }
}
