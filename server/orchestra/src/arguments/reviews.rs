//! The arguments of the commands about reviews, and about what is done to the user's files.

use clap::Args;
use orchestra_core::{
    ids::{OperationId, RunId},
    operation::Favor,
    time::Millis,
};
use std::path::PathBuf;

#[derive(Debug, Args)]
pub(crate) struct Review {
    pub(crate) run: RunId,
    /// Print the change as a unified diff
    #[arg(long, conflicts_with_all = ["accept", "reject", "undecide", "send_back"])]
    pub(crate) diff: bool,
    /// Accept these hunks, or those of --file or --all
    #[arg(long, num_args = 0.., value_name = "HUNK")]
    pub(crate) accept: Option<Vec<String>>,
    /// Reject these hunks, or those of --file or --all
    #[arg(long, num_args = 0.., value_name = "HUNK")]
    pub(crate) reject: Option<Vec<String>>,
    /// Take verdicts on these hunks back, or on those of --file or --all
    #[arg(long, num_args = 0.., value_name = "HUNK")]
    pub(crate) undecide: Option<Vec<String>>,
    /// All hunks of this file, by its path from the top of the repository
    #[arg(long, value_name = "PATH", conflicts_with = "all")]
    pub(crate) file: Option<String>,
    /// All hunks
    #[arg(long)]
    pub(crate) all: bool,
    /// Have an agent go on from here, with what you say of it
    #[arg(long, value_name = "COMMENT", conflicts_with_all = ["accept", "reject", "undecide", "file", "all"])]
    pub(crate) send_back: Option<String>,
    /// What the comment is about; without it, the whole
    #[arg(long, num_args = 1.., value_name = "HUNK", requires = "send_back")]
    pub(crate) hunk: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Apply {
    pub(crate) run: RunId,
    /// To a new branch of this name, as one commit; your files stay as they are
    #[arg(long, value_name = "NAME", conflicts_with = "commit")]
    pub(crate) branch: Option<String>,
    /// To a commit that is on no branch; your files stay as they are
    #[arg(long)]
    pub(crate) commit: bool,
    /// Undecided hunks, too
    #[arg(long)]
    pub(crate) all: bool,
    #[command(flatten)]
    pub(crate) favor: FavorArguments,
    #[command(flatten)]
    pub(crate) unsaved: Unsaved,
}

#[derive(Debug, Args)]
pub(crate) struct Undo {
    /// Such as r12/o1; without it, the last one that is in effect
    pub(crate) operation: Option<OperationId>,
    /// List what was done to your files
    #[arg(long, conflicts_with_all = ["operation", "ours", "theirs", "unsaved"])]
    pub(crate) list: bool,
    #[command(flatten)]
    pub(crate) favor: FavorArguments,
    #[command(flatten)]
    pub(crate) unsaved: Unsaved,
}

/// What counts where two sides do not fit together.
#[derive(Debug, Args)]
pub(crate) struct FavorArguments {
    /// Where it does not fit, what you have now stays
    #[arg(long, conflicts_with = "theirs")]
    pub(crate) ours: bool,
    /// Where it does not fit, what comes in counts
    #[arg(long)]
    pub(crate) theirs: bool,
}

/// What an editor has not saved.
#[derive(Debug, Args)]
pub(crate) struct Unsaved {
    /// What an editor has not saved: a path in the workspace, and a file with the text, into which the new
    /// text is written
    #[arg(long, value_name = "PATH=FILE")]
    pub(crate) unsaved: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Blame {
    /// A file of the workspace
    pub(crate) file: PathBuf,
    /// Only this line, or the lines from A to B
    #[arg(long, short = 'L', value_name = "N|A,B")]
    pub(crate) line: Option<String>,
    /// How long each call of git may take
    #[arg(long, default_value = "1m", value_name = "DURATION")]
    pub(crate) timeout: Millis,
}

impl FavorArguments {
    pub(crate) fn favor(&self) -> Favor {
        match (self.ours, self.theirs) {
            (true, _) => Favor::Ours,
            (_, true) => Favor::Theirs,
            (false, false) => Favor::Neither,
        }
    }
}
