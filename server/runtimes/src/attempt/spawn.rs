//! Starting a shim.

use super::AttemptDir;
use rustix::process::{Pid, PidfdFlags, pidfd_open};
use std::{
    collections::BTreeMap,
    io,
    os::{fd::OwnedFd, unix::process::CommandExt as _},
    process::{Child, Command, Stdio},
};

/// The first argument by which this program knows that it is to be a shim.
pub(crate) const SHIM: &str = "__shim";

/// What this program calls itself, whatever its file is called.
pub(crate) const NAME: &str = "orchestra";

/// A shim that was just started.
#[derive(Debug)]
pub struct Shim {
    pub pid: u32,
    /// Readable when the shim has ended.
    pub pidfd: OwnedFd,
    /// To be waited for, or the shim stays a zombie after its end.
    pub child: Child,
}

/// Starts a shim for the attempt. `environment` is all that shim and agent get; secrets travel there
/// and nowhere else.
///
/// There must be no `pre_exec` here: without one this is `posix_spawn`, whose cost does not grow
/// with the size of the daemon.
pub fn spawn_shim(
    attempt: &AttemptDir,
    environment: &BTreeMap<String, String>,
) -> io::Result<Shim> {
    fail::fail_point!("attempt::spawn::before", |_| std::process::abort());
    let mut command = this_program()?;
    command
        .arg(SHIM)
        // It leaves our folder.
        .arg(std::path::absolute(attempt.path())?)
        .env_clear()
        .envs(environment)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    #[cfg(feature = "failpoints")]
    if let Some(failpoints) = std::env::var_os(crate::shim::FAILPOINTS) {
        command.env(crate::shim::FAILPOINTS, failpoints);
    }
    let child = command.spawn()?;
    let pid = child.id();
    fail::fail_point!("attempt::spawn::after", |_| std::process::abort());
    // Safe from reuse of the number, because nobody has waited for the child yet.
    let pidfd = pidfd_open(as_pid(pid)?, PidfdFlags::empty())?;
    Ok(Shim { pid, pidfd, child })
}

/// This program anew. Never `current_exe()`, which names another build, or nothing, once the file was
/// replaced.
pub(crate) fn this_program() -> io::Result<Command> {
    #[cfg(target_os = "linux")]
    let program = "/proc/self/exe";
    #[cfg(not(target_os = "linux"))]
    let program = std::env::current_exe()?;
    let mut command = Command::new(program);
    command.arg0(NAME);
    Ok(command)
}

pub(crate) fn as_pid(pid: u32) -> io::Result<Pid> {
    i32::try_from(pid).ok().and_then(Pid::from_raw).ok_or_else(|| {
        io::Error::new(io::ErrorKind::InvalidInput, format!("{pid} is not a process number"))
    })
}
