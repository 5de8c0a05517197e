//! What the figures were measured on.

use std::fs;
use std::process::Command;
use std::thread;

/// The processor, the kernel and the compiler, in a line.
pub(crate) fn describe() -> String {
    let cpu = field("/proc/cpuinfo", "model name").unwrap_or_else(|| "unknown processor".into());
    let cores = thread::available_parallelism().map_or(0, usize::from);
    let memory = field("/proc/meminfo", "MemTotal")
        .and_then(|text| text.strip_suffix(" kB")?.trim().parse::<u64>().ok())
        .map_or("unknown memory".into(), |kib| format!("{} GiB", (kib + 524_288) >> 20));
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    // What comes after the numbers names a builder rather than a kernel.
    let kernel = kernel.trim().split('-').next().unwrap_or_default();
    let rustc = Command::new("rustc").arg("--version").output();
    let rustc = rustc.ok().and_then(|output| String::from_utf8(output.stdout).ok());
    let words: Vec<&str> = rustc.as_deref().unwrap_or("").split_whitespace().take(2).collect();
    let build = if cfg!(debug_assertions) { "debug" } else { "release" };
    format!(
        "{cpu}, {cores} cores, {memory}, {}; Linux {kernel}; {}, {build} profile",
        std::env::consts::ARCH,
        words.join(" "),
    )
}

/// What a file of the kernel's says after a name and a colon, the first time.
fn field(path: &str, name: &str) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    text.lines().find_map(|line| {
        let (key, value) = line.split_once(':')?;
        (key.trim() == name).then(|| value.trim().to_owned())
    })
}
