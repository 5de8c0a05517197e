//! The machine that the figures come from.

use std::fs;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use crate::usage;

/// Names the processor, the kernel and the compiler in one line.
#[must_use]
pub fn describe() -> String {
    let cpu = field("/proc/cpuinfo", "model name").unwrap_or_else(|| "unknown processor".into());
    let cores = thread::available_parallelism().map_or(0, usize::from);
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    // The text after the numbers names a builder rather than a kernel.
    let kernel = kernel.trim().split('-').next().unwrap_or_default();
    let rustc = Command::new("rustc").arg("--version").output();
    let rustc = rustc.ok().and_then(|output| String::from_utf8(output.stdout).ok());
    let words: Vec<&str> = rustc.as_deref().unwrap_or("").split_whitespace().take(2).collect();
    let build = if cfg!(debug_assertions) { "debug" } else { "release" };
    format!(
        "{cpu}, {cores} cores, {}; Linux {kernel}; {}, {build} profile",
        std::env::consts::ARCH,
        words.join(" "),
    )
}

/// Watches how much of the machine other processes use, because that disturbs the figures.
#[derive(Debug)]
pub struct Others {
    start: Instant,
    busy: f64,
    ours: Duration,
}

impl Others {
    /// Begins to watch.
    ///
    /// # Errors
    ///
    /// If the kernel does not report it.
    pub fn watch() -> Result<Self> {
        Ok(Self { start: Instant::now(), busy: busy()?, ours: usage::children_cpu_time()? })
    }

    /// Returns the share of all processors' time that other processes have used, including other guests of the same
    /// host.
    ///
    /// # Errors
    ///
    /// If the kernel does not report it.
    pub fn share(&self) -> Result<f64> {
        let ours = (usage::children_cpu_time()? - self.ours).as_secs_f64();
        let cores = thread::available_parallelism()?.get() as f64;
        let all = self.start.elapsed().as_secs_f64() * cores;
        Ok(((busy()? - self.busy - ours) / all).max(0.0))
    }
}

/// Returns for how many seconds all processors together have been busy: `/proc/stat`, see
/// [proc_stat(5)].
///
/// [proc_stat(5)]: https://man7.org/linux/man-pages/man5/proc_stat.5.html
fn busy() -> Result<f64> {
    let stat = fs::read_to_string("/proc/stat")?;
    let line = stat.lines().next().context("/proc/stat is empty")?;
    let ticks = line.split_whitespace().skip(1).map(str::parse);
    let ticks = ticks.collect::<Result<Vec<u64>, _>>()?;
    let [user, nice, system, _idle, _waiting, irq, softirq, steal, ..] = *ticks else {
        bail!("/proc/stat has other columns: {line}");
    };
    // A tick is a hundredth of a second here, whatever the kernel's ticks are.
    Ok((user + nice + system + irq + softirq + steal) as f64 / 100.0)
}

/// Returns the first value of `name` in a file of `name: value` lines.
fn field(path: &str, name: &str) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    text.lines().find_map(|line| {
        let (key, value) = line.split_once(':')?;
        (key.trim() == name).then(|| value.trim().to_owned())
    })
}
