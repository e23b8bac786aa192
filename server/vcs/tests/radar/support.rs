//! A user's folder with a pool beside it, and whoever is at work in its trees.

#[path = "../support/mod.rs"]
mod shared;
#[path = "../support/trap.rs"]
mod trap;

use orchestra_core::merge::{Conflict, Party};
use orchestra_vcs::{
    radar::{Look, Place, Side, Watcher},
    trees::{Clean, DiskLimit, Pool, Purpose, Tree, TreeRequest},
};
use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};
use tempfile::TempDir;

pub(crate) use orchestra_vcs::radar::Limits;
pub(crate) use shared::{command, commit, git, write};
pub(crate) use trap::Trap;

pub(crate) const LIMITS: Limits = Limits {
    files: 1_000,
    file: 100_000,
    total: 10_000_000,
    new: 1_000,
    time: Duration::from_secs(60),
};

pub(crate) const TEXT: &str = "1\n2\n3\n4\n5\n6\n7\n8\n";

pub(crate) struct Sandbox {
    folder: PathBuf,
    pool: Pool,
    /// What the run has started from.
    pub(crate) snapshot: String,
    agents: Vec<Agent>,
    pub(crate) limits: Limits,
    _guard: TempDir,
}

struct Agent {
    party: Party,
    tree: Tree,
    bases: Vec<String>,
}

impl Sandbox {
    /// The user has committed a few files.
    pub(crate) fn new() -> Self {
        Self::with(&[], |user| {
            for name in ["file", "other", "deep/file"] {
                write(user, name, TEXT);
            }
            write(user, ".gitignore", "ignored\nbuild/\n");
        })
    }

    /// The user has committed what `fill` writes.
    pub(crate) fn with(init: &[&str], fill: impl FnOnce(&Path)) -> Self {
        let guard = tempfile::tempdir().unwrap();
        let folder = guard.path().canonicalize().unwrap();
        let user = folder.join("user");
        fs::create_dir(&user).unwrap();
        git(&user, &[&["init", "-q"], init].concat());
        fill(&user);
        commit(&user, "first");
        let snapshot = git(&user, &["rev-parse", "HEAD"]);
        settle(&user.join(".git/index"));
        let pool = Pool::open(folder.join("pool"), user);
        Self { folder, pool, snapshot, agents: Vec::new(), limits: LIMITS, _guard: guard }
    }

    pub(crate) fn user(&self) -> PathBuf {
        self.folder.join("user")
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    pub(crate) fn git(&self, arguments: &[&str]) -> String {
        git(&self.user(), arguments)
    }

    /// Another agent begins with the snapshot.
    pub(crate) fn agent(&mut self) -> PathBuf {
        self.agent_of(&[&self.snapshot.clone()])
    }

    /// Another agent begins with the first of these, which came from the second, and so on.
    pub(crate) fn agent_of(&mut self, bases: &[&str]) -> PathBuf {
        self.agent_in(bases, &[])
    }

    /// The same, with these folders alone.
    pub(crate) fn agent_in(&mut self, bases: &[&str], sparse: &[String]) -> PathBuf {
        let attempt = format!("r1.{}@1", self.agents.len() + 1);
        let request = TreeRequest {
            purpose: Purpose::Write,
            holder: &attempt.replace('@', "-"),
            commit: bases[0],
            sparse,
            keep: &[],
            copy: &[],
            clean: Clean::Kept,
            limit: DiskLimit::NONE,
            private: false,
        };
        let tree = self.pool.acquire(&request).unwrap();
        settle(&tree.index);
        let src = tree.src.clone();
        let bases = bases.iter().map(|&base| base.to_owned()).collect();
        self.agents.push(Agent { party: Party::Attempt(attempt.parse().unwrap()), tree, bases });
        src
    }

    /// What an agent has done so far, as a commit.
    pub(crate) fn collected(&self, src: &Path) -> String {
        commit(src, "work");
        let objects = src.join(".git/objects");
        let head = git(src, &["rev-parse", "HEAD"]);
        // As collecting brings it into the user's repository.
        let fetched = command(&self.user())
            .args(["-c", "protocol.file.allow=always", "fetch", "-q"])
            .args([src.to_str().unwrap(), "HEAD"])
            .status()
            .unwrap();
        assert!(fetched.success(), "{}", objects.display());
        head
    }

    pub(crate) fn watcher(&self) -> Watcher {
        Watcher::open(&self.user(), self.limits).unwrap()
    }

    /// All agents, and the user at the end.
    pub(crate) fn look_with(&self, watcher: &mut Watcher) -> Look {
        let bases: Vec<Vec<&str>> = self
            .agents
            .iter()
            .map(|agent| agent.bases.iter().map(String::as_str).collect())
            .collect();
        let mut sides: Vec<Side<'_>> = self
            .agents
            .iter()
            .zip(&bases)
            .map(|(Agent { party, tree, .. }, bases)| {
                let place = Place::Tree { src: &tree.src, index: &tree.index };
                Side { party: *party, place, bases }
            })
            .collect();
        let snapshot = [self.snapshot.as_str()];
        sides.push(Side { party: Party::User, place: Place::User, bases: &snapshot });
        watcher.look(&sides).unwrap()
    }

    pub(crate) fn look(&self) -> Look {
        self.look_with(&mut self.watcher())
    }

    /// What a whole look has foreseen.
    pub(crate) fn foreseen(&self) -> Vec<String> {
        let look = self.look();
        assert_eq!((look.left_out, &look.partly_seen[..]), (0, &[][..]));
        shown(&look)
    }
}

/// As if git had taken longer to write it: what was written in the same moment as an index has to be read.
fn settle(index: &Path) {
    let file = fs::File::options().write(true).open(index).unwrap();
    let written = file.metadata().unwrap().modified().unwrap();
    file.set_modified(written + Duration::from_secs(1)).unwrap();
}

/// `<path>: <who> and <who>: <why>`, with the lines of each where there are any.
pub(crate) fn shown(look: &Look) -> Vec<String> {
    let lines = |side: &orchestra_core::merge::Side| {
        side.lines.iter().map(|span| format!(" {span}")).collect::<String>()
    };
    let foreseen = look.foreseen.iter().map(|foreseen| {
        let [one, other] = foreseen.between;
        let Conflict { path, kind, ours, theirs } = &foreseen.conflict;
        format!("{path}: {one}{} and {other}{}: {kind}", lines(ours), lines(theirs))
    });
    foreseen.collect()
}
