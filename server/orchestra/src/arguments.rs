//! The command line, as clap reads it.

pub(crate) mod reviews;

use clap::{Args, Parser, Subcommand, ValueEnum};
use orchestra_core::{
    ids::{DecisionId, RunId},
    plan::Mode,
    time::Millis,
};
use std::path::PathBuf;

/// Coordinates AI coding agents: several of them plan, work in private clones, are checked by
/// evidence, and hand back one result.
#[derive(Debug, Parser)]
#[command(name = "orchestra", version, max_term_width = 100, disable_help_subcommand = true)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Args)]
pub(crate) struct Global {
    /// The folder to work on [default: the workspace of the current folder]
    #[arg(long, short = 'w', global = true, value_name = "DIR")]
    pub(crate) workspace: Option<PathBuf>,
    /// Print JSON instead of text
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Log what is done to standard error; twice for more
    #[arg(long, short = 'v', global = true, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Create `.orchestra/` with a configuration and an example to start from
    Init,
    /// Run a workflow
    Run(Run),
    /// Approve a plan or a task that waits for it
    Approve {
        /// A run (r12), a task (r12.3) or a step (r12/scan)
        target: String,
    },
    /// Give one agent one task
    Start(Start),
    /// Show what runs and what has run
    Status {
        /// Only runs in this status, such as running or failed
        #[arg(long)]
        status: Option<String>,
        /// At most so many runs
        #[arg(long, short = 'n', default_value_t = 20)]
        limit: u32,
    },
    /// Show a run, a task or a step in full
    Show {
        /// A run (r12), a task (r12.3), an attempt (r12.3@2) or a step (r12/scan)
        target: String,
        /// At most so many tasks of a run
        #[arg(long, short = 'n', default_value_t = 100)]
        limit: u32,
    },
    /// Follow a run, or everything that happens in the workspace
    Watch { run: Option<RunId> },
    /// Print what an attempt has written
    Logs {
        /// A task (r12.3), an attempt (r12.3@2) or a step (r12/scan)
        target: String,
        /// What a command has written that ran beside the agent, such as verify-1-after; `orchestra show`
        /// names them
        #[arg(long, value_name = "JOB")]
        job: Option<String>,
        /// Go on until the attempt has ended
        #[arg(long, short)]
        follow: bool,
    },
    /// Show what waits for an answer, or answer it
    Decide {
        /// Such as r12/d1; without it, everything that waits for an answer is listed
        decision: Option<DecisionId>,
        /// The id of a choice, or a text where there are none; without it, the question is shown in full
        choice: Option<String>,
    },
    /// Look at what a run has made, and accept or reject it hunk by hunk
    Review(reviews::Review),
    /// Bring what is accepted of a run to your files, a branch or a commit
    Apply(reviews::Apply),
    /// Close a review without applying what is left of it
    Discard { run: RunId },
    /// Take back what was done to your files
    Undo(reviews::Undo),
    /// Put the references and kept trees of runs aside that need them no more
    Clean {
        /// Without any: all runs that are applied, discarded, or have changed nothing
        run: Vec<RunId>,
    },
    /// Say who wrote the lines of a file: which agent, or a person
    Blame(reviews::Blame),
    /// Stop a run or a task, with every process under it
    Cancel { target: String },
    /// Try again what has failed, was cancelled or timed out
    Retry { target: String },
    /// Give a run or a task another time-out
    Timeout {
        target: String,
        /// Such as 30m or 1h 30m
        duration: Millis,
    },
    /// Start nothing new in a run; what is under way goes on
    Pause { run: RunId },
    /// Let a paused run go on, with the environment of this shell
    Resume { run: RunId },
    /// List, show, check, add and test agents
    Agents {
        #[command(subcommand)]
        command: Option<Agents>,
    },
    /// List, show and check workflows
    Workflows {
        #[command(subcommand)]
        command: Option<Workflows>,
    },
    /// Show every setting, its value and where it comes from
    Config,
    /// Let agents of this workspace run
    Trust(Trust),
    /// Look for damage and for what is missing
    Doctor {
        /// Put this backup in the place of the database, which is kept beside it
        #[arg(long, value_name = "BACKUP")]
        restore: Option<PathBuf>,
    },
    /// Write `.orchestra/` anew from the journal
    Rebuild,
    /// Start, stop and look at the daemon
    Daemon {
        #[command(subcommand)]
        command: Daemon,
    },
    /// Print a completion script for a shell
    Completions { shell: clap_complete::Shell },
}

#[derive(Debug, Args)]
pub(crate) struct Run {
    /// The name of a workflow; `orchestra workflows` lists them
    pub(crate) workflow: String,
    /// A parameter of the workflow, as name=value; the value may be JSON
    #[arg(long, short, value_name = "NAME=VALUE")]
    pub(crate) param: Vec<String>,
    /// How tasks are given to native actions and agents
    #[arg(long)]
    pub(crate) mode: Option<ModeArgument>,
    /// Wait for approval before anything starts
    #[arg(long)]
    pub(crate) approve: bool,
    #[command(flatten)]
    pub(crate) sight: Sight,
    /// Print the id and return; the run goes on
    #[arg(long, short)]
    pub(crate) detach: bool,
}

/// What agents get to see besides files that are saved and whole.
#[derive(Debug, Args)]
pub(crate) struct Sight {
    /// Let agents also see files with merge conflicts, as they lie on the disk
    #[arg(long)]
    pub(crate) with_conflicts: bool,
    /// What an editor has not saved: a path in the workspace, and a file with the text
    #[arg(long, value_name = "PATH=FILE")]
    pub(crate) unsaved: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Start {
    /// The name of an agent; `orchestra agents` lists them
    pub(crate) agent: String,
    pub(crate) prompt: String,
    #[command(flatten)]
    pub(crate) sight: Sight,
    /// Follow it until it has ended
    #[arg(long, short = 'f')]
    pub(crate) follow: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Trust {
    /// Do not ask
    #[arg(long, short)]
    pub(crate) yes: bool,
    /// Take trust back
    #[arg(long, conflicts_with = "yes")]
    pub(crate) revoke: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Agents {
    /// All agents that plans may use
    List,
    /// One agent in full
    Show { name: String },
    /// Check agent files
    Check { name: Option<String> },
    /// The words by which steps ask for agents, and who has each
    Capabilities,
    /// Write an agent file to start from
    Add(AddAgent),
    /// Let an agent do a tiny task, really, in a repository that is thrown away
    Test(TestAgent),
}

#[derive(Debug, Args)]
pub(crate) struct TestAgent {
    pub(crate) name: String,
    /// How long it may take
    #[arg(long, default_value = "5m", value_name = "DURATION")]
    pub(crate) timeout: Millis,
}

#[derive(Debug, Args)]
pub(crate) struct AddAgent {
    pub(crate) name: String,
    /// A built-in role to take the text from; `orchestra agents list` shows them
    #[arg(long, value_name = "ROLE")]
    pub(crate) from: Option<String>,
    /// It changes files
    #[arg(long)]
    pub(crate) writes: bool,
    /// For all workspaces, in your own configuration folder
    #[arg(long)]
    pub(crate) user: bool,
    /// The program that runs it and its arguments, with {prompt} or {prompt_file} for its task; the
    /// last option. Without it the first agent program on PATH runs it
    #[arg(long, num_args = 1.., allow_hyphen_values = true, value_name = "PROGRAM")]
    pub(crate) command: Vec<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Workflows {
    /// All workflows that can be run
    List,
    /// The text of one workflow
    Show { name: String },
    /// Check a workflow and show its plan with every default
    Check { name: Option<String> },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Daemon {
    /// Start it, or have an older build hand over to this one
    Start,
    /// Have it record everything and leave; attempts under way go on under their shims
    Stop,
    /// Who it is and what it has under way
    Status,
    /// Print its log
    Log,
    #[command(name = "__detach", hide = true)]
    Detach,
    #[command(name = "__serve", hide = true)]
    Serve,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum ModeArgument {
    Intelligent,
    Speed,
    Strategic,
}

impl From<ModeArgument> for Mode {
    fn from(mode: ModeArgument) -> Self {
        match mode {
            ModeArgument::Intelligent => Self::Intelligent,
            ModeArgument::Speed => Self::Speed,
            ModeArgument::Strategic => Self::Strategic,
        }
    }
}

impl Arguments {
    /// The arguments of this process.
    ///
    /// Errors, `--help` and `--version` are for the caller to print.
    pub(crate) fn read() -> Result<Self, clap::Error> {
        Self::try_parse()
    }
}
