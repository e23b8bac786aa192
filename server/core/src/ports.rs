//! What the domain asks of its surroundings, as traits, so that the rooms which provide it and the
//! rooms which use it need not know each other.

use crate::{change::FileStatus, ids::StepId, outcome::Output, time::Timestamp, view::TaskStatus};
use std::ops::ControlFlow;

/// What a needed step hands over to a native action or an agent.
#[derive(Debug, Clone, PartialEq)]
pub struct StepInput {
    pub step: StepId,
    /// The action or the agent that did it; empty when none did.
    pub executor: String,
    pub status: TaskStatus,
    /// Why it failed or was skipped; empty otherwise.
    pub detail: String,
    pub output: Output,
}

/// The git repository of a workspace, as native actions see it. Implemented by `vcs`.
pub trait Repo: Send + Sync {
    /// Visits the commits reachable from HEAD, newest first, merges left out, each with the files
    /// that it changed against its parent, until `visit` breaks or `limit` commits were seen.
    /// Commits that change nothing below the workspace's root count towards the limit and are
    /// visited with no changes.
    ///
    /// An unborn HEAD has no commits and is no error.
    fn log(
        &self,
        limit: usize,
        visit: &mut dyn FnMut(Commit) -> ControlFlow<()>,
    ) -> Result<LogEnd, RepoError>;

    /// Visits what differs between two sides, by path, below the workspace's root, until `visit`
    /// breaks or `query.max_files` were visited.
    ///
    /// Nothing that is configured is run: neither filters, nor text conversions, nor diff programs.
    fn diff(
        &self,
        query: &DiffQuery<'_>,
        visit: &mut dyn FnMut(FileDiff) -> ControlFlow<()>,
    ) -> Result<Diff, RepoError>;
}

/// Where [`Repo::log`] came to its end, so that a reader can say what it has not seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogEnd {
    /// At the first commit: nothing was left out.
    Root,
    /// At the limit, with older commits left.
    Limit,
    /// At the edge of a shallow clone. The commits at the edge are not visited, because what they
    /// changed is not known.
    Shallow,
    /// `visit` asked for it.
    Stopped,
}

/// One commit, as [`Repo::log`] shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    /// Lowercase hex.
    pub id: String,
    pub author: String,
    pub at: Timestamp,
    /// The first line of its message.
    pub subject: String,
    pub changes: Vec<Change>,
}

/// What a commit did to one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Relative to the workspace's root, with `/` between the parts. Non-UTF-8 names are shown with
    /// replacement characters.
    pub path: String,
    pub added: u32,
    pub removed: u32,
}

/// What to compare, and how much of it to show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DiffQuery<'a> {
    /// A revision as git understands it. `None`: where the current work began, which is where the
    /// branch left its upstream, else, with uncommitted changes, HEAD, else the commit before HEAD.
    pub from: Option<&'a str>,
    /// A revision. `None`: the files as they are, with what is new and not ignored.
    pub to: Option<&'a str>,
    /// Lines around each change.
    pub context: u32,
    pub max_files: usize,
    /// Files that are larger on either side are named, but their lines are not compared.
    pub max_file_bytes: u64,
}

/// What was compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diff {
    pub from: DiffSide,
    pub to: DiffSide,
    /// How many files differ, visited or not.
    pub files: u64,
}

/// One side of a comparison.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DiffSide {
    /// For people: the revision, or what stands for it.
    pub name: String,
    /// Lowercase hex; `None` for the files as they are, and for nothing at all.
    pub commit: Option<String>,
}

/// What differs in one file. Renames are shown as one file gone and one new.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileDiff {
    /// As in [`Change::path`].
    pub path: String,
    /// As git writes it, such as `0o100644`; 0 where there is no file.
    pub old_mode: u32,
    pub new_mode: u32,
    pub content: DiffContent,
}

impl FileDiff {
    pub fn status(&self) -> FileStatus {
        /// The bits of a mode that say what it is: a file, a link, a submodule.
        const KIND: u32 = 0o170_000;
        match (self.old_mode, self.new_mode) {
            (0, _) => FileStatus::Added,
            (_, 0) => FileStatus::Deleted,
            (old, new) if old & KIND != new & KIND => FileStatus::TypeChanged,
            (old, new) => match &self.content {
                DiffContent::Text { hunks, .. } if old != new && hunks.is_empty() => {
                    FileStatus::ModeChanged
                }
                _ => FileStatus::Modified,
            },
        }
    }

    /// How many lines were added and removed; none when they were not compared.
    pub fn lines(&self) -> (u64, u64) {
        let DiffContent::Text { hunks, .. } = &self.content else { return (0, 0) };
        let lines = || hunks.iter().flat_map(|hunk| &hunk.lines);
        let count = |kind| lines().filter(|line| line.kind == kind).count() as u64;
        (count(DiffLineKind::Added), count(DiffLineKind::Removed))
    }
}

/// The lines of a file that differ, or why they are not known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DiffContent {
    Text {
        /// The new side, whole, in whatever encoding it has.
        new: Vec<u8>,
        /// None when only the mode differs.
        hunks: Vec<Hunk>,
    },
    Binary,
    TooLarge,
    Submodule,
    /// A device, a FIFO or the like is in the place of the file, or it cannot be read.
    Unreadable,
    /// The repository does not have the content, as in a partial clone.
    Missing,
}

/// Lines that changed together, with those around them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hunk {
    /// From one; 0 when the side has no lines here.
    pub old_start: u32,
    pub old_lines: u32,
    pub new_start: u32,
    pub new_lines: u32,
    pub lines: Vec<DiffLine>,
}

/// One line of a hunk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DiffLine {
    pub kind: DiffLineKind,
    /// With its line break, when it has one.
    pub content: Vec<u8>,
}

/// On which side a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DiffLineKind {
    Context,
    Added,
    Removed,
}

/// Why git did not answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct RepoError(pub String);
