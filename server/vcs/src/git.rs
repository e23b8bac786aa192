//! The one place that runs git: what it sees of the environment, how long it may take, and what its
//! refusals mean.

use crate::{GitError, wrapper::Wrapper};
use rustix::{
    fs::{Access, access},
    process::{Pid, Signal, kill_process_group},
};
use std::{
    env,
    ffi::{OsStr, OsString},
    fs::File,
    io::{self, BufRead, BufReader, Read, Write as _},
    os::unix::process::CommandExt as _,
    panic::resume_unwind,
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, ExitStatus, Stdio},
    sync::mpsc::{self, RecvTimeoutError},
    thread,
    time::{Duration, Instant},
};

/// How long a question may take.
pub(crate) const ANSWER_LIMIT: Duration = Duration::from_secs(60);

/// How long files may be written.
pub(crate) const CHECKOUT_LIMIT: Duration = Duration::from_secs(30 * 60);

/// How much of what git complains about is kept, in bytes.
const STDERR_KEPT: u64 = 16 * 1024;

/// What git is given of our environment. No `GIT_*` among it: somebody's `GIT_DIR` or
/// `GIT_INDEX_FILE` (Orchestra called from a hook) would have us read another repository.
/// `SUDO_UID` is how git recognises the files of the user behind a sudo.
const ENVIRONMENT: [&str; 4] = ["PATH", "HOME", "XDG_CONFIG_HOME", "SUDO_UID"];

/// Settings that keep git from running or reaching anything, whatever a repository configures.
const HARDENING: [(&str, &str); 3] =
    [("core.hooksPath", "/dev/null"), ("core.fsmonitor", "false"), ("protocol.allow", "never")];

/// One call of git.
#[derive(Debug)]
pub(crate) struct Git {
    place: PathBuf,
    what: String,
    arguments: Vec<OsString>,
    settings: Vec<(OsString, OsString)>,
    own_settings_only: bool,
    environment: Vec<(&'static str, OsString)>,
    input: Vec<u8>,
    input_file: Option<File>,
    wrapper: Option<Wrapper>,
    limit: Duration,
}

/// What git said, whatever its exit code.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: ExitStatus,
    pub(crate) stdout: Vec<u8>,
    stderr: String,
}

impl Git {
    /// `git <verb>` in the folder `place`, with the settings of the user and of the system: they
    /// say which files are ignored, how lines end, and whose repositories are safe.
    pub(crate) fn new(place: &Path, verb: &str, limit: Duration) -> Self {
        Self {
            place: place.to_owned(),
            what: format!("git {verb}"),
            arguments: vec![verb.into()],
            settings: HARDENING.map(|(key, value)| (key.into(), value.into())).into(),
            own_settings_only: false,
            environment: Vec::new(),
            input: Vec::new(),
            input_file: None,
            wrapper: None,
            limit,
        }
    }

    pub(crate) fn args<A: AsRef<OsStr>>(mut self, arguments: impl IntoIterator<Item = A>) -> Self {
        self.arguments.extend(arguments.into_iter().map(|argument| argument.as_ref().to_owned()));
        self
    }

    /// Sets `key` above every configuration file.
    pub(crate) fn set(mut self, key: OsString, value: &str) -> Self {
        self.settings.push((key, value.into()));
        self
    }

    /// Leaves the settings of the user and of the system unread, so that no filter which they
    /// define (git-lfs is one) is run.
    pub(crate) fn with_own_settings_only(mut self) -> Self {
        self.own_settings_only = true;
        self
    }

    /// Takes this `.git` folder, absolute or relative to the place, rather than looking for one.
    pub(crate) fn in_repository(self, folder: impl AsRef<Path>) -> Self {
        self.env("GIT_DIR", folder.as_ref())
    }

    /// Takes this file, absolute or relative to the top of the working tree, as the index.
    pub(crate) fn with_index(self, file: &Path) -> Self {
        self.env("GIT_INDEX_FILE", file)
    }

    /// Adds a variable to what git is given of our environment.
    pub(crate) fn env(mut self, name: &'static str, value: impl AsRef<OsStr>) -> Self {
        self.environment.push((name, value.as_ref().to_owned()));
        self
    }

    /// Gives these bytes to git as its standard input, which is empty otherwise.
    pub(crate) fn input(mut self, bytes: Vec<u8>) -> Self {
        self.input = bytes;
        self
    }

    /// Gives this file to git as its standard input, from where it stands.
    pub(crate) fn input_file(mut self, file: File) -> Self {
        self.input_file = Some(file);
        self
    }

    /// Has the wrapper start git.
    pub(crate) fn through(mut self, wrapper: &Wrapper) -> Self {
        self.wrapper = Some(wrapper.clone());
        self
    }

    /// Runs to the end, whatever the exit code.
    pub(crate) fn answer(self) -> Result<Answer, GitError> {
        let mut stdout = Vec::new();
        let (status, stderr) = self.run(|pipe| pipe.read_to_end(&mut stdout).map(drop))?;
        Ok(Answer { status, stdout, stderr })
    }

    /// Runs to the end; any exit code but zero is an error.
    pub(crate) fn output(self) -> Result<Vec<u8>, GitError> {
        let (place, what) = (self.place.clone(), self.what.clone());
        let answer = self.answer()?;
        if answer.status.success() { Ok(answer.stdout) } else { Err(answer.refusal(what, place)) }
    }

    /// Runs to the end and shows every record that ends with NUL, without holding them all.
    pub(crate) fn records(self, mut visit: impl FnMut(&[u8]) + Send) -> Result<(), GitError> {
        self.stream(|pipe| {
            let mut record = Vec::new();
            while pipe.read_until(0, &mut record)? > 0 {
                visit(record.strip_suffix(&[0]).unwrap_or(&record));
                record.clear();
            }
            Ok(())
        })
    }

    /// Runs to the end and has what git says read while it comes. An error of `read` ends git.
    pub(crate) fn stream(
        self,
        read: impl FnOnce(&mut dyn BufRead) -> io::Result<()> + Send,
    ) -> Result<(), GitError> {
        let (place, what) = (self.place.clone(), self.what.clone());
        let (status, stderr) =
            self.run(|pipe| read(&mut BufReader::with_capacity(64 * 1024, pipe)))?;
        if status.success() {
            return Ok(());
        }
        Err(Answer { status, stdout: Vec::new(), stderr }.refusal(what, place))
    }

    fn run(
        self,
        read: impl FnOnce(&mut dyn Read) -> io::Result<()> + Send,
    ) -> Result<(ExitStatus, String), GitError> {
        let started = Instant::now();
        let mut child = self.spawn()?;
        let (stdin, stdout, stderr) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let input = self.input.as_slice();
        let (done, both_done) = mpsc::channel();
        let also_done = done.clone();

        let ((read, complaints), in_time) = at_once(
            || {
                at_once(
                    // Nobody listens to `done` any more once the time is up.
                    || {
                        let read = || stdout.map_or(Ok(()), |mut pipe| read(&mut pipe));
                        let result = match stdin {
                            Some(pipe) => at_once(|| feed(pipe, input), read).1,
                            None => read(),
                        };
                        let _ = done.send(());
                        result
                    },
                    || {
                        let result = stderr.map_or(Ok(String::new()), bounded_text);
                        let _ = also_done.send(());
                        result
                    },
                )
            },
            || {
                let wait = || both_done.recv_timeout(self.limit.saturating_sub(started.elapsed()));
                let in_time = wait().and_then(|()| wait()) != Err(RecvTimeoutError::Timeout);
                if !in_time {
                    end(&child);
                }
                in_time
            },
        );

        let status = child.wait();
        if !in_time {
            let Self { what, place, limit, .. } = self;
            return Err(GitError::TimedOut { what, place, limit });
        }
        let failed = || GitError::io("failed to run git in", &self.place);
        read.map_err(failed())?;
        Ok((status.map_err(failed())?, complaints.map_err(failed())?))
    }

    fn spawn(&self) -> Result<Child, GitError> {
        // By its full path: only so, with an environment of its own, does the standard library take
        // posix_spawn. A fork would copy the page tables of a large daemon.
        let mut command = match &self.wrapper {
            Some(wrapper) => wrapper.command(&program()?),
            None => Command::new(program()?),
        };
        command.arg("-C").arg(&self.place).args(&self.arguments).env_clear();
        command.envs(ENVIRONMENT.iter().filter_map(|name| Some((name, env::var_os(name)?))));
        // Messages are read by `refusal`, so they must be in English.
        command.env("LC_ALL", "C").env("GIT_TERMINAL_PROMPT", "0");
        // We only look: the user's index is not refreshed, and a partial clone fetches nothing.
        command.env("GIT_OPTIONAL_LOCKS", "0").env("GIT_NO_LAZY_FETCH", "1");
        if self.own_settings_only {
            command.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1");
        }
        command.env("GIT_CONFIG_COUNT", self.settings.len().to_string());
        for (index, (key, value)) in self.settings.iter().enumerate() {
            command.env(format!("GIT_CONFIG_KEY_{index}"), key);
            command.env(format!("GIT_CONFIG_VALUE_{index}"), value);
        }
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        // A group of its own, so that at a time-out whatever it started ends with it, and a Ctrl-C
        // on the terminal does not reach it in the middle of a checkout.
        command.process_group(0);
        let failed = || GitError::io("failed to run git in", &self.place);
        command.stdin(match &self.input_file {
            Some(file) => file.try_clone().map_err(failed())?.into(),
            None if self.input.is_empty() => Stdio::null(),
            None => Stdio::piped(),
        });
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().map_err(failed())
    }
}

impl Answer {
    /// What an exit code other than zero meant.
    pub(crate) fn refusal(&self, what: String, place: PathBuf) -> GitError {
        let says = |text: &str| self.stderr.contains(text);
        if says("not a git repository") {
            GitError::NoRepository(place)
        } else if says("detected dubious ownership") {
            GitError::OtherOwner(place)
        } else if says("must be run in a work tree") {
            GitError::NoWorkTree(place)
        } else if let Some(detail) = self.complaints().find(|line| {
            [": clean filter '", ": smudge filter "].iter().any(|it| line.contains(it))
        }) {
            GitError::Filter { place, detail: detail.to_owned() }
        } else {
            let detail = match self.complaints().next() {
                None | Some("") => self.status.to_string(),
                Some(text) => text.to_owned(),
            };
            GitError::Failed { what, place, detail }
        }
    }

    /// The rest of the first line that starts so, of what git says beside its output.
    pub(crate) fn remark(&self, start: &str) -> Option<&str> {
        self.stderr.lines().find_map(|line| line.strip_prefix(start))
    }

    /// What git says went wrong: the causes before what became of them. Its first line when it
    /// marks none as an error.
    fn complaints(&self) -> impl Iterator<Item = &str> {
        let text = self.stderr.trim();
        let marked = text.lines().filter_map(|line| {
            line.strip_prefix("fatal: ").or_else(|| line.strip_prefix("error: "))
        });
        let first = text.lines().next().filter(|_| marked.clone().next().is_none());
        marked.chain(first)
    }
}

/// Does both, the first on a thread of its own. Most of a call's time is its start, so calls that need
/// nothing of one another go together.
pub(crate) fn at_once<A: Send, B>(
    first: impl FnOnce() -> A + Send,
    second: impl FnOnce() -> B,
) -> (A, B) {
    thread::scope(|scope| {
        let first = scope.spawn(first);
        let second = second();
        (first.join().unwrap_or_else(|panic| resume_unwind(panic)), second)
    })
}

/// Relative folders on PATH are passed over: what they hold depends on where the daemon was started.
fn program() -> Result<PathBuf, GitError> {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path)
        .filter(|folder| folder.is_absolute())
        .map(|folder| folder.join("git"))
        .find(|file| file.is_file() && access(file, Access::EXEC_OK).is_ok())
        .ok_or(GitError::Missing)
}

/// Ends git and what it started. That it has ended by itself in the meantime is as good.
fn end(child: &Child) {
    // It was not waited for yet, so the number is still its own.
    let _ = kill_process_group(Pid::from_child(child), Signal::KILL);
}

/// That git ended before it had read everything shows in its exit code.
fn feed(mut pipe: ChildStdin, input: &[u8]) {
    let _ = pipe.write_all(input);
}

fn bounded_text(mut pipe: impl Read) -> io::Result<String> {
    let mut kept = Vec::new();
    pipe.by_ref().take(STDERR_KEPT).read_to_end(&mut kept)?;
    // A full pipe would stop git.
    io::copy(&mut pipe, &mut io::sink())?;
    Ok(String::from_utf8_lossy(&kept).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Long enough for any machine; no test waits for it to pass.
    const PATIENCE: Duration = Duration::from_secs(60);

    /// A call that runs a shell, as an alias may.
    fn run_script(script: &str, limit: Duration) -> Git {
        Git::new(Path::new("/"), "run-script", limit)
            .set("alias.run-script".into(), &format!("!{script}"))
    }

    #[test]
    fn what_takes_too_long_is_ended_with_all_it_started() {
        // The call returns when nobody holds its pipes any more, so not before `sleep` is gone.
        let script = "sleep 1000 & sleep 1000; :";
        let error = run_script(script, Duration::from_millis(100)).output().unwrap_err();
        assert_eq!(error.to_string(), "`git run-script` did not end for / within 100ms");
    }

    #[test]
    fn much_output_on_both_pipes_neither_blocks_nor_is_lost() {
        let script = "head -c 1000000 /dev/zero >&2 && head -c 1000000 /dev/zero; :";
        let answer = run_script(script, PATIENCE).answer().unwrap();
        assert_eq!(answer.stdout.len(), 1_000_000);
        assert_eq!(answer.stderr.len() as u64, STDERR_KEPT);
        assert!(answer.status.success());
    }

    #[test]
    fn records_end_with_nul_and_may_hold_anything_else() {
        let mut seen = Vec::new();
        let script = r"printf 'one\000two\nlines\000\000\377'; :";
        run_script(script, PATIENCE).records(|record| seen.push(record.to_owned())).unwrap();
        assert_eq!(seen, [b"one".as_slice(), b"two\nlines", b"", b"\xff"]);
    }

    #[test]
    fn input_larger_than_a_pipe_goes_in_while_output_comes_out() {
        let input: Vec<u8> = (0..1_000_000_u32).map(|number| (number % 251) as u8).collect();
        let output = run_script("cat; :", PATIENCE).input(input.clone()).output().unwrap();
        assert!(output == input, "{} bytes came back", output.len());
        // Whether git reads it is git's affair.
        let output = run_script("echo done; :", PATIENCE).input(input).output().unwrap();
        assert_eq!(output, b"done\n");
    }

    #[test]
    fn a_wrapper_is_given_git_with_its_arguments_and_its_environment_and_nothing_else() {
        let wrapper = Wrapper {
            program: "/bin/sh".into(),
            arguments: ["-c", r#"printf '%s\n' "$0" "$GIT_INDEX_FILE" "${LANG-none}" "$@""#]
                .map(OsString::from)
                .into(),
            argument_zero: Some("confined".into()),
        };
        let git = Git::new(Path::new("/"), "write-tree", PATIENCE);
        let output = git.with_index(Path::new("/index")).through(&wrapper).output().unwrap();
        // A shell takes the first argument after its script as its own name.
        let git = program().unwrap();
        let expected = format!("{}\n/index\nnone\n-C\n/\nwrite-tree\n", git.display());
        assert_eq!(String::from_utf8(output).unwrap(), expected);
    }

    #[test]
    fn a_refusal_says_what_failed_where_and_why() {
        let says = |script: &str| run_script(script, PATIENCE).output().unwrap_err().to_string();
        let error = says("echo 'fatal: no such thing' >&2; echo more >&2; exit 3; :");
        assert_eq!(error, "`git run-script` failed for /: no such thing");
        assert_eq!(says("exit 3; :"), "`git run-script` failed for /: exit status: 3");
        let error = says("printf 'warning: odd\\nerror: cause\\nfatal: end\\n' >&2; exit 3; :");
        assert_eq!(error, "`git run-script` failed for /: cause");
        let filter = "a.bin: clean filter '\\''lfs'\\'' failed";
        let error = says(&format!("printf 'error: cause\\nfatal: {filter}\\n' >&2; exit 3; :"));
        assert_eq!(error, "a git filter failed in /: a.bin: clean filter 'lfs' failed");
    }
}
