//! The questions of one agent: which are open, who waits for their answers, and for how long a person
//! was waited for.

use super::{
    super::boot_time::{self, BootTime},
    Caller,
};
use crate::attempt::Reply;
use orchestra_core::{
    decision::{Choice, Question},
    ids::DecisionId,
};
use std::time::Duration;

#[derive(Debug, Default)]
pub(super) struct Questions {
    asked: Vec<Asked>,
    /// How many have been asked, with those that were forgotten.
    count: u32,
    /// For how long one was open, until `open_since`.
    waited: Duration,
    open_since: Option<BootTime>,
}

#[derive(Debug)]
struct Asked {
    question: Question,
    /// As people see it, once the daemon has said so.
    decision: Option<DecisionId>,
    ended: Option<Reply>,
    /// Whether the agent has heard how it ended.
    heard: bool,
    waiting: Vec<(Caller, BootTime)>,
}

impl Asked {
    fn callers(&mut self) -> Vec<Caller> {
        self.waiting.drain(..).map(|(caller, _)| caller).collect()
    }
}

impl Questions {
    /// The question under the key that it is asked with.
    pub(super) fn next(
        &mut self,
        text: String,
        choices: Vec<Choice>,
        default: Option<String>,
    ) -> Question {
        self.count += 1;
        Question { key: format!("q{}", self.count), text, choices, default }
    }

    pub(super) fn put(&mut self, question: Question) {
        self.asked.push(Asked {
            question,
            decision: None,
            ended: None,
            heard: false,
            waiting: Vec::new(),
        });
        self.keep_time();
    }

    /// The key of the same question, if the agent has not heard yet how that ended: it asks once more
    /// what it was told to ask again.
    pub(super) fn asked_already(&self, text: &str, choices: &[Choice]) -> Option<String> {
        let same = self.asked.iter().find(|asked| {
            !asked.heard && asked.question.text == text && asked.question.choices == choices
        })?;
        Some(same.question.key.clone())
    }

    /// How a question ended, or why it never will; `None`: the caller waits.
    pub(super) fn wait_for(&mut self, key: &str, caller: Caller, until: BootTime) -> Option<Reply> {
        let Some(asked) = self.find(key) else {
            let message = format!("nothing was asked under the id `{key}`");
            return Some(Reply::failed(message, "use the id that `ask_decision` has given"));
        };
        match &asked.ended {
            Some(reply) => {
                asked.heard = true;
                Some(reply.clone())
            }
            None => {
                asked.waiting.push((caller, until));
                None
            }
        }
    }

    pub(super) fn is_put(&mut self, key: &str, decision: DecisionId) {
        if let Some(asked) = self.find(key) {
            asked.decision = Some(decision);
        }
    }

    /// Who is to hear how the question ended. Ended twice, it ended as it did first.
    pub(super) fn end(&mut self, key: &str, reply: &Reply) -> Vec<Caller> {
        let Some(asked) = self.find(key).filter(|asked| asked.ended.is_none()) else {
            return Vec::new();
        };
        asked.ended = Some(reply.clone());
        let waiting = asked.callers();
        asked.heard = !waiting.is_empty();
        // Of what was refused nothing has to be kept.
        self.asked
            .retain(|asked| !(asked.heard && matches!(asked.ended, Some(Reply::Failed { .. }))));
        self.keep_time();
        waiting
    }

    /// Who has waited for long enough, and what they are told.
    pub(super) fn give_up(&mut self, now: BootTime) -> Vec<(Caller, Reply)> {
        let mut late = Vec::new();
        for asked in &mut self.asked {
            let (key, decision) = (&asked.question.key, asked.decision);
            let waiting = asked.waiting.extract_if(.., |(_, until)| *until <= now);
            late.extend(
                waiting.map(|(caller, _)| (caller, Reply::Pending { key: key.clone(), decision })),
            );
        }
        late
    }

    pub(super) fn next_deadline(&self) -> Option<BootTime> {
        self.waiting().map(|(_, until)| *until).min()
    }

    /// Callers that have gone hear nothing.
    pub(super) fn forget_callers(&mut self, has_gone: impl Fn(&Caller) -> bool) {
        for asked in &mut self.asked {
            asked.waiting.retain(|(caller, _)| !has_gone(caller));
        }
    }

    pub(super) fn waiting_on(&self, connection: u64) -> usize {
        self.waiting().filter(|(caller, _)| caller.connection == connection).count()
    }

    pub(super) fn are_open(&self) -> bool {
        self.asked.iter().any(|asked| asked.ended.is_none())
    }

    pub(super) fn waited(&self) -> Duration {
        let now = self.open_since.map(|since| boot_time::now().saturating_sub(since));
        self.waited + now.unwrap_or_default()
    }

    fn find(&mut self, key: &str) -> Option<&mut Asked> {
        self.asked.iter_mut().find(|asked| asked.question.key == key)
    }

    fn waiting(&self) -> impl Iterator<Item = &(Caller, BootTime)> {
        self.asked.iter().flat_map(|asked| &asked.waiting)
    }

    fn keep_time(&mut self) {
        match (self.open_since, self.are_open()) {
            (None, true) => self.open_since = Some(boot_time::now()),
            (Some(_), false) => {
                self.waited = self.waited();
                self.open_since = None;
            }
            _ => {}
        }
    }
}
