//! Gates: named pipes at which an agent waits until the test lets it go on.

use crate::{Sandbox, eventually};
use rustix::{
    fs::{Mode, OFlags, open},
    io::Errno,
};
use std::{
    fmt::{self, Write as _},
    fs::File,
    io::Write as _,
    path::PathBuf,
    time::Duration,
};

/// How long an agent may take until it is at its gate.
const LIMIT: Duration = Duration::from_secs(30);

/// A place where an agent waits; its [`fmt::Display`] is the line of `sh` that does.
#[derive(Debug)]
pub struct Gate {
    path: PathBuf,
}

/// An agent waits. It goes on when this is dropped.
#[derive(Debug)]
pub struct Arrived(File);

impl Sandbox {
    /// A closed gate outside the workspace.
    pub fn gate(&self, name: &str) -> Gate {
        let path = self.outside().join(format!("gate-{name}"));
        self.command("mkfifo").arg(&path).run().success();
        Gate { path }
    }
}

impl Gate {
    /// The gate of this path, which [`Sandbox::gate`] made.
    pub fn at(path: PathBuf) -> Self {
        Self { path }
    }

    /// Waits until an agent is there. It stays until the answer is dropped.
    #[track_caller]
    pub fn wait(&self) -> Arrived {
        let what = format!("an agent at {}", self.path.display());
        eventually(&what, LIMIT, || self.arrived())
    }

    /// Whether an agent is there now.
    pub fn arrived(&self) -> Option<Arrived> {
        // Without a reader this is refused, and with one it does not wait.
        match open(&self.path, OFlags::WRONLY | OFlags::NONBLOCK | OFlags::CLOEXEC, Mode::empty()) {
            Ok(descriptor) => Some(Arrived(File::from(descriptor))),
            Err(Errno::NXIO) => None,
            Err(error) => panic!("open {}: {error}", self.path.display()),
        }
    }

    /// Waits until an agent is there and lets it go on.
    #[track_caller]
    pub fn open(&self) {
        drop(self.wait());
    }
}

impl fmt::Display for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut line = String::new();
        write!(line, "read -r _ < '{}'", self.path.display())?;
        f.pad(&line)
    }
}

impl Drop for Arrived {
    fn drop(&mut self) {
        // An agent that was killed meanwhile does not read it.
        self.0.write_all(b"\n").ok();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_waits_at_its_gate_until_it_is_let_go() {
        let sandbox = Sandbox::new();
        let gate = sandbox.gate("one");
        assert!(gate.arrived().is_none());
        let script = format!("echo before; {gate}; echo after");
        let running = sandbox.command("sh").args(["-c", &script]).spawn();
        let arrived = gate.wait();
        assert_eq!(running.wait_for_stdout("before", LIMIT), "before\n");
        drop(arrived);
        assert_eq!(running.wait(LIMIT).success().stdout, "before\nafter\n");
    }
}
