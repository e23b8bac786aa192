//! Why git did not do what was asked, and what a person can do about it.

use orchestra_core::ids::HunkId;
use std::{
    io,
    path::{Path, PathBuf},
    time::Duration,
};

/// How many paths an error names.
const NAMED: usize = 10;

/// Why git did not do what was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GitError {
    #[error("there is no program `git` on PATH")]
    Missing,
    #[error("git {found} is older than {}.{}", needed.0, needed.1)]
    TooOld { found: String, needed: (u32, u32) },
    #[error("{} is in no git repository", .0.display())]
    NoRepository(PathBuf),
    #[error("{} is in a git repository that has no working tree", .0.display())]
    NoWorkTree(PathBuf),
    #[error("the git repository of {} has no commit yet", .0.display())]
    NoCommit(PathBuf),
    #[error("the git repository of {} belongs to another user", .0.display())]
    OtherOwner(PathBuf),
    #[error("{} is not below its repository's working tree {}", root.display(), top.display())]
    Outside { root: PathBuf, top: PathBuf },
    #[error("{} has a line break in its path, which git cannot take", .0.display())]
    LineBreak(PathBuf),
    #[error("the last commit has no folder {}", .0.display())]
    NoFolder(PathBuf),
    #[error("{0:?} is no name for the holder of a tree")]
    NotAName(String),
    #[error("{0:?} is not the full id of a commit")]
    NotAnId(String),
    #[error("the repository of {} has no commit {commit}", place.display())]
    NoSuchCommit { commit: String, place: PathBuf },
    /// This and the next three: relative to the top of the repository.
    #[error("there is no regular file {0}")]
    NoFile(String),
    #[error("git does not know {0}")]
    NotTracked(String),
    #[error("{0} is no text")]
    NotText(String),
    #[error("{path} has {bytes} bytes, more than {limit}")]
    FileTooLarge { path: String, bytes: u64, limit: u64 },
    #[error("{0:?} is not in the workspace")]
    NotInWorkspace(String),
    #[error("the operation has no file {0:?}")]
    NotOfOperation(String),
    #[error("the pattern {pattern:?} cannot be read: {detail}")]
    Pattern { pattern: String, detail: String },
    #[error("{holder} holds the tree {} already", slot.display())]
    HoldsTree { holder: String, slot: PathBuf },
    #[error("the trees in {} take {used} bytes of {limit}, and there is no room for another", pool.display())]
    DiskBudget { used: u64, limit: u64, pool: PathBuf },
    #[error("the repository does not have the content of {path}, which {} needs", place.display())]
    MissingObject { path: String, place: PathBuf },
    /// `what` is the call without its options, such as `git read-tree`.
    #[error("`{what}` failed for {}: {detail}", place.display())]
    Failed { what: String, place: PathBuf, detail: String },
    /// The paths from the top of the repository, sorted.
    #[error("{} unmerged in the git repository: {}", count(.0.len()), first(.0))]
    Unmerged(Vec<String>),
    /// Relative to the top of the repository.
    #[error("git takes the name of {0} for one of its own, and commits no such file")]
    ReservedName(String),
    #[error("the unsaved file {} is not inside of the workspace", .0.display())]
    BufferOutside(PathBuf),
    #[error("the unsaved file {} cannot be taken: a folder is in its place", .0.display())]
    BufferOverFolder(PathBuf),
    /// `file` is relative to the top of the repository.
    #[error("the unsaved file {} cannot be taken: {} is no folder", buffer.display(), file.display())]
    BufferBelowFile { buffer: PathBuf, file: PathBuf },
    #[error("{0} is not below refs/orchestra/")]
    Reference(String),
    #[error("the review has no hunk {0}")]
    NoHunk(HunkId),
    /// Both are relative to the top of the repository.
    #[error("{path} cannot be accepted without {other}: one is a folder where the other is a file")]
    Inseparable { path: String, other: String },
    #[error("there is no work to merge")]
    NoWork,
    #[error("there is no tree at {}", .0.display())]
    NoTree(PathBuf),
    /// `folder` is where most of them are, relative to the tree; empty when they are all over it.
    #[error(
        "{count} files are new or changed, more than {limit}; most of them in {}",
        in_folder(folder)
    )]
    TooManyFiles { count: usize, limit: usize, folder: String },
    #[error("{} is no regular file, and git would wait for it", .0.display())]
    Special(PathBuf),
    #[error("a git filter failed in {}: {detail}", place.display())]
    Filter { place: PathBuf, detail: String },
    #[error("`{what}` did not end for {} within {limit:?}", place.display())]
    TimedOut { what: String, place: PathBuf, limit: Duration },
    #[error("{doing} {}: {source}", path.display())]
    Io { doing: &'static str, path: PathBuf, source: io::Error },
}

impl GitError {
    /// The next step for a person.
    pub fn hint(&self) -> String {
        match self {
            Self::Missing => "install git, and see that PATH names its folder".to_owned(),
            Self::TooOld { needed: (major, minor), .. } => {
                format!("install git {major}.{minor} or newer")
            }
            Self::NoRepository(_) => "run `git init`, commit the files, and try again".to_owned(),
            Self::NoWorkTree(_) => {
                "work in a clone or a linked worktree of it: `git worktree add <folder>`".to_owned()
            }
            Self::NoCommit(_) => {
                "commit the files that agents should see: `git add` and `git commit`".to_owned()
            }
            Self::OtherOwner(root) => format!(
                "if you trust it, run `git config --global --add safe.directory {}`",
                root.display()
            ),
            Self::Outside { .. } => "look at `git config core.worktree`".to_owned(),
            Self::LineBreak(_) => "rename the folder".to_owned(),
            Self::NoFolder(_) => "commit the folder, or work from the repository's top".to_owned(),
            Self::NotAName(_) => "use letters, digits, `.`, `-` and `_`".to_owned(),
            Self::NotAnId(_) => "give all its hexadecimal digits, in lowercase".to_owned(),
            Self::NoSuchCommit { .. } => {
                "look with `git fsck` whether objects are lost, or fetch it".to_owned()
            }
            Self::NoFile(_) => "name a file by its path from the top of the repository".to_owned(),
            Self::NotTracked(_) => "add it to git, or name a file that is committed".to_owned(),
            Self::NotText(_) => "only lines of text have authors".to_owned(),
            Self::FileTooLarge { .. } => "raise the limit, or leave the file out".to_owned(),
            Self::NotInWorkspace(_) => {
                "name a folder relative to the workspace's root, without `..`".to_owned()
            }
            Self::NotOfOperation(_) => "name a file of its plan".to_owned(),
            Self::Pattern { .. } => "write it as in a `.gitignore`".to_owned(),
            Self::HoldsTree { .. } => "release it before another one is asked for".to_owned(),
            Self::DiskBudget { .. } => {
                "raise `tree.disk_budget`, or wait until a running attempt has ended".to_owned()
            }
            Self::MissingObject { path, .. } => format!(
                "fetch it with `git checkout HEAD -- {path}` or `git fetch` in the repository, or \
                 leave its folder out of the tree"
            ),
            Self::Failed { .. } => {
                "run `git status` and `git fsck` there; a partial clone may need `git fetch`"
                    .to_owned()
            }
            Self::Unmerged(_) => "resolve the conflicts and `git add` the files, or start with \
                 `--with-conflicts` to have them as they lie there"
                .to_owned(),
            Self::ReservedName(_) => "rename it, or name it in .gitignore".to_owned(),
            Self::BufferOutside(_) => "name it by its path below the workspace's root".to_owned(),
            Self::BufferOverFolder(_) | Self::BufferBelowFile { .. } => {
                "name the file that the text belongs to, as it is saved".to_owned()
            }
            Self::Reference(_) => "choose a name below refs/orchestra/".to_owned(),
            Self::NoHunk(_) => "look at the review again: its run has gone on since".to_owned(),
            Self::Inseparable { .. } => "accept both, or reject both".to_owned(),
            Self::NoWork => "name at least one commit".to_owned(),
            Self::NoTree(_) => "retry the task: it gets a new tree".to_owned(),
            Self::TooManyFiles { .. } => {
                "have `.gitignore` name the folder, or allow more files".to_owned()
            }
            Self::Special(_) => "look at what made it, and retry the task".to_owned(),
            Self::Filter { .. } => {
                "install the filter's program (for `lfs` it is git-lfs), or take the filter out of \
                 git's configuration"
                    .to_owned()
            }
            Self::TimedOut { .. } => {
                "look whether the folder's file system answers, and try again".to_owned()
            }
            Self::Io { path, .. } => {
                format!("look at the rights and the free space of {}", path.display())
            }
        }
    }

    /// The same about the user's workspace, where git worked in a folder of ours that is gone by now.
    pub(crate) fn about(self, root: &Path) -> Self {
        let place = root.to_owned();
        match self {
            Self::Failed { what, detail, .. } => Self::Failed { what, place, detail },
            Self::TimedOut { what, limit, .. } => Self::TimedOut { what, place, limit },
            other => other,
        }
    }

    /// For `map_err`: an operation on a file or folder that the system refused.
    pub(crate) fn io(
        doing: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { doing, path, source }
    }
}

fn count(files: usize) -> String {
    if files == 1 { "one file is".to_owned() } else { format!("{files} files are") }
}

fn first(paths: &[String]) -> String {
    let more = if paths.len() > NAMED { ", …" } else { "" };
    format!("{}{more}", paths[..paths.len().min(NAMED)].join(", "))
}

fn in_folder(folder: &str) -> &str {
    if folder.is_empty() { "many folders" } else { folder }
}
