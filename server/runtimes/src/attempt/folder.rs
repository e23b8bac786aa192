//! The folder itself: what lies where in it.

use super::{
    AttemptResult, Claim, EventChunk, EventWriter, HeldClaim, Spec, events, format, inbox,
};
use crate::process::Identity;
use orchestra_core::outcome::AttemptOutcome;
use serde::{Serialize, de::DeserializeOwned};
use std::{
    fs::DirBuilder,
    io,
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
};

/// The folder of one attempt. Its path is absolute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttemptDir {
    path: PathBuf,
}

impl AttemptDir {
    /// Creates the folder with everything that a shim needs. Fails when it has been made before: an
    /// attempt is started once.
    pub fn create(path: &Path, spec: &Spec) -> io::Result<Self> {
        let folder = Self::at(path);
        if let Some(parent) = path.parent() {
            let made = DirBuilder::new().recursive(true).mode(0o700).create(parent);
            made.map_err(format::at(parent))?;
        }
        // Jobs of the attempt may have folders in it already.
        DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(format::at(path))?;
        if folder.spec_path().exists() {
            let error = io::Error::from(io::ErrorKind::AlreadyExists);
            return Err(format::at(&folder.spec_path())(error));
        }
        inbox::create(&folder.inbox())?;
        format::publish_new(&folder.spec_path(), &format::encode(spec)?)?;
        Ok(folder)
    }

    /// The folder at `path`, whether it exists or not.
    pub fn at(path: &Path) -> Self {
        Self { path: path.to_owned() }
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The folder of the job `name`: a process that runs for the attempt beside its agent, under a shim of
    /// its own.
    pub fn job(&self, name: &str) -> Self {
        Self { path: self.jobs_path().join(name) }
    }

    /// The names of all jobs that have been started, in the order in which they were.
    pub fn jobs(&self) -> io::Result<Vec<String>> {
        let entries = match std::fs::read_dir(self.jobs_path()) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.map_err(format::at(&self.jobs_path()))?,
        };
        let mut jobs = Vec::new();
        for entry in entries {
            let entry = entry?;
            let spec = Self::at(&entry.path()).spec_path();
            // One without it is not made yet, or is being made again.
            if let (Ok(metadata), Ok(name)) =
                (std::fs::metadata(&spec), entry.file_name().into_string())
            {
                jobs.push((metadata.modified()?, name));
            }
        }
        jobs.sort();
        Ok(jobs.into_iter().map(|(_, name)| name).collect())
    }

    /// The agent's output. It only grows; there is none before the agent has written something.
    pub fn log_path(&self) -> PathBuf {
        self.path.join("log")
    }

    pub fn spec(&self) -> io::Result<Spec> {
        let path = self.spec_path();
        format::decode(&path, &std::fs::read(&path).map_err(format::at(&path))?)
    }

    /// `None` while it has not ended, and for ever when its shim died.
    pub fn result(&self) -> io::Result<Option<AttemptResult>> {
        AttemptResult::read(&self.result_path())
    }

    /// The shim's events from the byte `from` on, as far as they fit into `most` bytes.
    pub fn events(&self, from: u64, most: usize) -> io::Result<EventChunk> {
        events::read(&self.events_path(), from, most)
    }

    /// `None` when nobody has taken it.
    pub fn claim(&self) -> io::Result<Option<Claim>> {
        Claim::read(&self.claim_path())
    }

    /// Keeps which commands the attempt runs, which are found out once. Durable when it returns.
    pub fn keep_commands(&self, commands: &[Vec<String>]) -> io::Result<()> {
        self.keep(&self.commands_path(), &commands)
    }

    /// What [`Self::keep_commands`] kept, if it did.
    pub fn kept_commands(&self) -> io::Result<Option<Vec<Vec<String>>>> {
        kept(&self.commands_path())
    }

    /// Keeps what the daemon has made of the attempt's end, for one that dies before that is recorded
    /// and after the agent's files have gone. Durable when it returns.
    pub fn keep_outcome(&self, outcome: &AttemptOutcome) -> io::Result<()> {
        self.keep(&self.outcome_path(), outcome)
    }

    /// What [`Self::keep_outcome`] kept, if it did.
    pub fn kept_outcome(&self) -> io::Result<Option<AttemptOutcome>> {
        kept(&self.outcome_path())
    }

    /// The folder need not be there: what was never started has none.
    fn keep(&self, path: &Path, body: &impl Serialize) -> io::Result<()> {
        let made = DirBuilder::new().recursive(true).mode(0o700).create(&self.path);
        made.map_err(format::at(&self.path))?;
        let unfinished = format::unfinished(path);
        format::write_synced(&unfinished, &format::encode(body)?).map_err(format::at(path))?;
        format::rename_synced(&unfinished, path)
    }

    pub(crate) fn take_claim(&self, shim: Identity) -> io::Result<Option<HeldClaim>> {
        HeldClaim::take(&self.claim_path(), shim)
    }

    pub(crate) fn open_events(&self) -> io::Result<EventWriter> {
        EventWriter::open(&self.events_path())
    }

    pub(crate) fn write_result(&self, result: &AttemptResult) -> io::Result<()> {
        result.write(&self.result_path())
    }

    pub(super) fn claim_path(&self) -> PathBuf {
        self.path.join("claim")
    }

    pub(super) fn inbox(&self) -> PathBuf {
        self.path.join("inbox")
    }

    fn spec_path(&self) -> PathBuf {
        self.path.join("spec.json")
    }

    fn events_path(&self) -> PathBuf {
        self.path.join("events.jsonl")
    }

    fn outcome_path(&self) -> PathBuf {
        self.path.join("outcome.json")
    }

    fn commands_path(&self) -> PathBuf {
        self.path.join("commands.json")
    }

    fn jobs_path(&self) -> PathBuf {
        self.path.join("jobs")
    }

    /// Where the agent's versions of settings lie that were put back.
    pub(crate) fn settings_path(&self) -> PathBuf {
        self.path.join("settings")
    }

    fn result_path(&self) -> PathBuf {
        self.path.join("result.json")
    }
}

fn kept<T: DeserializeOwned>(path: &Path) -> io::Result<Option<T>> {
    format::read_if_there(path)?.map(|text| format::decode(path, &text)).transpose()
}
