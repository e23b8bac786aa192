//! The desk: where words for an attempt are left, whatever of it runs at the time.

use crate::clock;
use orchestra_core::{
    decision::{Asker, Decision, DecisionStatus, Question},
    ids::AttemptId,
    outcome::StopReason,
    time::{Millis, Timestamp},
};
use orchestra_runtimes::attempt::{self, AttemptDir, GivenAnswer, InboxMessage, Reply, Sent};
use std::{
    collections::BTreeMap,
    io,
    sync::{Mutex, MutexGuard, PoisonError},
};
use tokio::sync::Notify;

/// An attempt as the actor reaches it. Its agent is one of several processes that may run for it, one
/// after the other: what sets its tree up, and what checks its work, are others.
#[derive(Debug)]
pub(crate) struct Desk {
    attempt: AttemptId,
    /// The agent's folder.
    agent: AttemptDir,
    kept: Mutex<Kept>,
    /// The agent's shim has told something.
    news: Notify,
    /// It was told to stop, or has another time-out.
    told: Notify,
    /// A question of ours about it has its answer.
    answered: Notify,
}

#[derive(Debug, Default)]
struct Kept {
    stop: Option<StopReason>,
    /// Not for its jobs, which have their own.
    timeout: Option<Millis>,
    at_work: Option<AtWork>,
    /// How our own questions about it were answered, by their keys.
    answers: BTreeMap<String, String>,
}

/// Who takes messages.
#[derive(Debug)]
struct AtWork {
    dir: AttemptDir,
    is_agent: bool,
}

impl Desk {
    pub(crate) fn new(attempt: AttemptId, agent: AttemptDir) -> Self {
        Self {
            attempt,
            agent,
            kept: Mutex::default(),
            news: Notify::new(),
            told: Notify::new(),
            answered: Notify::new(),
        }
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Said once, it holds for everything that would come.
    pub(crate) fn stop(&self, reason: StopReason) {
        let mut kept = self.kept();
        kept.stop.get_or_insert(reason);
        self.told.notify_waiters();
        if let Some(at_work) = &kept.at_work {
            self.send(&at_work.dir, InboxMessage::Cancel { reason });
        }
    }

    pub(crate) fn change_timeout(&self, timeout: Millis) {
        let mut kept = self.kept();
        kept.timeout = Some(timeout);
        self.told.notify_waiters();
        if let Some(AtWork { dir, is_agent: true }) = &kept.at_work {
            self.send(dir, InboxMessage::Timeout { timeout });
        }
    }

    /// The agent's shim says that there is something to take in.
    pub(crate) fn has_news(&self) {
        self.news.notify_one();
    }

    /// Returns when there is something to take in; also when it came before anybody asked.
    pub(super) async fn news(&self) {
        self.news.notified().await;
    }

    /// Answers what the agent has said. Writes a file.
    pub(crate) fn reply(&self, number: u32, reply: Reply) {
        send(self.attempt, &self.agent, &InboxMessage::Reply { number, reply });
    }

    /// How a question has ended: the agent's goes to the agent, ours stays here.
    pub(crate) fn deliver(&self, decision: &Decision) {
        let Question { key, .. } = &decision.asked.question;
        if decision.asked.asker == Asker::Orchestra {
            if let DecisionStatus::Answered { choice, .. } = &decision.status {
                self.kept().answers.insert(key.clone(), choice.clone());
                self.answered.notify_waiters();
            }
            return;
        }
        let answer = match &decision.status {
            DecisionStatus::Answered { choice, by, .. } => {
                Some(GivenAnswer { choice: choice.clone(), by: *by })
            }
            DecisionStatus::Open | DecisionStatus::Withdrawn { .. } => None,
        };
        let (decision, key) = (decision.asked.decision, key.clone());
        self.send(&self.agent, InboxMessage::Answer { decision, key, answer });
    }

    /// Comes back when it is told to stop, at once when it was.
    pub(super) async fn told_to_stop(&self) {
        loop {
            let told = self.told.notified();
            tokio::pin!(told);
            // A word between the look and the wait is not missed.
            told.as_mut().enable();
            if self.stopped().is_some() {
                return;
            }
            told.await;
        }
    }

    /// Comes back with the answer to a question of ours, at once when it is there.
    pub(super) async fn answer_to(&self, key: &str) -> String {
        loop {
            let answered = self.answered.notified();
            tokio::pin!(answered);
            // As above: an answer between the look and the wait is not missed.
            answered.as_mut().enable();
            if let Some(answer) = self.kept().answers.get(key) {
                return answer.clone();
            }
            answered.await;
        }
    }

    /// Whether it was told to stop.
    pub(super) fn stopped(&self) -> Option<StopReason> {
        self.kept().stop
    }

    /// The time-out that holds now; `first` is the one that it began with.
    pub(super) fn timeout(&self, first: Millis) -> Millis {
        self.kept().timeout.unwrap_or(first)
    }

    /// Comes back when its time is up, for an attempt without an agent whose shim would say so.
    pub(super) async fn time_is_up(&self, started: Timestamp, first: Millis) {
        loop {
            let told = self.told.notified();
            tokio::pin!(told);
            // A word between the look and the wait is not missed.
            told.as_mut().enable();
            let left = started.after(self.timeout(first)).since(clock::now());
            if left == Millis(0) {
                return;
            }
            tokio::select! {
                () = tokio::time::sleep(left.into()) => {}
                () = told => {}
            }
        }
    }

    /// Lets the agent's folder be made, with the time-out that holds now, and from then on passes words
    /// on to it. `Err`: it was told to stop before.
    pub(super) fn agent_begins<E>(
        &self,
        make: impl FnOnce(Option<Millis>) -> Result<AttemptDir, E>,
    ) -> Result<Result<AttemptDir, E>, StopReason> {
        let mut kept = self.kept();
        let timeout = kept.timeout;
        Self::begin(&mut kept, true, || make(timeout))
    }

    /// The same for another process of the attempt.
    pub(super) fn job_begins<E>(
        &self,
        make: impl FnOnce() -> Result<AttemptDir, E>,
    ) -> Result<Result<AttemptDir, E>, StopReason> {
        Self::begin(&mut self.kept(), false, make)
    }

    // Under the lock: a word that comes meanwhile is either heeded here or finds an inbox.
    fn begin<E>(
        kept: &mut Kept,
        is_agent: bool,
        make: impl FnOnce() -> Result<AttemptDir, E>,
    ) -> Result<Result<AttemptDir, E>, StopReason> {
        if let Some(reason) = kept.stop {
            return Err(reason);
        }
        let made = make();
        kept.at_work = made.as_ref().ok().map(|dir| AtWork { dir: dir.clone(), is_agent });
        Ok(made)
    }

    /// Passes words on to what an earlier daemon started, those that were left before among them.
    pub(super) fn is_found(&self, dir: &AttemptDir, is_agent: bool) {
        let mut kept = self.kept();
        if let Some(reason) = kept.stop {
            self.send(dir, InboxMessage::Cancel { reason });
        }
        if let Some(timeout) = kept.timeout.filter(|_| is_agent) {
            self.send(dir, InboxMessage::Timeout { timeout });
        }
        kept.at_work = Some(AtWork { dir: dir.clone(), is_agent });
    }

    /// Nobody takes messages until the next one begins.
    pub(super) fn has_ended(&self) {
        self.kept().at_work = None;
    }

    /// Writes a file, so not on the actor's thread.
    fn send(&self, dir: &AttemptDir, message: InboxMessage) {
        let (attempt, dir) = (self.attempt, dir.clone());
        tokio::task::spawn_blocking(move || send(attempt, &dir, &message));
    }
}

fn send(attempt: AttemptId, dir: &AttemptDir, message: &InboxMessage) {
    match attempt::send(dir, message) {
        Ok(Sent::Delivered { .. } | Sent::NeverStarts) => {}
        // Its end is being looked at: a folder that has gone is an attempt that never started.
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => tracing::error!(%attempt, %error, "a message did not reach the shim"),
    }
}
