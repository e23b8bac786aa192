//! The folder itself: what lies where in it.

use super::{
    AttemptResult, Claim, EventChunk, EventWriter, HeldClaim, Spec, events, format, inbox,
};
use crate::process::Identity;
use orchestra_core::outcome::AttemptOutcome;
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

    /// Keeps what the daemon has made of the attempt's end, for one that dies before that is recorded
    /// and after the agent's files have gone. Durable when it returns.
    pub fn keep_outcome(&self, outcome: &AttemptOutcome) -> io::Result<()> {
        let path = self.outcome_path();
        let unfinished = format::unfinished(&path);
        format::write_synced(&unfinished, &format::encode(outcome)?).map_err(format::at(&path))?;
        format::rename_synced(&unfinished, &path)
    }

    /// What [`Self::keep_outcome`] kept, if it did.
    pub fn kept_outcome(&self) -> io::Result<Option<AttemptOutcome>> {
        let path = self.outcome_path();
        format::read_if_there(&path)?.map(|text| format::decode(&path, &text)).transpose()
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

    /// Where the agent's versions of settings lie that were put back.
    pub(crate) fn settings_path(&self) -> PathBuf {
        self.path.join("settings")
    }

    fn result_path(&self) -> PathBuf {
        self.path.join("result.json")
    }
}
