//! Starting the daemon on demand.
//!
//! The client starts `orchestra daemon __detach`, which becomes a session of its own, starts the
//! daemon proper and ends: editors kill the process tree of their server, and the daemon must not
//! be in it. The daemon says `ready` on its standard output once it listens.

use crate::error::ClientError;
use orchestra_core::folders::Folders;
use rustix::{
    event::{PollFd, PollFlags, poll},
    io::retry_on_intr,
};
use std::{
    fs::{File, TryLockError},
    io::{self, BufRead as _, BufReader, Read as _},
    os::{fd::OwnedFd, unix::process::CommandExt as _},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

/// What the daemon prints when it accepts connections.
pub const READY: &str = "ready";
/// What it prints when another daemon holds the lock.
pub const TAKEN: &str = "taken";
/// The hidden arguments of the process between client and daemon.
pub const DETACH: [&str; 2] = ["daemon", "__detach"];
/// The hidden arguments of the daemon.
pub const SERVE: [&str; 2] = ["daemon", "__serve"];

/// This program anew, also after its file was replaced by a newer build.
pub fn this_program() -> Command {
    #[cfg(target_os = "linux")]
    {
        let mut command = Command::new("/proc/self/exe");
        command.arg0("orchestra");
        command
    }
    #[cfg(not(target_os = "linux"))]
    Command::new(std::env::current_exe().unwrap_or_else(|_| "orchestra".into()))
}

/// How long another daemon that holds the lock may take until it listens, or until it has gone.
const PATIENCE: Duration = Duration::from_secs(10);

/// How often a lock is looked at that another process holds. Locks announce nothing.
const POLL: Duration = Duration::from_millis(5);

/// Starts a daemon and returns when one listens, this one or another that was faster.
pub(crate) async fn start(folders: &Folders) -> Result<(), ClientError> {
    let folders = folders.clone();
    tokio::task::spawn_blocking(move || start_blocking(&folders))
        .await
        .map_err(|error| ClientError::Launch(error.to_string()))?
}

fn start_blocking(folders: &Folders) -> Result<(), ClientError> {
    if std::env::var_os("ORCHESTRA_ATTEMPT").is_some() {
        return Err(ClientError::Launch("an agent cannot start the daemon".to_owned()));
    }
    let deadline = Instant::now() + PATIENCE;
    loop {
        match launch_once()? {
            Launched::Ready => return Ok(()),
            // It may be about to listen, or an old one may be about to let go of the lock.
            Launched::Taken if crate::client::is_listening(&folders.socket()) => return Ok(()),
            Launched::Taken if Instant::now() < deadline => {
                std::thread::sleep(POLL);
            }
            Launched::Taken => {
                return Err(ClientError::Launch(format!(
                    "another process holds {} but does not answer; see {}",
                    folders.daemon_lock().display(),
                    folders.daemon_log().display()
                )));
            }
        }
    }
}

/// Returns when the daemon with this pid has ended: the lock is free, or somebody else's.
pub(crate) async fn wait_for_end(folders: &Folders, pid: u32) -> Result<(), ClientError> {
    let lock = folders.daemon_lock();
    let failed = |why: String| ClientError::Launch(format!("wait until daemon {pid} ends: {why}"));
    let deadline = Instant::now() + PATIENCE;
    loop {
        let mut file = match File::open(&lock) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(failed(error.to_string())),
        };
        match file.try_lock_shared() {
            Ok(()) => return Ok(()),
            Err(TryLockError::Error(error)) => return Err(failed(error.to_string())),
            Err(TryLockError::WouldBlock) => {}
        }
        let mut holder = String::new();
        file.read_to_string(&mut holder).map_err(|error| failed(error.to_string()))?;
        // While it is being written it names nobody.
        if holder.trim().parse().is_ok_and(|holder: u32| holder != pid) {
            return Ok(());
        }
        if Instant::now() > deadline {
            return Err(failed(format!("it still holds {}", lock.display())));
        }
        tokio::time::sleep(POLL).await;
    }
}

/// A hold on a process that shows its end; `None` when it has ended already.
#[cfg(target_os = "linux")]
pub(crate) fn watch(pid: u32) -> Option<OwnedFd> {
    let pid = i32::try_from(pid).ok().and_then(rustix::process::Pid::from_raw)?;
    rustix::process::pidfd_open(pid, rustix::process::PidfdFlags::empty()).ok()
}

/// Without such a hold the lock alone says that the process has as good as ended.
#[cfg(not(target_os = "linux"))]
pub(crate) fn watch(_pid: u32) -> Option<OwnedFd> {
    None
}

/// Returns when the process has ended, which lets go of its lock a moment before.
pub(crate) async fn has_ended(process: Option<OwnedFd>) -> Result<(), ClientError> {
    let Some(process) = process else { return Ok(()) };
    let patience = rustix::event::Timespec {
        tv_sec: i64::try_from(PATIENCE.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: 0,
    };
    let ended = tokio::task::spawn_blocking(move || {
        let mut end = [PollFd::new(&process, PollFlags::IN)];
        retry_on_intr(|| poll(&mut end, Some(&patience)))
    });
    match ended.await {
        Ok(Ok(1..)) => Ok(()),
        Ok(Ok(0)) => Err(ClientError::Launch("the daemon does not end".to_owned())),
        Ok(Err(error)) => Err(ClientError::Launch(error.to_string())),
        Err(error) => Err(ClientError::Launch(error.to_string())),
    }
}

enum Launched {
    Ready,
    Taken,
}

fn launch_once() -> Result<Launched, ClientError> {
    let failed = |error: io::Error| ClientError::Launch(error.to_string());
    let mut child = this_program()
        .args(DETACH)
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(failed)?;
    let Some(stdout) = child.stdout.take() else {
        return Err(ClientError::Launch("its output was not captured".to_owned()));
    };
    let mut stdout = BufReader::new(stdout);
    let mut line = String::new();
    stdout.read_line(&mut line).map_err(failed)?;
    child.wait().map_err(failed)?;
    match line.trim_end() {
        READY => Ok(Launched::Ready),
        TAKEN => Ok(Launched::Taken),
        _ => {
            stdout.read_to_string(&mut line).map_err(failed)?;
            let reason = line.trim_end();
            let reason = if reason.is_empty() { "it ended without a word" } else { reason };
            Err(ClientError::Launch(reason.to_owned()))
        }
    }
}
