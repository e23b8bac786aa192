//! What a test of an agent has shown.

use super::scratch::{FILE, Scratch};
use crate::{session::Session, show::style};
use orchestra_core::{
    agent::AgentProfile,
    confinement::Confinement,
    ids::WorkspaceId,
    outcome::FailureKind,
    time::Millis,
    view::{TaskStatus, TaskView},
};
use orchestra_runtimes::catalog::Backend;
use serde::Serialize;
use std::fs;

/// How many of its last lines are shown of an agent that did not do it.
const LINES: usize = 20;

#[derive(Debug, Serialize)]
pub(super) struct Report {
    agent: String,
    backend: Option<String>,
    /// Whether a process of it ran.
    started: bool,
    status: TaskStatus,
    /// How its attempt ended, in one line.
    outcome: String,
    /// Whether it handed over what it was told to.
    wrote: bool,
    took: Millis,
    confined: Option<Confinement>,
    /// What is wrong; `None` when all is well.
    problem: Option<String>,
    hint: Option<String>,
    /// Whether the hint follows from its end alone.
    #[serde(skip)]
    is_a_guess: bool,
    /// The end of its log, when something is wrong.
    log: Vec<String>,
}

impl Report {
    pub(super) fn new(scratch: &Scratch, profile: &AgentProfile, task: &TaskView) -> Self {
        let last = task.attempts.last();
        let handed_over = scratch.root().join(".orchestra/workspace").join(FILE);
        let wrote =
            fs::read_to_string(handed_over).is_ok_and(|text| text.contains(scratch.token()));
        let mut report = Self {
            agent: profile.name.clone(),
            backend: profile.backend.clone(),
            started: false,
            status: task.status,
            outcome: last.map(|attempt| attempt.outcome.clone()).unwrap_or_default(),
            wrote,
            took: last
                .and_then(|attempt| Some(attempt.ended?.since(attempt.started)))
                .unwrap_or(Millis(0)),
            confined: task.output.as_ref().and_then(|output| output.confined),
            problem: None,
            hint: None,
            is_a_guess: false,
            log: Vec::new(),
        };
        if let Some(attempt) = last {
            let workspace = WorkspaceId::of_root(scratch.root());
            let folder = scratch.folders().attempt(&workspace, attempt.id);
            report.started = folder.join("claim").exists();
            let log = fs::read(folder.join("log")).unwrap_or_default();
            let log = String::from_utf8_lossy(&log).into_owned();
            report.judge(task, log.lines().map(str::to_owned).collect());
        }
        report
    }

    fn judge(&mut self, task: &TaskView, log: Vec<String>) {
        if self.is_good() {
            return;
        }
        let (problem, hint) = match (&task.failure, task.status) {
            (Some(failure), _) => {
                // Hints about an agent's own end name the journal, which does not know of this.
                let is_its_own = matches!(
                    failure.kind,
                    FailureKind::Exit | FailureKind::Signal | FailureKind::Protocol
                );
                (failure.message.clone(), failure.hint.clone().filter(|_| !is_its_own))
            }
            (None, TaskStatus::Succeeded) => (
                format!(
                    "it ended well, but $ORCHESTRA_DIR/{FILE} does not say what it was told to"
                ),
                None,
            ),
            (None, _) => (task.detail.clone(), None),
        };
        let guess = match task.status {
            TaskStatus::TimedOut => {
                "it may wait for an answer, a login or the network; a longer `--timeout` shows which"
            }
            _ if !self.started => "see `orchestra agents show` for its command line",
            _ => "look at its last lines: it may lack a login, a key in `env`, or an option",
        };
        self.problem = Some(problem);
        self.is_a_guess = hint.is_none();
        self.hint = Some(hint.unwrap_or_else(|| guess.to_owned()));
        let skipped = log.len().saturating_sub(LINES);
        self.log = log.into_iter().skip(skipped).collect();
    }

    /// An agent program that was started and did nothing useful most often lacks a login.
    pub(super) fn name_login(&mut self, backend: &Backend) {
        if self.is_a_guess && self.started {
            let hint = self.hint.get_or_insert_default();
            hint.push_str("; ");
            hint.push_str(&backend.how_to_log_in());
        }
    }

    pub(super) fn is_good(&self) -> bool {
        self.status == TaskStatus::Succeeded && self.wrote
    }

    pub(super) fn print(&self, session: &Session) {
        if session.json {
            let mut shown = serde_json::json!(self);
            shown["ok"] = self.is_good().into();
            anstream::println!("{shown}");
            return;
        }
        let yes = |is: bool| if is { "yes" } else { "no" };
        let verdict = if self.is_good() { "works" } else { "does not work" };
        anstream::println!("{} {verdict}", style::bold(&self.agent));
        if let Some(backend) = &self.backend {
            anstream::println!("run by: {backend}");
        }
        anstream::println!("started: {}", yes(self.started));
        anstream::println!("ended: {}, after {}", self.outcome, self.took);
        anstream::println!("wrote what it was told: {}", yes(self.wrote));
        let confined = self.confined.map_or_else(|| "not recorded".to_owned(), |by| by.to_string());
        anstream::println!("confined: {confined}");
        for line in &self.log {
            anstream::println!("  | {line}");
        }
        if let Some(problem) = &self.problem {
            anstream::println!("problem: {problem}");
        }
        if let Some(hint) = &self.hint {
            anstream::println!("hint: {hint}");
        }
    }
}
