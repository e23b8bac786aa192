//! What a person is asked when works do not fit together.

use super::work::{Part, TaskWork, called, sides};
use orchestra_core::{
    decision::{Choice, Question},
    merge::shown,
};
use orchestra_vcs::merge::{Conflicted, Takes};

const STOP: &str = "stop";

/// What the answers to a question mean.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Answers {
    ours: String,
    theirs: String,
}

impl Answers {
    /// Whose version counts; `None`: nobody's, the merge is to stop.
    pub(super) fn takes(&self, answer: &str) -> Option<Takes> {
        if answer == self.ours {
            Some(Takes::Ours)
        } else if answer == self.theirs {
            Some(Takes::Theirs)
        } else {
            None
        }
    }
}

/// The question about a conflict; `number` counts those of the attempt from one.
pub(super) fn about(parts: &[Part], conflicted: &Conflicted, number: usize) -> (Question, Answers) {
    let [ours, theirs] = sides(parts, conflicted);
    let answers = Answers { ours: id(&ours), theirs: id(&theirs) };
    let (called_ours, called_theirs) = (called(&ours), called(&theirs));
    let (conflicts, one) = (&conflicted.conflicts, conflicted.conflicts.len() == 1);
    let files = if one { "one file".to_owned() } else { format!("{} files", conflicts.len()) };
    let head = format!("{called_theirs} does not fit together with {called_ours} in {files}.\n\n");
    let last = "\nWhose version counts in these places? Everything else of both is merged. Of a file that is no \
                text, all of it counts.";
    let room = Question::MAX_TEXT - head.len() - last.len();
    let text = format!("{head}{}{last}", shown(conflicts, [&called_ours, &called_theirs], room));
    let choice = |id: &str, label: String| Choice { id: id.to_owned(), label };
    let choices = vec![
        choice(&answers.ours, format!("take what {called_ours} has there")),
        choice(&answers.theirs, format!("take what {called_theirs} has there")),
        choice(STOP, "merge nothing; both works are kept".to_owned()),
    ];
    let key = format!("merge-{number}");
    (Question { key, text, choices, default: Some(STOP.to_owned()) }, answers)
}

/// What is typed to choose a side: the ids of its tasks.
fn id(works: &[TaskWork]) -> String {
    let ids: Vec<String> = works.iter().map(|work| work.task.to_string()).collect();
    let all = ids.join("+");
    match ids.first() {
        Some(first) if all.len() > Choice::MAX_ID => format!("{first}+{}", ids.len() - 1),
        _ => all,
    }
}
