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

#[cfg(test)]
mod tests {
    use super::*;
    use orchestra_core::{
        ids::TaskId,
        merge::{Conflict, ConflictKind, Side, Span},
    };

    fn part(task: &str, step: &str) -> Part {
        let (task, commit) = (task.parse::<TaskId>().unwrap(), "c0".to_owned());
        let works = vec![TaskWork { task, step: step.to_owned(), commit: commit.clone() }];
        Part { works, commit }
    }

    fn conflicted(theirs: &str, files: usize) -> Conflicted {
        let side = |text: &str| Side {
            lines: vec![Span { first: 2, count: 1 }],
            excerpt: Some(text.to_owned()),
        };
        let conflict = |number: usize| Conflict {
            path: format!("{number}{}", "\u{1b}".repeat(300)),
            kind: ConflictKind::Lines,
            ours: side(&"ä".repeat(500)),
            theirs: side("right"),
        };
        Conflicted {
            between: ["whatever".to_owned(), theirs.to_owned()],
            conflicts: (0..files).map(conflict).collect(),
            with_markers: "c1".to_owned(),
        }
    }

    #[test]
    fn the_choices_are_the_two_sides_and_to_stop() {
        let parts = [part("r1.1", "left"), part("r1.2", "right"), part("r1.3", "far")];
        let (question, answers) = about(&parts, &conflicted("r1.2", 1), 1);
        assert_eq!(question.key, "merge-1");
        let ids: Vec<&str> = question.choices.iter().map(|choice| choice.id.as_str()).collect();
        assert_eq!(ids, ["r1.1", "r1.2", "stop"]);
        assert_eq!(question.default.as_deref(), Some("stop"));
        let takes = ["r1.1", "r1.2", "stop"].map(|answer| answers.takes(answer));
        assert_eq!(takes, [Some(Takes::Ours), Some(Takes::Theirs), None]);
        let (question, _) = about(&parts, &conflicted("r1.3", 1), 2);
        assert_eq!(
            (question.key.as_str(), question.choices[0].id.as_str()),
            ("merge-2", "r1.1+r1.2")
        );
    }

    #[test]
    fn however_many_works_and_files_conflict_it_can_be_asked() {
        let step = "x".repeat(64);
        let parts: Vec<Part> =
            (1..=300).map(|number| part(&format!("r1.{number}"), &step)).collect();
        for (theirs, files) in [("r1.2", 5_000), ("r1.300", 5_000), ("r1.300", 1)] {
            let (question, _) = about(&parts, &conflicted(theirs, files), 1);
            assert_eq!(question.check(), Ok(()));
            assert!(question.text.contains("right"), "{}", question.text);
        }
        let (question, _) = about(&parts, &conflicted("r1.300", 1), 1);
        assert_eq!(question.choices[0].id, "r1.1+298");
    }
}
