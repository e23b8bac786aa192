//! What every scenario needs: an attempt in folders of its own, run by a shell script as its agent.

use orchestra_core::{
    agent::{Completion, Prints},
    outcome::AttemptOutcome,
    time::Millis,
};
use orchestra_runtimes::attempt::{
    AttemptDir, AttemptResult, Found, Shim, ShimEvent, Spec, end_leftovers, new_nonce, outcome,
    probe, spawn_shim,
};
use orchestra_runtimes::confine::Scope;
use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    fs::{CWD, Mode, OFlags, mkfifoat, open},
    process::{Pid, Signal, kill_process},
};
use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::Read as _,
    os::fd::AsFd,
    path::{Path, PathBuf},
    process::Child,
    time::Duration,
};
use tempfile::TempDir;

/// Longer than anything here takes; a scenario that waits for so long has failed.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// An attempt that a scenario is about.
pub(crate) struct Bench {
    folder: TempDir,
    pub(crate) spec: Spec,
    pub(crate) environment: BTreeMap<String, String>,
    pub(crate) attempt: AttemptDir,
    /// Open for as long as it lasts, or what waits in it would be lost.
    ready: File,
    shims: Vec<Shim>,
}

impl Bench {
    /// An attempt whose agent is this shell script. `$ready` is a named pipe for [`Bench::wait_for`].
    pub(crate) fn new(script: &str) -> Self {
        Self::of_program(Path::new("/bin/sh"), &["-c", script])
    }

    pub(crate) fn of_program(program: &Path, arguments: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let slot = folder.path().join("slot");
        for part in ["src", "tmp", "out/tasks"] {
            fs::create_dir_all(slot.join(part)).unwrap();
        }
        let spec = Spec {
            workspace: "abcdefgh".parse().unwrap(),
            attempt: "r1.2@1".parse().unwrap(),
            nonce: new_nonce().unwrap(),
            agent: "tester".to_owned(),
            program: program.to_owned(),
            arguments: arguments.iter().map(|&argument| argument.to_owned()).collect(),
            directory: slot.join("src"),
            slot,
            // The scenarios' pipes lie beside the slot.
            scope: Scope { write: vec![folder.path().to_owned()], ..Scope::default() },
            own_sandbox: None,
            shared_state: Vec::new(),
            completion: Completion::Exit,
            prints: Prints::Text,
            timeout: Millis::minutes(10),
            // Longer than any scenario, so that only the scenarios about it meet it.
            grace: Millis::minutes(10),
            sentinel_wait: Millis::minutes(10),
            log_limit: 1 << 20,
            secrets: Vec::new(),
            daemon: None,
            broker: None,
        };
        let mut environment = BTreeMap::from([
            ("PATH".to_owned(), "/usr/local/bin:/usr/bin:/bin".to_owned()),
            ("ORCHESTRA_DIR".to_owned(), spec.out().to_str().unwrap().to_owned()),
            (Spec::MARKER.to_owned(), spec.marker()),
        ]);
        let attempt = AttemptDir::at(&folder.path().join("state/attempts/r1.2-1"));
        let ready = folder.path().join("ready");
        mkfifoat(CWD, &ready, Mode::RUSR | Mode::WUSR).unwrap();
        environment.insert("ready".to_owned(), ready.to_str().unwrap().to_owned());
        let flags = OFlags::RDWR | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let ready = File::from(open(&ready, flags, Mode::empty()).unwrap());
        Self { folder, spec, environment, attempt, ready, shims: Vec::new() }
    }

    /// A named pipe that the agent finds in the variable of this name.
    pub(crate) fn pipe(&mut self, name: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        mkfifoat(CWD, &path, Mode::RUSR | Mode::WUSR).unwrap();
        self.set(name, path.to_str().unwrap());
        path
    }

    pub(crate) fn set(&mut self, name: &str, value: &str) {
        self.environment.insert(name.to_owned(), value.to_owned());
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn create(&mut self) {
        AttemptDir::create(self.attempt.path(), &self.spec).unwrap();
    }

    pub(crate) fn spawn(&mut self) {
        self.shims.push(spawn_shim(&self.attempt, &self.environment).unwrap());
    }

    pub(crate) fn start(&mut self) {
        self.create();
        self.spawn();
    }

    /// Starts it and returns when the agent has written this into `$ready`.
    pub(crate) fn start_until(&mut self, word: &str) {
        self.start();
        self.wait_for(word);
    }

    /// Until the agent has written this into `$ready`.
    pub(crate) fn wait_for(&self, word: &str) {
        assert_eq!(self.heard(word.len() + 1), format!("{word}\n"));
    }

    /// What the agent writes into `$ready` next.
    pub(crate) fn heard(&self, length: usize) -> String {
        let mut heard = vec![0; length];
        let mut filled = 0;
        while filled < length {
            wait_readable(&self.ready, "the agent's word");
            filled += (&self.ready).read(&mut heard[filled..]).unwrap();
        }
        String::from_utf8(heard).unwrap()
    }

    /// A number that the agent writes into `$ready`, padded to ten digits.
    pub(crate) fn heard_pid(&self) -> u32 {
        self.heard(11).trim().parse().unwrap()
    }

    pub(crate) fn shim_pid(&self) -> u32 {
        self.shims[0].pid
    }

    pub(crate) fn child(&mut self) -> &mut Child {
        &mut self.shims[0].child
    }

    /// Until every shim has ended.
    pub(crate) fn wait_for_shims(&mut self) {
        for shim in &mut self.shims {
            wait_readable(&shim.pidfd, "the end of the shim");
            shim.child.wait().unwrap();
        }
    }

    /// As `kill -9` of the first shim.
    pub(crate) fn kill_shim(&mut self) {
        kill_process(pid(self.shim_pid()), Signal::KILL).unwrap();
        self.wait_for_shims();
    }

    /// Runs it to its end.
    pub(crate) fn run(&mut self) -> AttemptResult {
        self.start();
        self.result()
    }

    /// How it ended, when it has.
    pub(crate) fn result(&mut self) -> AttemptResult {
        self.wait_for_shims();
        match probe(&self.attempt).unwrap() {
            Found::Ended(result) => *result,
            found => panic!("{found:?}"),
        }
    }

    pub(crate) fn outcome(&mut self) -> AttemptOutcome {
        let result = self.run();
        outcome(&result, &self.spec)
    }

    pub(crate) fn log(&self) -> String {
        String::from_utf8(fs::read(self.attempt.log_path()).unwrap_or_default()).unwrap()
    }

    pub(crate) fn events(&self) -> Vec<ShimEvent> {
        let lines = self.attempt.events(0, 1 << 24).unwrap().lines;
        lines.into_iter().map(|line| line.event).collect()
    }
}

impl Drop for Bench {
    /// Nothing that a failed scenario has started may stay.
    fn drop(&mut self) {
        for shim in &mut self.shims {
            let _ = shim.child.kill();
            let _ = shim.child.wait();
        }
        let dead = std::slice::from_ref(&self.attempt);
        if let Ok(left) = end_leftovers(dead, Duration::ZERO, PATIENCE)
            && left.ended > 0
            && !std::thread::panicking()
        {
            panic!("the scenario left {} processes behind", left.ended);
        }
    }
}

pub(crate) fn wait_readable(fd: impl AsFd, what: &str) {
    let timeout = Timespec::try_from(PATIENCE).unwrap();
    let ready = poll(&mut [PollFd::new(&fd, PollFlags::IN)], Some(&timeout)).unwrap();
    assert_eq!(ready, 1, "waited in vain for {what}");
}

pub(crate) fn pid(pid: u32) -> Pid {
    Pid::from_raw(i32::try_from(pid).unwrap()).unwrap()
}

/// Whether the process exists and is no zombie.
pub(crate) fn is_running(pid: u32) -> bool {
    fs::read_to_string(format!("/proc/{pid}/stat"))
        .is_ok_and(|stat| !stat.rsplit_once(')').unwrap().1.starts_with(" Z"))
}
