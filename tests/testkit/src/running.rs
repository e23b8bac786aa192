//! A program that has been started and may still run.

use crate::{Outcome, processes};
use rustix::process::{Pid, Signal, kill_process};
use std::{
    io::Read,
    process::{Child, ExitStatus},
    sync::{Arc, Condvar, Mutex, MutexGuard},
    thread,
    time::{Duration, Instant},
};

/// Killed when it is dropped before its end.
#[derive(Debug)]
pub struct Running {
    child: Child,
    command: String,
    output: Arc<Shared>,
}

/// What has been read so far, and a bell for whoever waits for more.
#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    stdout: Vec<u8>,
    stderr: Vec<u8>,
    /// How many of the two streams have ended.
    ended: usize,
}

impl Running {
    pub(crate) fn new(mut child: Child, command: String) -> Self {
        let output = Arc::new(Shared::default());
        let stdout = child.stdout.take().expect("the standard output is a pipe");
        let stderr = child.stderr.take().expect("the standard error is a pipe");
        drain(stdout, Arc::clone(&output), |state| &mut state.stdout);
        drain(stderr, Arc::clone(&output), |state| &mut state.stderr);
        Self { child, command, output }
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Waits until the standard output holds `text`, and returns all of the output so far.
    ///
    /// # Panics
    /// When it does not, after `limit` or at the end of the output.
    #[track_caller]
    pub fn wait_for_stdout(&self, text: &str, limit: Duration) -> String {
        let deadline = Instant::now() + limit;
        let mut state = self.output.lock();
        loop {
            let stdout = String::from_utf8_lossy(&state.stdout).into_owned();
            if stdout.contains(text) {
                return stdout;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(
                state.ended < 2 && !left.is_zero(),
                "{} did not print {text:?} within {limit:?}\n--- stdout\n{stdout}\n--- stderr\n{}",
                self.command,
                String::from_utf8_lossy(&state.stderr)
            );
            state = self.output.changed.wait_timeout(state, left).expect("no reader panics").0;
        }
    }

    /// Sends a signal, such as the one of Ctrl-C.
    #[track_caller]
    pub fn signal(&self, signal: Signal) {
        // Its id cannot have been reused: it is ours until `wait`.
        kill_process(Pid::from_child(&self.child), signal).expect("signal the program");
    }

    /// As `kill -9` does.
    pub fn kill(&mut self) {
        self.child.kill().ok();
    }

    /// Waits for the end of the process and of its output.
    ///
    /// # Panics
    /// When it has not ended after `limit`; it is killed first.
    #[track_caller]
    pub fn wait(mut self, limit: Duration) -> Outcome {
        let deadline = Instant::now() + limit;
        let status = self.wait_for_end(deadline);
        let mut state = self.output.lock();
        // Somebody whom the program started may hold its output open for longer.
        while state.ended < 2 && Instant::now() < deadline {
            let left = deadline.saturating_duration_since(Instant::now());
            state = self.output.changed.wait_timeout(state, left).expect("no reader panics").0;
        }
        let bytes = std::mem::take(&mut state.stdout);
        let stdout = String::from_utf8_lossy(&bytes).into_owned();
        let stderr = String::from_utf8_lossy(&state.stderr).into_owned();
        let output_ended = state.ended == 2;
        drop(state);
        let command = self.command.clone();
        let Some(status) = status else {
            panic!(
                "{command} did not end within {limit:?}\n--- stdout\n{stdout}\n--- stderr\n{stderr}"
            );
        };
        assert!(output_ended, "{command} ended, but its output is held open by another process");
        Outcome { command, status, bytes, stdout, stderr }
    }
}

impl Running {
    /// None when the deadline came first; then the process has been killed.
    fn wait_for_end(&mut self, deadline: Instant) -> Option<ExitStatus> {
        loop {
            if let Some(status) = self.child.try_wait().expect("the child is ours") {
                return Some(status);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                self.kill();
                self.child.wait().expect("the child is ours");
                return None;
            }
            processes::wait_for_end(&self.child, left);
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.kill();
        self.child.wait().ok();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no reader panics")
    }
}

/// Reads a stream to its end on a thread of its own.
fn drain(
    mut stream: impl Read + Send + 'static,
    output: Arc<Shared>,
    part: fn(&mut State) -> &mut Vec<u8>,
) {
    thread::spawn(move || {
        let mut buffer = vec![0; 64 * 1024];
        // An error means the same as the end: nothing more will come.
        while let Ok(length @ 1..) = stream.read(&mut buffer) {
            part(&mut output.lock()).extend_from_slice(&buffer[..length]);
            output.changed.notify_all();
        }
        output.lock().ended += 1;
        output.changed.notify_all();
    });
}

#[cfg(test)]
mod tests {
    use crate::Sandbox;
    use rustix::process::Signal;
    use std::time::Duration;

    const LIMIT: Duration = Duration::from_secs(10);

    #[test]
    fn a_line_is_waited_for_while_the_program_runs() {
        let sandbox = Sandbox::new();
        let script = "trap 'echo bye; exit 3' TERM; echo ready; while :; do read -r _ < fifo; done";
        sandbox.command("mkfifo").arg("fifo").run().success();
        let running = sandbox.command("sh").args(["-c", script]).spawn();
        assert_eq!(running.wait_for_stdout("ready", LIMIT), "ready\n");
        running.signal(Signal::TERM);
        assert_eq!(running.wait(LIMIT).code(3).stdout, "ready\nbye\n");
    }

    #[test]
    #[should_panic(expected = "did not print \"ready\"")]
    fn a_program_that_ends_without_its_line_fails_at_once() {
        let sandbox = Sandbox::new();
        sandbox.command("true").spawn().wait_for_stdout("ready", LIMIT);
    }

    #[test]
    fn a_program_ends_with_the_test_that_forgot_it() {
        let sandbox = Sandbox::new();
        drop(sandbox.command("sleep").arg("1000").spawn());
        assert_eq!(sandbox.processes(), []);
    }
}
