//! A user of one's own: home, XDG folders and a workspace, which nobody else sees.

use crate::{
    Cmd, Process,
    processes::{self, processes_with_marker},
    program,
};
use std::{
    env,
    ffi::{OsStr, OsString},
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    sync::OnceLock,
    thread,
    time::Duration,
};
use tempfile::TempDir;

/// The variables of the user's folders, and the folders; short names keep sockets' paths short.
const FOLDERS: [(&str, &str); 7] = [
    ("HOME", "home"),
    ("XDG_CACHE_HOME", "cache"),
    ("XDG_CONFIG_HOME", "config"),
    ("XDG_DATA_HOME", "data"),
    ("XDG_RUNTIME_DIR", "run"),
    ("XDG_STATE_HOME", "state"),
    ("TMPDIR", "tmp"),
];

/// Leaves room for `orchestra/<name>.sock` below the 100 bytes that a socket's path may have.
const LONGEST_RUNTIME_PATH: usize = 60;

/// How long processes that were told to end may take when a sandbox is dropped.
const GRACE: Duration = Duration::from_secs(2);

/// One user with one workspace. Dropping it stops its daemon, and panics when a process is left.
#[derive(Debug)]
pub struct Sandbox {
    folder: TempDir,
    id: String,
    /// The program and arguments through which all others are started.
    launcher: OnceLock<Vec<OsString>>,
}

impl Default for Sandbox {
    fn default() -> Self {
        Self::new()
    }
}

impl Sandbox {
    /// An empty workspace that is no git repository.
    pub fn new() -> Self {
        // Processes show their folders with symlinks resolved, and are found by them.
        let parent = env::temp_dir().canonicalize().expect("the folder for temporary files exists");
        let folder = tempfile::Builder::new().prefix("o").tempdir_in(parent);
        let folder = folder.expect("create a sandbox");
        let test = thread::current().name().unwrap_or("unnamed").to_owned();
        let id = format!("{test} in {}", folder.path().display());
        let sandbox = Self { id, folder, launcher: OnceLock::new() };
        for (_, name) in FOLDERS {
            fs::create_dir(sandbox.path(name)).expect("create the sandbox's folders");
        }
        for folder in [sandbox.workspace(), sandbox.outside()] {
            fs::create_dir(folder).expect("create the sandbox's folders");
        }
        let run = sandbox.path("run");
        fs::set_permissions(&run, fs::Permissions::from_mode(0o700)).expect("close the folder");
        let length = run.as_os_str().len();
        assert!(length <= LONGEST_RUNTIME_PATH, "TMPDIR is too long for sockets: {length} bytes");
        sandbox.write_git_config();
        sandbox
    }

    /// Who commits, and that git starts nothing that would outlive the test.
    fn write_git_config(&self) {
        let config = "[user]\n\tname = Test\n\temail = test@example.invalid\n\
                      [init]\n\tdefaultBranch = main\n\
                      [gc]\n\tauto = 0\n[maintenance]\n\tauto = false\n";
        fs::write(self.path("home").join(".gitconfig"), config).expect("write .gitconfig");
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The folder that holds everything of this sandbox.
    pub fn root(&self) -> &Path {
        self.folder.path()
    }

    pub fn workspace(&self) -> PathBuf {
        self.path("ws")
    }

    /// Where agents of tests leave traces that are not part of their work.
    pub fn outside(&self) -> PathBuf {
        self.path("outside")
    }

    pub fn home(&self) -> PathBuf {
        self.path("home")
    }

    /// `$XDG_STATE_HOME/orchestra`, where the journal lies.
    pub fn state(&self) -> PathBuf {
        self.path("state").join("orchestra")
    }

    /// `$XDG_DATA_HOME/orchestra`, where trees lie.
    pub fn data(&self) -> PathBuf {
        self.path("data").join("orchestra")
    }

    /// What says that trees are in somebody's hands; empty when all have been given back.
    pub fn leases(&self) -> Vec<PathBuf> {
        let mut found = Vec::new();
        for pool in fs::read_dir(self.data().join("trees")).into_iter().flatten().flatten() {
            let files = fs::read_dir(pool.path()).into_iter().flatten().flatten();
            let leases = files.filter(|file| file.file_name().to_string_lossy().contains(".lease"));
            found.extend(leases.map(|lease| lease.path()));
        }
        found
    }

    /// `$XDG_CONFIG_HOME/orchestra`.
    pub fn config(&self) -> PathBuf {
        self.path("config").join("orchestra")
    }

    /// `$XDG_RUNTIME_DIR/orchestra`, where sockets lie.
    pub fn runtime(&self) -> PathBuf {
        self.path("run").join("orchestra")
    }

    /// The socket of the daemon; `None` while none serves. Those of agents' tools lie in a folder below.
    pub fn daemon_socket(&self) -> Option<PathBuf> {
        let files = fs::read_dir(self.runtime()).into_iter().flatten().flatten();
        let mut files = files.map(|file| file.path());
        files.find(|file| file.extension().is_some_and(|end| end == "sock"))
    }

    /// Every file that the program keeps outside the workspace, relative to the sandbox, sorted.
    pub fn state_files(&self) -> Vec<String> {
        let mut found = Vec::new();
        for name in ["cache", "config", "data", "run", "state"] {
            collect_files(&self.path(name), self.root(), &mut found);
        }
        found.sort();
        found
    }

    /// Writes a file of the workspace and the folders above it. Returns its path.
    pub fn write(&self, path: impl AsRef<Path>, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.workspace().join(path);
        let parent = path.parent().expect("a file lies in a folder");
        fs::create_dir_all(parent).expect("create the folders of a file");
        fs::write(&path, text).unwrap_or_else(|error| panic!("write {}: {error}", path.display()));
        path
    }

    /// The text of a file of the workspace.
    pub fn read(&self, path: impl AsRef<Path>) -> String {
        let path = self.workspace().join(path);
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("read {}: {error}", path.display()))
    }

    /// The program under test, in the workspace, with arguments.
    pub fn orchestra<A: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = A>) -> Cmd {
        self.command(program::orchestra()).args(arguments)
    }

    /// The program under test, for agents that call it.
    pub fn program(&self) -> PathBuf {
        program::orchestra()
    }

    /// Any program, in the workspace, as this sandbox's user.
    pub fn command(&self, program: impl AsRef<OsStr>) -> Cmd {
        let workspace = self.workspace();
        let mut cmd = match self.launcher.get().map(Vec::as_slice) {
            Some([launcher, arguments @ ..]) => {
                Cmd::new(launcher, &workspace).args(arguments).arg(program)
            }
            _ => Cmd::new(program, &workspace),
        };
        for (variable, name) in FOLDERS {
            cmd = cmd.env(variable, self.path(name));
        }
        cmd.env("ORCHESTRA_TEST", &self.id)
            .env("GIT_CONFIG_NOSYSTEM", "1")
            // The developer may have some installed, which a test must not start by itself.
            .env("ORCHESTRA_AGENTS_BACKENDS", "none")
    }

    /// From now on every program of this sandbox is started through this one, which may give it other
    /// surroundings. To be said once.
    ///
    /// # Panics
    /// When it has been said before.
    pub fn start_through(&self, launcher: impl IntoIterator<Item = impl Into<OsString>>) {
        let launcher = launcher.into_iter().map(Into::into).collect();
        self.launcher.set(launcher).expect("a sandbox has one launcher");
    }

    /// The living processes of this sandbox.
    pub fn processes(&self) -> Vec<Process> {
        processes_with_marker(self.root())
    }

    /// Kills the one daemon that serves, as `kill -9` does, and waits until it is gone.
    #[track_caller]
    pub fn kill_daemon(&self) {
        let processes = self.processes();
        let is_daemon = |process: &&Process| process.command_line.contains("daemon __serve");
        let daemons: Vec<&Process> = processes.iter().filter(is_daemon).collect();
        assert_eq!(daemons.len(), 1, "{processes:?}");
        daemons.iter().for_each(|daemon| daemon.kill());
    }

    /// Kills what still runs, for a test that leaves processes on purpose, and returns it.
    pub fn kill_processes(&self) -> Vec<Process> {
        processes::end(self.root(), Duration::ZERO)
    }

    /// Tells a daemon to end, if this sandbox ever had one.
    fn stop_daemon(&self) {
        let had_one =
            fs::read_dir(self.runtime()).is_ok_and(|mut entries| entries.next().is_some());
        if had_one && !self.processes().is_empty() {
            // One that does not stop is found below, with its command line.
            self.orchestra(["daemon", "stop"]).run();
        }
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        if thread::panicking() {
            // The test's own message counts; waiting for a daemon would only delay it.
            self.kill_processes();
            return;
        }
        self.stop_daemon();
        let left = processes::end(self.root(), GRACE);
        assert!(left.is_empty(), "{} left processes running (now killed): {left:#?}", self.id);
    }
}

/// Files only: empty folders are no state.
fn collect_files(folder: &Path, root: &Path, found: &mut Vec<String>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for path in entries.flatten().map(|entry| entry.path()) {
        if path.is_dir() && !path.is_symlink() {
            collect_files(&path, root, found);
        } else {
            let relative = path.strip_prefix(root).unwrap_or(&path);
            found.push(relative.to_string_lossy().into_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_sees_the_folders_of_its_sandbox_and_nothing_of_the_developer() {
        let sandbox = Sandbox::new();
        let script = r#"echo "$HOME $XDG_STATE_HOME"; pwd; echo "${CARGO_MANIFEST_DIR:-unset}""#;
        let outcome = sandbox.command("sh").args(["-c", script]).run().success();
        let root = sandbox.root().display();
        assert_eq!(outcome.stdout, format!("{root}/home {root}/state\n{root}/ws\nunset\n"));
    }

    #[test]
    fn a_repository_has_one_commit_of_the_given_files() {
        let sandbox = Sandbox::new();
        sandbox.git_repo([("a.txt", "one\n"), ("deep/b.txt", "two\n")]);
        assert_eq!(sandbox.git(["ls-files"]), "a.txt\ndeep/b.txt\n");
        assert_eq!(sandbox.git(["status", "--porcelain"]), "");
        assert_eq!(sandbox.git(["rev-list", "--count", "HEAD"]), "1\n");
    }

    #[test]
    fn an_agent_script_can_be_run_and_is_named_in_its_agent_file() {
        let sandbox = Sandbox::new();
        let script = sandbox.agent_script_with("coder", "timeout: 2s", r#"echo "got $1""#);
        let outcome = sandbox.command(script).args(["prompt.md"]).run().success();
        assert_eq!(outcome.stdout, "got prompt.md\n");
        let agent = sandbox.read(".orchestra/agents/coder.md");
        assert!(agent.contains("command: [.orchestra/bin/coder, \"{prompt_file}\"]\n"), "{agent}");
        assert!(agent.contains("outside']\ntimeout: 2s\n---"), "{agent}");
    }

    #[test]
    fn state_files_are_listed_without_folders() {
        let sandbox = Sandbox::new();
        assert_eq!(sandbox.state_files(), [""; 0]);
        fs::create_dir_all(sandbox.state()).unwrap();
        fs::write(sandbox.state().join("trust.json"), "{}").unwrap();
        assert_eq!(sandbox.state_files(), ["state/orchestra/trust.json"]);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_process_that_left_its_session_and_its_environment_is_found_by_its_folder() {
        let sandbox = Sandbox::new();
        let script = "setsid env -i sleep 1000 < /dev/null > /dev/null 2>&1 &";
        sandbox.command("sh").args(["-c", script]).run().success();
        let killed = sandbox.kill_processes();
        assert_eq!(killed.len(), 1, "{killed:?}");
        assert!(killed[0].command_line.contains("sleep 1000"), "{killed:?}");
        assert_eq!(sandbox.processes(), []);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_sandbox_that_is_dropped_with_a_process_names_it() {
        let sandbox = Sandbox::new();
        let root = sandbox.root().to_owned();
        let script = "cd /; setsid sleep 1000 < /dev/null > /dev/null 2>&1 &";
        sandbox.command("sh").args(["-c", script]).run().success();
        let dropped = thread::spawn(move || drop(sandbox)).join();
        let message = *dropped.unwrap_err().downcast::<String>().unwrap();
        assert!(message.contains("left processes running"), "{message}");
        assert!(message.contains("sleep 1000"), "{message}");
        assert_eq!(processes_with_marker(&root), []);
    }
}
