//! Steps whose agents are all absent here and now, in one finding for each cause: where no agent program is
//! installed, a workflow of six steps has one problem and not six.

use super::near::{self, Near};
use crate::source::{At, Findings};

/// How many steps a finding names before it only counts them.
const NAMED: usize = 12;

/// All of them so far.
#[derive(Default)]
pub(super) struct Absent<'a>(Vec<Group<'a>>);

/// Steps that nobody can do for the same reasons.
struct Group<'a> {
    /// Of the first of them.
    at: At,
    /// What is to be said if there is only one.
    message: String,
    steps: Vec<(&'a str, String)>,
    near: Near<'a>,
}

impl<'a> Absent<'a> {
    /// `message` is what would be said of this step alone; `needed` are its capabilities.
    pub(super) fn add(
        &mut self,
        at: At,
        step: &'a str,
        message: String,
        needed: String,
        near: Near<'a>,
    ) {
        let is_same = |group: &&mut Group<'_>| {
            group.near.iter().map(|(reason, _)| reason).eq(near.iter().map(|(reason, _)| reason))
        };
        let Some(group) = self.0.iter_mut().find(is_same) else {
            self.0.push(Group { at, message, steps: vec![(step, needed)], near });
            return;
        };
        group.steps.push((step, needed));
        for ((_, known), (_, names)) in group.near.iter_mut().zip(near) {
            for name in names {
                if !known.contains(&name) {
                    known.push(name);
                }
            }
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Says it: as errors where the plan is to be carried out; where a file is only checked, nothing is wrong
    /// with the file.
    pub(super) fn say(self, is_error: bool, findings: &mut Findings<'_>) {
        for group in self.0 {
            let (message, hint) = (group.message(), near::told(&group.near));
            if is_error {
                findings.error(group.at, message, hint);
            } else {
                findings.warning(group.at, message, hint);
            }
        }
    }
}

impl Group<'_> {
    fn message(&self) -> String {
        if self.steps.len() == 1 {
            return self.message.clone();
        }
        let named = self.steps.iter().take(NAMED);
        let named: Vec<String> =
            named.map(|(step, needed)| format!("{step} (`{needed}`)")).collect();
        let (named, more) = (named.join(", "), self.steps.len().saturating_sub(NAMED));
        match more {
            0 => format!("nobody is there for the steps {named}"),
            more => format!("nobody is there for the steps {named} and {more} more"),
        }
    }
}
