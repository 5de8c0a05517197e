//! Confines this process: empty namespaces, no privileges, and few system calls.
//!
//! This takes two processes. A new PID namespace begins with the *next* child, so the first process creates
//! the namespaces, starts the second, and ends in the same way.

use std::collections::BTreeMap;
use std::env;
use std::fs::{self, File};
use std::io;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, ExitCode, ExitStatus};

use anyhow::{Context as _, bail};
use rustix::mount::{
    MountFlags, MountPropagationFlags, UnmountFlags, mount, mount_change, mount_remount, unmount,
};
use rustix::process::{Resource, Rlimit, Signal, kill_process, pivot_root, setrlimit};
use rustix::thread::{
    CapabilitySet, CapabilitySets, UnshareFlags, set_capabilities, set_no_new_privs,
};
use seccompiler::{BpfProgram, SeccompAction, SeccompFilter};

/// Creates namespaces for the children of this process, runs this program in them with `argument` and the
/// same standard streams, and ends as that child does.
pub(crate) fn enter(argument: &str) -> anyhow::Result<ExitCode> {
    let (uid, gid) = (rustix::process::geteuid(), rustix::process::getegid());
    let flags = UnshareFlags::NEWUSER
        | UnshareFlags::NEWNS
        | UnshareFlags::NEWNET
        | UnshareFlags::NEWPID
        | UnshareFlags::NEWIPC
        | UnshareFlags::NEWUTS;
    // SAFETY: this does not unshare the descriptor table, the only part that could invalidate descriptors.
    unsafe { rustix::thread::unshare_unsafe(flags) }.context(
        "this kernel lets this user make no namespaces (see user.max_user_namespaces, kernel.unprivileged_userns_clone, and AppArmor's restriction)",
    )?;
    // A process must deny setgroups(2) before it may map its own group (user_namespaces(7)).
    fs::write("/proc/self/setgroups", "deny").context("giving up groups")?;
    fs::write("/proc/self/gid_map", format!("0 {} 1", gid.as_raw()))
        .context("mapping the group")?;
    fs::write("/proc/self/uid_map", format!("0 {} 1", uid.as_raw())).context("mapping the user")?;
    limit(Resource::Core, 0)?;
    let program = env::current_exe().context("finding this program")?;
    let status = Command::new(program).arg(argument).status().context("starting the parser")?;
    end_as(status)
}

/// Ends this process with the exit status of another one, so that its parent sees that status.
fn end_as(status: ExitStatus) -> anyhow::Result<ExitCode> {
    match (status.code(), status.signal().and_then(Signal::from_named_raw)) {
        (Some(code), _) => Ok(ExitCode::from(u8::try_from(code).unwrap_or(u8::MAX))),
        (None, Some(signal)) => {
            // The standard library's handler catches the first SIGSEGV; the next one is fatal.
            for _ in 0..2 {
                kill_process(rustix::process::getpid(), signal).context("ending by a signal")?;
            }
            bail!("survived a {signal:?}")
        }
        (None, None) => bail!("the parser ended in an unknown way: {status}"),
    }
}

/// Gives up everything except memory and open descriptors.
pub(crate) fn lock() -> anyhow::Result<()> {
    // Ends this process with its parent.
    rustix::process::set_parent_process_death_signal(Some(Signal::KILL)).context("the parent")?;
    let null = File::open("/dev/null").context("opening /dev/null")?;
    leave_the_file_system().context("leaving the file system")?;
    set_no_new_privs(true).context("giving up new privileges")?;
    let none = CapabilitySet::empty();
    let none = CapabilitySets { effective: none, permitted: none, inheritable: none };
    set_capabilities(None, none).context("giving up capabilities")?;
    limit(Resource::Core, 0)?;
    limit(Resource::As, 1024 * 1024 * 1024)?;
    limit(Resource::Cpu, 60)?;
    limit(Resource::Fsize, 0)?;
    // Last, because it reports earlier failures. A terminal could also be read.
    rustix::stdio::dup2_stderr(&null).context("giving up the standard error")?;
    Ok(())
}

/// Allows only the system calls in [`ALLOWED`]. All others fail with EPERM.
pub(crate) fn allow_few_system_calls() -> anyhow::Result<()> {
    let rules: BTreeMap<i64, Vec<_>> = ALLOWED.iter().map(|&call| (call, Vec::new())).collect();
    let refused = SeccompAction::Errno(libc::EPERM.cast_unsigned());
    let filter =
        SeccompFilter::new(rules, refused, SeccompAction::Allow, env::consts::ARCH.try_into()?)?;
    let program: BpfProgram = filter.try_into()?;
    seccompiler::apply_filter(&program).context("filtering system calls")
}

/// The system calls needed to receive, decode, answer and end.
const ALLOWED: &[i64] = &[
    libc::SYS_recvfrom,
    libc::SYS_recvmsg,
    libc::SYS_sendto,
    libc::SYS_sendmsg,
    libc::SYS_read,
    libc::SYS_pread64,
    libc::SYS_lseek,
    libc::SYS_fstat,
    libc::SYS_statx,
    libc::SYS_close,
    libc::SYS_fcntl,
    libc::SYS_write,
    libc::SYS_writev,
    libc::SYS_ppoll,
    libc::SYS_brk,
    libc::SYS_mmap,
    libc::SYS_munmap,
    libc::SYS_mremap,
    libc::SYS_mprotect,
    libc::SYS_munlock,
    libc::SYS_madvise,
    libc::SYS_futex,
    libc::SYS_clock_gettime,
    libc::SYS_getrandom,
    libc::SYS_rt_sigaction,
    libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigreturn,
    libc::SYS_sigaltstack,
    // To end, and to crash.
    libc::SYS_getpid,
    libc::SYS_gettid,
    libc::SYS_tgkill,
    libc::SYS_exit,
    libc::SYS_exit_group,
];

/// Makes an empty read-only directory the root of all paths.
fn leave_the_file_system() -> io::Result<()> {
    let flags = MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC;
    mount_change("/", MountPropagationFlags::REC | MountPropagationFlags::PRIVATE)?;
    mount("none", "/proc", "tmpfs", flags, c"size=4k")?;
    env::set_current_dir("/proc")?;
    // The old root is mounted over the new one, and then unmounted (pivot_root(2)).
    pivot_root(".", ".")?;
    unmount(".", UnmountFlags::DETACH)?;
    env::set_current_dir("/")?;
    mount_remount("/", flags | MountFlags::RDONLY, c"")?;
    Ok(())
}

fn limit(resource: Resource, to: u64) -> anyhow::Result<()> {
    let limit = Rlimit { current: Some(to), maximum: Some(to) };
    setrlimit(resource, limit).with_context(|| format!("limiting {resource:?}"))
}
