//! Trees: private clones in a pool of slots, in which agents and checks work. Nothing in a tree leads
//! back into the user's repository but the objects it reads; what a holder leaves in a slot reaches
//! nobody but holders of the same kind of slot, and of that only what is asked to be kept.

mod budget;
mod claim;
mod clean;
mod copy;
mod patterns;
mod pool;
pub(crate) mod prepare;
mod reconcile;
mod records;
pub(crate) mod remove;
pub(crate) mod skeleton;
mod slots;
pub(crate) mod source;
mod sparse;
mod survey;
mod usage;

pub use pool::Pool;
pub use reconcile::Reconciled;

use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// What a tree is for. Slots of one purpose never become slots of another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Purpose {
    /// An agent changes files.
    Write,
    /// An agent looks at files. All that look at one commit share its files, each with folders of
    /// its own for what it writes.
    Read,
    /// `verify` and `accept` run in it, and no agent.
    Verify,
}

impl Purpose {
    /// What the names of slots begin with: writing, reading, reading with a copy of one's own,
    /// verifying.
    const PREFIXES: [char; 4] = ['w', 'r', 'p', 'v'];

    fn prefix(self, shared: bool) -> char {
        match self {
            Self::Write => 'w',
            Self::Read if shared => 'r',
            Self::Read => 'p',
            Self::Verify => 'v',
        }
    }
}

/// What of a slot's last use remains, besides the files that the commit has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clean {
    /// What [`TreeRequest::keep`] names.
    Kept,
    /// Nothing.
    Fresh,
}

/// How many bytes all slots of a pool may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DiskLimit(pub u64);

impl DiskLimit {
    /// As much as there is.
    pub const NONE: Self = Self(u64::MAX);
}

/// Which tree is wanted, and for whom.
#[derive(Debug, Clone, Copy)]
pub struct TreeRequest<'a> {
    pub purpose: Purpose,
    /// Who will hold it, such as `r12.3-2` or `r12.3-2.verify`: letters, digits, `.`, `-` and `_`.
    /// Holds one tree at a time.
    pub holder: &'a str,
    /// The commit to show, in hexadecimal. Its objects are in the user's repository.
    pub commit: &'a str,
    /// The folders to show, relative to the workspace's root, with the files beside the folders
    /// that lead to them. None: all that the user has checked out.
    pub sparse: &'a [String],
    /// Patterns, as in a `.gitignore` at the top, of what survives from one use of a slot to the
    /// next though no commit has it, such as `node_modules`.
    pub keep: &'a [String],
    /// Patterns, as in a `.gitignore` at the workspace's root, of ignored files that are copied from
    /// there, such as `.env`; besides those of a `.worktreeinclude` at the top of the repository.
    pub copy: &'a [String],
    pub clean: Clean,
    /// A new slot is refused when it would exceed this. Free slots are given up first.
    pub limit: DiskLimit,
    /// A reader gets a copy of the files that nobody else looks at: for where no kernel keeps it
    /// from writing into a shared one. Says nothing for other purposes.
    pub private: bool,
}

impl TreeRequest<'_> {
    fn is_shared(&self) -> bool {
        self.purpose == Purpose::Read && !self.private
    }
}

/// A tree in somebody's hands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tree {
    /// The slot's folder, with the files of all its holders. Names the slot.
    pub slot: PathBuf,
    /// The top of the working tree.
    pub src: PathBuf,
    /// The workspace's folder in it.
    pub cwd: PathBuf,
    /// For the holder's temporary files; empty when it is given out.
    pub tmp: PathBuf,
    /// For what is handed over; has an empty folder `tasks` when it is given out.
    pub out: PathBuf,
    /// The index that git wrote when it checked the files out, with their times and inodes; outside
    /// of the slot, where no holder writes. Whoever compares the files with the commit begins here;
    /// to change it is the pool's alone.
    pub index: PathBuf,
    /// The commit that it showed at first, in lowercase hexadecimal.
    pub commit: String,
    /// What [`Pool::set_prepared`] was told about this slot, when all that was there then is still
    /// there.
    pub prepared: Option<String>,
}
