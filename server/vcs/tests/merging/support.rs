//! A user's repository with a snapshot, and works that descend from it.

#[path = "../support/mod.rs"]
mod shared;
#[path = "../support/trap.rs"]
mod trap;

use orchestra_core::{
    change::Change,
    ids::HunkId,
    merge::{Conflict, ConflictKind, Side, Span},
    review::{self as reviews, Review},
};
use orchestra_vcs::{
    GitError,
    collect::Author,
    merge::{self, Conflicted, Limits, Merged, Request, Resolution, Takes, Work},
    review::{self, CompareRequest, SelectRequest, Selected, compare, select},
};
use std::{
    fs,
    path::{Path, PathBuf},
};
use tempfile::TempDir;

pub(crate) use shared::{command, commit, git, try_git, write};
pub(crate) use trap::Trap;

pub(crate) const REFERENCE: &str = "refs/orchestra/abcdefgh/r12/t/r12.3-1";

pub(crate) const SELECTED: &str = "refs/orchestra/abcdefgh/r12/accepted";

const WORKS: &str = "refs/orchestra/abcdefgh/r12/w";

/// A temporary folder with the user's repository in `user`, and a clone in which works are made.
pub(crate) struct Sandbox {
    folder: PathBuf,
    pub(crate) base: String,
    pub(crate) limits: Limits,
    pub(crate) resolutions: Vec<Resolution>,
    /// Commit and name, in the order of the plan.
    pub(crate) works: Vec<(String, String)>,
    /// What each of them began with.
    pub(crate) starts: Vec<String>,
    pub(crate) review_limits: review::Limits,
    _guard: Option<TempDir>,
}

impl Sandbox {
    /// The user has committed what `fill` writes.
    pub(crate) fn with(fill: impl FnOnce(&Path)) -> Self {
        Self::with_format("sha1", fill)
    }

    pub(crate) fn with_format(format: &str, fill: impl FnOnce(&Path)) -> Self {
        let guard = tempfile::tempdir().unwrap();
        // Lists of paths have other meanings for some of these.
        let folder = guard.path().canonicalize().unwrap().join("a: \"b\\");
        let user = folder.join("user");
        fs::create_dir_all(&user).unwrap();
        git(&user, &["init", "-q", &format!("--object-format={format}")]);
        fill(&user);
        commit(&user, "first");
        Self { _guard: Some(guard), ..Self::at(&folder) }
    }

    /// The sandbox of another process, with its works.
    pub(crate) fn at(folder: &Path) -> Self {
        let user = folder.join("user");
        let base = git(&user, &["rev-parse", "HEAD"]);
        let works = git(&user, &["for-each-ref", "--format=%(objectname)", WORKS]);
        let works = works.lines().enumerate();
        let works: Vec<(String, String)> = works
            .map(|(number, commit)| (commit.to_owned(), format!("r12.{}", number + 1)))
            .collect();
        Self {
            folder: folder.to_owned(),
            limits: Limits { file: 100_000, total: 1_000_000 },
            resolutions: Vec::new(),
            starts: vec![base.clone(); works.len()],
            base,
            works,
            review_limits: review::Limits { file: 100_000, total: 1_000_000 },
            _guard: None,
        }
    }

    /// Two works, `r12.1` and `r12.2`, of a file that the user has committed.
    pub(crate) fn of_file(base: &str, ours: &str, theirs: &str) -> Self {
        let mut sandbox = Self::with(|user| write(user, "file", base));
        sandbox.work(|src| write(src, "file", ours));
        sandbox.work(|src| write(src, "file", theirs));
        sandbox
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// A folder whose name a shell takes as it is.
    pub(crate) fn outside(&self) -> &Path {
        self.folder.parent().unwrap()
    }

    pub(crate) fn user(&self) -> PathBuf {
        self.path("user")
    }

    /// Adds the work of an agent that began with the base.
    pub(crate) fn work(&mut self, act: impl FnOnce(&Path)) -> String {
        let base = self.base.clone();
        self.work_on(&base, act)
    }

    /// Adds the work of an agent that began with this commit.
    pub(crate) fn work_on(&mut self, start: &str, act: impl FnOnce(&Path)) -> String {
        let src = self.path("work");
        let user = self.user();
        git(&user, &["worktree", "add", "-q", "--force", "--detach", src.to_str().unwrap(), start]);
        act(&src);
        commit(&src, "work");
        let commit = git(&src, &["rev-parse", "HEAD"]);
        git(&user, &["worktree", "remove", "--force", src.to_str().unwrap()]);
        let name = format!("r12.{}", self.works.len() + 1);
        // As collecting keeps it.
        git(&user, &["update-ref", &format!("{WORKS}/{name}-1"), &commit]);
        self.works.push((commit.clone(), name));
        self.starts.push(start.to_owned());
        commit
    }

    pub(crate) fn try_merge(&self) -> Result<Merged, GitError> {
        let works: Vec<Work<'_>> =
            self.works.iter().map(|(commit, name)| Work { commit, name }).collect();
        merge::merge(&Request {
            root: &self.user(),
            scratch: &self.path("scratch"),
            reference: REFERENCE,
            base: &self.base,
            works: &works,
            subject: "r12.3: bring it together",
            author: Author {
                agent: "changes.merge",
                run: "r12",
                task: "r12.3",
                attempt: "r12.3@1",
                model: None,
            },
            resolutions: &self.resolutions,
            limits: self.limits,
        })
    }

    /// Merges, and sees that nothing is left in the private folder and the user's repository is sound.
    pub(crate) fn merge(&self) -> Merged {
        let merged = self.try_merge().unwrap();
        assert_eq!(fs::read_dir(self.path("scratch")).unwrap().count(), 0);
        let problems = try_git(&self.user(), &["fsck", "--strict", "--no-dangling"]);
        // Of a file of git's own that has conflict markers, git warns.
        let complaints = String::from_utf8_lossy(&problems.stderr).into_owned();
        assert!(complaints.lines().all(|line| line.starts_with("warning in blob")), "{complaints}");
        assert!(problems.status.success());
        assert_eq!(git(&self.user(), &["status", "--porcelain"]), "");
        merged
    }

    pub(crate) fn whole(&self) -> Change {
        match self.merge() {
            Merged::Whole(change) => {
                assert_eq!(change.commit.as_deref(), Some(self.reference(REFERENCE).as_str()));
                assert_eq!(change.base, self.base);
                change
            }
            Merged::Conflicts(conflicted) => panic!("{conflicted:?}"),
        }
    }

    pub(crate) fn conflicted(&self) -> Conflicted {
        match self.merge() {
            Merged::Conflicts(conflicted) => {
                let kept = self.reference(&format!("{REFERENCE}-conflict"));
                assert_eq!(conflicted.with_markers, kept);
                assert!(
                    !try_git(&self.user(), &["show-ref", "--verify", REFERENCE]).status.success()
                );
                conflicted
            }
            Merged::Whole(change) => panic!("{change:?}"),
        }
    }

    /// The conflicts of the first two works.
    pub(crate) fn conflicts(&self) -> Vec<Conflict> {
        let conflicted = self.conflicted();
        assert_eq!(conflicted.between, ["r12.1", "r12.2"]);
        conflicted.conflicts
    }

    /// The conflicts of the first two works: which file, and why.
    pub(crate) fn kinds(&self) -> Vec<(String, ConflictKind)> {
        self.conflicts().into_iter().map(|conflict| (conflict.path, conflict.kind)).collect()
    }

    /// What the works have become, or what the reference holds when it is set to something else.
    pub(crate) fn review(&self) -> Review {
        let result = self.whole().commit.unwrap();
        self.compare(&self.base, &result)
    }

    pub(crate) fn compare(&self, base: &str, result: &str) -> Review {
        let work = |(number, (commit, name)): (usize, &(String, String))| reviews::Work {
            attempt: format!("{name}@1").parse().unwrap(),
            step: "code".parse().unwrap(),
            agent: format!("agent-{}", number + 1),
            model: None,
            base: self.starts[number].clone(),
            commit: commit.clone(),
        };
        let works: Vec<reviews::Work> = self.works.iter().enumerate().map(work).collect();
        let review = compare(&CompareRequest {
            root: &self.user(),
            scratch: &self.path("scratch"),
            base,
            result,
            works: &works,
            limits: self.review_limits,
        })
        .unwrap();
        assert_eq!(fs::read_dir(self.path("scratch")).unwrap().count(), 0);
        assert!(review.files.iter().all(|file| !file.hunks.is_empty()));
        review
    }

    /// The base with the hunks of a review that are accepted.
    pub(crate) fn select(
        &self,
        review: &Review,
        accepted: impl IntoIterator<Item = HunkId>,
    ) -> Result<Selected, GitError> {
        select(&SelectRequest {
            root: &self.user(),
            scratch: &self.path("scratch"),
            base: &review.base,
            result: &review.result,
            limits: self.review_limits,
            accepted: &accepted.into_iter().collect(),
            reference: SELECTED,
            subject: "r12: accepted",
        })
    }

    pub(crate) fn reference(&self, name: &str) -> String {
        git(&self.user(), &["rev-parse", "--verify", name])
    }

    /// The files of a commit by path, as `<mode> <content>`.
    pub(crate) fn files(&self, commit: &str) -> Vec<(String, String)> {
        let list = try_git(&self.user(), &["ls-tree", "-r", "-z", commit]).stdout;
        let records = list.split(|&byte| byte == 0).filter(|record| !record.is_empty());
        let file = |record: &[u8]| {
            let text = String::from_utf8_lossy(record).into_owned();
            let (head, path) = text.split_once('\t').unwrap();
            let parts: Vec<&str> = head.split(' ').collect();
            let content = match parts[1] {
                "blob" => try_git(&self.user(), &["cat-file", "blob", parts[2]]).stdout,
                _ => parts[2].as_bytes().to_owned(),
            };
            (path.to_owned(), format!("{} {}", parts[0], String::from_utf8_lossy(&content)))
        };
        records.map(file).collect()
    }

    /// The files of the whole merge.
    pub(crate) fn merged_files(&self) -> Vec<(String, String)> {
        let commit = self.whole().commit.unwrap();
        self.files(&commit)
    }

    /// The files of the merge when this is decided about the conflict of the first two works.
    pub(crate) fn resolved(&mut self, path: &str, takes: Takes) -> Vec<(String, String)> {
        let between = ["r12.1", "r12.2"].map(str::to_owned);
        self.resolutions = vec![Resolution { path: path.to_owned(), between, takes }];
        self.merged_files()
    }
}

pub(crate) fn lines(spans: &[(u32, u32)], excerpt: &str) -> Side {
    let span = |&(first, count): &(u32, u32)| Span { first, count };
    Side { lines: spans.iter().map(span).collect(), excerpt: Some(excerpt.to_owned()) }
}

pub(crate) fn excerpt(text: &str) -> Side {
    Side { lines: Vec::new(), excerpt: Some(text.to_owned()) }
}

/// `<mode> <content>` of some files, as they are expected.
pub(crate) fn expected<const N: usize>(files: [(&str, &str); N]) -> Vec<(String, String)> {
    files.map(|(path, content)| (path.to_owned(), content.to_owned())).into()
}
