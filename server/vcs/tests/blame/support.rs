//! A user's repository, in which agents work from snapshots, and their work is applied.

#[path = "../support/mod.rs"]
mod shared;
#[path = "../support/trap.rs"]
mod trap;

use orchestra_core::review::Work;
use orchestra_vcs::{
    GitError,
    blame::{Apply, Limits, Line, LineAuthor, Request, blame},
};
use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};
use tempfile::TempDir;

pub(crate) use shared::{command, commit, git, try_git, write};
pub(crate) use trap::Trap;

pub(crate) const LIMITS: Limits = Limits { file: 1_000_000, time: Duration::from_secs(60) };

pub(crate) struct Sandbox {
    folder: PathBuf,
    pub(crate) applies: Vec<Applied>,
    runs: u32,
    _guard: TempDir,
}

pub(crate) struct Applied {
    pub(crate) operation: String,
    pub(crate) after: String,
    pub(crate) works: Vec<Work>,
}

impl Sandbox {
    /// The user has committed `file`.
    pub(crate) fn new(text: &str) -> Self {
        let sandbox = Self::empty();
        sandbox.write(text);
        sandbox.commit("first");
        sandbox
    }

    pub(crate) fn empty() -> Self {
        let guard = tempfile::tempdir().unwrap();
        let folder = guard.path().canonicalize().unwrap();
        fs::create_dir(folder.join("user")).unwrap();
        let sandbox = Self { folder, applies: Vec::new(), runs: 0, _guard: guard };
        sandbox.git(&["init", "-q"]);
        sandbox
    }

    pub(crate) fn user(&self) -> PathBuf {
        self.path("user")
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    pub(crate) fn git(&self, arguments: &[&str]) -> String {
        git(&self.user(), arguments)
    }

    /// The user writes `file`.
    pub(crate) fn write(&self, text: impl AsRef<[u8]>) {
        write(&self.user(), "file", text);
    }

    /// The user commits everything.
    pub(crate) fn commit(&self, subject: &str) {
        commit(&self.user(), subject);
    }

    /// A private commit of what the user sees.
    pub(crate) fn snapshot(&self) -> String {
        let index = self.path("snapshot-index");
        let _ = fs::copy(self.user().join(".git/index"), &index);
        let git = |arguments: &[&str]| {
            let mut command = command(&self.user());
            let output = command.env("GIT_INDEX_FILE", &index).args(arguments).output().unwrap();
            assert!(output.status.success(), "{arguments:?}");
            String::from_utf8(output.stdout).unwrap().trim().to_owned()
        };
        git(&["add", "-A"]);
        let tree = git(&["write-tree"]);
        git(&["commit-tree", "-p", "HEAD", "-m", "snapshot", &tree])
    }

    /// Somebody works in a tree of `base`.
    pub(crate) fn work(&mut self, agent: &str, base: &str, act: impl FnOnce(&Path)) -> Work {
        self.runs += 1;
        let tree = self.path(&format!("tree-{}", self.runs));
        self.git(&["worktree", "add", "-q", "--detach", tree.to_str().unwrap(), base]);
        act(&tree);
        commit(&tree, &format!("the work of {agent}"));
        let commit = git(&tree, &["rev-parse", "HEAD"]);
        self.git(&["worktree", "remove", "--force", tree.to_str().unwrap()]);
        Work {
            attempt: format!("r{}.1@1", self.runs).parse().unwrap(),
            step: "write".parse().unwrap(),
            agent: agent.to_owned(),
            model: Some("m1".to_owned()),
            base: base.to_owned(),
            commit,
        }
    }

    /// Somebody works on what the user sees, and all of it is applied.
    pub(crate) fn applied(&mut self, agent: &str, act: impl FnOnce(&Path)) {
        let base = self.snapshot();
        let work = self.work(agent, &base, act);
        let accepted = work.commit.clone();
        self.apply(vec![work], &base, &accepted);
    }

    /// Somebody makes `file` of what the user sees, and that is applied.
    pub(crate) fn agent_writes(&mut self, agent: &str, text: &str) {
        self.applied(agent, |tree| write(tree, "file", text));
    }

    /// Brings what `accepted` has and `base` has not to the user's files.
    pub(crate) fn apply(&mut self, works: Vec<Work>, base: &str, accepted: &str) {
        let before = self.snapshot();
        let merge_base = format!("--merge-base={base}");
        let tree = self.git(&["merge-tree", "--write-tree", &merge_base, &before, accepted]);
        let parents = ["-p", &before, "-p", accepted, "-m", "after", &tree];
        let after = self.git(&[&["commit-tree"], &parents[..]].concat());
        let changed = self.git(&["diff-tree", "-r", "--name-only", &before, &after]);
        for path in changed.lines() {
            let shown = try_git(&self.user(), &["cat-file", "blob", &format!("{after}:{path}")]);
            if shown.status.success() {
                write(&self.user(), path, shown.stdout);
            } else {
                fs::remove_file(self.user().join(path)).unwrap();
            }
        }
        let operation = format!("r{}/o{}", self.runs, self.applies.len() + 1);
        self.applies.push(Applied { operation, after, works });
    }

    pub(crate) fn blame_of(
        &self,
        path: &str,
        content: Option<&[u8]>,
        limits: Limits,
    ) -> Result<Vec<Line>, GitError> {
        let applies: Vec<Apply<'_>> = self
            .applies
            .iter()
            .map(|applied| Apply {
                operation: applied.operation.parse().unwrap(),
                after: &applied.after,
                works: &applied.works,
            })
            .collect();
        let root = &self.user();
        blame(&Request { root, path, content, applies: &applies, limits })
    }

    /// Who wrote each line of a file as it lies on the disk, with the line.
    pub(crate) fn authors_of(&self, path: &str) -> Vec<String> {
        let text = fs::read(self.user().join(path)).unwrap();
        self.shown(&self.blame_of(path, None, LIMITS).unwrap(), &text)
    }

    pub(crate) fn authors(&self) -> Vec<String> {
        self.authors_of("file")
    }

    /// Who wrote each line of `file` as it is not saved yet.
    pub(crate) fn authors_in(&self, text: &str) -> Vec<String> {
        let lines = self.blame_of("file", Some(text.as_bytes()), LIMITS).unwrap();
        self.shown(&lines, text.as_bytes())
    }

    /// `<agent>: <line>`; for lines of the user's the subject of the commit in round brackets, or `-`.
    fn shown(&self, lines: &[Line], text: &[u8]) -> Vec<String> {
        let text = String::from_utf8_lossy(text);
        assert_eq!(lines.len(), text.lines().count());
        let shown = |(line, text): (&Line, &str)| match &line.author {
            LineAuthor::Agent { agent, .. } => format!("{agent}: {text}"),
            LineAuthor::Person { commit, .. } => {
                format!("({}): {text}", self.git(&["log", "-1", "--format=%s", commit]))
            }
            LineAuthor::NotCommitted => format!("-: {text}"),
            LineAuthor::NotKnown => format!("?: {text}"),
        };
        lines.iter().zip(text.lines()).map(shown).collect()
    }
}
