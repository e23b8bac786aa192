//! One call of a program, and what came of it.

use crate::Running;
use serde_json::Value;
use std::{
    env,
    ffi::OsStr,
    io::Write as _,
    path::Path,
    process::{ChildStdin, Command, ExitStatus, Stdio},
    time::Duration,
};

/// The only variables that a sandboxed program gets from the developer's environment.
const INHERITED: [&str; 3] = ["PATH", "LANG", "RUST_BACKTRACE"];

/// After this, a program that was expected to end is taken to hang.
const LIMIT: Duration = Duration::from_secs(60);

/// A program with its arguments and environment, not started yet.
#[derive(Debug)]
pub struct Cmd {
    command: Command,
    stdin: Vec<u8>,
    limit: Duration,
}

impl Cmd {
    pub(crate) fn new(program: impl AsRef<OsStr>, folder: &Path) -> Self {
        let mut command = Command::new(program);
        command.current_dir(folder).env_clear();
        for name in INHERITED {
            if let Some(value) = env::var_os(name) {
                command.env(name, value);
            }
        }
        Self { command, stdin: Vec::new(), limit: LIMIT }
    }

    pub fn arg(mut self, argument: impl AsRef<OsStr>) -> Self {
        self.command.arg(argument);
        self
    }

    pub fn args<A: AsRef<OsStr>>(mut self, arguments: impl IntoIterator<Item = A>) -> Self {
        self.command.args(arguments);
        self
    }

    pub fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    pub fn env_remove(mut self, name: impl AsRef<OsStr>) -> Self {
        self.command.env_remove(name);
        self
    }

    pub fn current_dir(mut self, folder: impl AsRef<Path>) -> Self {
        self.command.current_dir(folder);
        self
    }

    /// Arms failpoints in this process and in what it starts, as in `name=return;other=1*panic`.
    pub fn failpoints(self, points: &str) -> Self {
        self.env("FAILPOINTS", points)
    }

    /// What the program reads; nothing unless told otherwise.
    pub fn stdin(mut self, text: impl Into<Vec<u8>>) -> Self {
        self.stdin = text.into();
        self
    }

    /// How long [`Cmd::run`] waits for the end; a minute unless told otherwise.
    pub fn limit(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// Runs it to its end.
    ///
    /// # Panics
    /// When it cannot be started, or has not ended after the limit: then it is killed first.
    #[track_caller]
    pub fn run(self) -> Outcome {
        let limit = self.limit;
        self.spawn().wait(limit)
    }

    /// Another program with other arguments, in the same folder and environment.
    pub(crate) fn with_program<A: AsRef<OsStr>>(
        self,
        program: &str,
        arguments: impl IntoIterator<Item = A>,
    ) -> Self {
        let mut command = Command::new(program);
        command.args(arguments).env_clear();
        command.envs(self.command.get_envs().filter_map(|(name, value)| Some((name, value?))));
        if let Some(folder) = self.command.get_current_dir() {
            command.current_dir(folder);
        }
        Self { command, ..self }
    }

    /// The program and its arguments, quoted for `sh`.
    pub(crate) fn shell_line(&self) -> String {
        let words = std::iter::once(self.command.get_program()).chain(self.command.get_args());
        let quote = |word: &OsStr| {
            let word = word.to_str().expect("a word on a terminal is text");
            format!("'{}'", word.replace('\'', r"'\''"))
        };
        words.map(quote).collect::<Vec<_>>().join(" ")
    }

    /// Starts it.
    ///
    /// # Panics
    /// When it cannot be started.
    #[track_caller]
    pub fn spawn(mut self) -> Running {
        let stdin = if self.stdin.is_empty() { Stdio::null() } else { Stdio::piped() };
        let text = std::mem::take(&mut self.stdin);
        let (running, stdin) = self.start(stdin);
        if let Some(mut stdin) = stdin {
            // Off this thread: a program that writes before it reads would block both.
            std::thread::spawn(move || stdin.write_all(&text));
        }
        running
    }

    /// Starts it, and leaves it to the caller what it reads and when.
    #[track_caller]
    pub(crate) fn spawn_with_keyboard(self) -> (Running, ChildStdin) {
        let (running, stdin) = self.start(Stdio::piped());
        (running, stdin.expect("the standard input is a pipe"))
    }

    #[track_caller]
    fn start(mut self, stdin: Stdio) -> (Running, Option<ChildStdin>) {
        self.command.stdin(stdin).stdout(Stdio::piped()).stderr(Stdio::piped());
        let shown = format!("{:?}", self.command.get_program());
        let arguments: Vec<_> = self.command.get_args().map(OsStr::to_os_string).collect();
        let shown = format!("{shown} {arguments:?}");
        let mut child = match self.command.spawn() {
            Ok(child) => child,
            Err(error) => panic!("start {shown}: {error}"),
        };
        let stdin = child.stdin.take();
        (Running::new(child, shown), stdin)
    }
}

/// What a finished program left.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// The program and its arguments.
    pub command: String,
    pub status: ExitStatus,
    /// The standard output as it came.
    pub bytes: Vec<u8>,
    /// Invalid UTF-8 is replaced.
    pub stdout: String,
    pub stderr: String,
}

impl Outcome {
    /// The exit code; none when a signal ended it.
    pub fn exit_code(&self) -> Option<i32> {
        self.status.code()
    }

    /// Asserts exit code 0.
    #[track_caller]
    pub fn success(self) -> Self {
        self.code(0)
    }

    /// Asserts this exit code.
    #[track_caller]
    pub fn code(self, expected: i32) -> Self {
        assert_eq!(self.exit_code(), Some(expected), "{self}");
        self
    }

    /// Asserts that this is somewhere in the standard error.
    #[track_caller]
    pub fn stderr_has(self, expected: &str) -> Self {
        assert!(self.stderr.contains(expected), "no {expected:?} in the standard error of {self}");
        self
    }

    /// Asserts that this is somewhere in the standard output.
    #[track_caller]
    pub fn stdout_has(self, expected: &str) -> Self {
        assert!(self.stdout.contains(expected), "no {expected:?} in the standard output of {self}");
        self
    }

    /// The standard output as one JSON value.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("no JSON: {error}; {self}"))
    }
}

impl std::fmt::Display for Outcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { command, status, stdout, stderr, .. } = self;
        write!(f, "{command}: {status}\n--- stdout\n{stdout}\n--- stderr\n{stderr}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Sandbox;

    #[test]
    fn code_output_and_input_are_carried() {
        let sandbox = Sandbox::new();
        let script = "cat; echo oops >&2; exit 4";
        let outcome = sandbox.command("sh").args(["-c", script]).stdin("{\"a\": 1}").run();
        let outcome = outcome.code(4).stderr_has("oops").stdout_has("a");
        assert_eq!(outcome.json(), serde_json::json!({"a": 1}));
    }

    #[test]
    #[should_panic(expected = "did not end within 50ms")]
    fn a_program_that_hangs_is_killed_and_named() {
        let sandbox = Sandbox::new();
        sandbox.command("sleep").arg("1000").limit(Duration::from_millis(50)).run();
    }

    #[test]
    fn much_output_on_both_streams_blocks_nobody() {
        let sandbox = Sandbox::new();
        let script = "head -c 300000 /dev/zero | tr '\\0' a; head -c 300000 /dev/zero >&2";
        let outcome = sandbox.command("sh").args(["-c", script]).run().success();
        assert_eq!((outcome.stdout.len(), outcome.stderr.len()), (300_000, 300_000));
    }
}
