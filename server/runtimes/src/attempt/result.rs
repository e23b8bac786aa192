//! `result.json`: how the attempt ended, written last, so that it is whole or absent.

use super::format;
use orchestra_core::{
    confinement::Confinement,
    outcome::{SettingsChange, StopReason, Usage},
    time::{Millis, Timestamp},
};
use serde::{Deserialize, Serialize};
use std::{fs, io, path::Path};

/// How an attempt ended. The agent's own words in it are free of known secrets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttemptResult {
    /// When the agent was started, if it was.
    pub started_at: Option<Timestamp>,
    pub ended_at: Timestamp,
    pub end: End,
    /// Why the shim ended it, if it did.
    pub stopped: Option<StopCause>,
    pub claims: Claims,
    /// What its program said in events, if it prints some.
    #[serde(default)]
    pub told: Told,
    /// What held the agent's processes; `None` when none was started.
    #[serde(default)]
    pub confined: Option<Confinement>,
    /// Why nothing better held them, if that was asked for.
    #[serde(default)]
    pub confine_problem: Option<String>,
    /// Settings of the user that it changed, and that were put back.
    #[serde(default)]
    pub settings: Vec<SettingsChange>,
    /// How many processes the agent left behind when it ended by itself; they were ended, too.
    pub leftovers: u32,
    pub log: LogSummary,
}

/// What became of the agent's process.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum End {
    Exited {
        code: i32,
    },
    Signalled {
        signal: i32,
    },
    /// Its program could not be started. `errno` as the system has it, if the system refused.
    NotStarted {
        errno: Option<i32>,
        message: String,
        /// What to do about it, where the shim knows.
        #[serde(default)]
        hint: Option<String>,
    },
    /// It was told to stop before it was started.
    NotRun,
}

/// Why a shim ended its agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum StopCause {
    /// The daemon asked for it.
    Asked { reason: StopReason },
    /// Its own time was up.
    TimedOut { limit: Millis },
    /// It ran on for too long after its sentinel.
    SentinelWait,
    /// It had ended and left processes behind.
    Leftovers,
}

/// What the agent said about its work: the text of its sentinels, cut to a size that fits here.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Claims {
    pub done: Option<String>,
    pub error: Option<String>,
    /// Whether it called the tool `finish_task`; what it said there is in the other fields.
    #[serde(default)]
    pub by_tool: bool,
}

/// What the events of an agent's program say.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Told {
    /// The last that the model said, cut to a size that fits here.
    pub last_message: Option<String>,
    pub usage: Option<Usage>,
}

/// What became of the agent's output.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct LogSummary {
    /// How much it wrote, with secrets masked.
    pub bytes: u64,
    /// How much of that is not in the log.
    pub cut: u64,
    /// The last lines of the log, for messages.
    pub last_lines: Vec<String>,
    /// Why the log is not complete, if the disk refused some of it.
    pub problem: Option<String>,
}

impl AttemptResult {
    pub(super) fn read(path: &Path) -> io::Result<Option<Self>> {
        format::read_if_there(path)?.map(|text| format::decode(path, &text)).transpose()
    }

    /// Durable when it returns.
    pub(super) fn write(&self, path: &Path) -> io::Result<()> {
        let unfinished = format::unfinished(path);
        let written = format::write_synced(&unfinished, &format::encode(self)?);
        if written.is_err() {
            // Its room may be what a second try needs.
            let _ = fs::remove_file(&unfinished);
        }
        written.map_err(format::at(path))?;
        fail::fail_point!("shim::result::before_rename", |_| std::process::abort());
        format::rename_synced(&unfinished, path)?;
        fail::fail_point!("shim::result::after_rename", |_| std::process::abort());
        Ok(())
    }
}
