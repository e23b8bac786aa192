//! Questions of agents, about their work and about the user's files, as people read and answer them.

use crate::show::style::{bold, dim};
use orchestra_core::{
    decision::{Asker, DecisionStatus},
    view::DecisionView,
};

/// The ids to choose from, in one line.
pub(crate) fn choices(decision: &DecisionView) -> String {
    match decision.choices.as_slice() {
        [] => "any text".to_owned(),
        choices => {
            let ids: Vec<&str> = choices.iter().map(|choice| choice.id.as_str()).collect();
            ids.join(", ")
        }
    }
}

/// Who asks what, and how to answer.
pub(crate) fn in_full(decision: &DecisionView) -> String {
    let DecisionView { id, asked, .. } = decision;
    let about = match &decision.step {
        Some(step) => format!("{step} ({})", decision.about),
        None => decision.about.to_string(),
    };
    let asks = match decision.asker {
        Asker::Agent => format!("{about} asks"),
        Asker::Orchestra => format!("Orchestra asks about {about}"),
    };
    let mut lines = vec![
        format!("{}  {asks} since {asked}", bold(&id.to_string())),
        String::new(),
        decision.question.trim().to_owned(),
        String::new(),
    ];
    for choice in &decision.choices {
        let default = match &decision.default {
            Some(default) if *default == choice.id => dim(" (if nobody answers)"),
            _ => String::new(),
        };
        lines.push(format!("  {}  {}{default}", bold(&choice.id), choice.label));
    }
    match &decision.status {
        DecisionStatus::Open => {
            if let (Some(default), true) = (&decision.default, decision.choices.is_empty()) {
                lines.push(format!("if nobody answers: {default}"));
            }
            if let Some(until) = decision.until {
                lines.push(format!("an answer counts until {until}"));
            }
            lines.push(how_to_answer(decision));
        }
        DecisionStatus::Answered { choice, by, at } => {
            lines.push(format!("answered by {by}, {at}: {choice}"));
        }
        DecisionStatus::Withdrawn { reason, at } => {
            lines.push(format!("not answered: {reason}, {at}"));
        }
    }
    lines.join("\n")
}

/// The question in one line, for those who follow a run.
pub(crate) fn in_short(decision: &DecisionView) -> String {
    let id = decision.id;
    let about = subject(decision);
    let question = decision.question.trim().lines().next().unwrap_or_default();
    let asks = match decision.asker {
        Asker::Agent => "asks",
        Asker::Orchestra => "is asked about",
    };
    format!("{id} {about} {asks}: {question}\n  {}", how_to_answer(decision))
}

/// The step that asks or is asked about, or the operation.
pub(crate) fn subject(decision: &DecisionView) -> String {
    match &decision.step {
        Some(step) => step.to_string(),
        None => decision.about.to_string(),
    }
}

fn how_to_answer(decision: &DecisionView) -> String {
    let answer = match decision.choices.as_slice() {
        [] => "\"…\"".to_owned(),
        choices => {
            let ids: Vec<&str> = choices.iter().map(|choice| choice.id.as_str()).collect();
            ids.join("|")
        }
    };
    format!("answer with: orchestra decide {} {answer}", decision.id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use orchestra_core::{
        decision::{About, Choice},
        time::Timestamp,
    };

    fn asked(about: About, step: Option<&str>) -> DecisionView {
        DecisionView {
            id: "r1/d1".parse().unwrap(),
            about,
            asker: Asker::Orchestra,
            step: step.map(|step| step.parse().unwrap()),
            question: "Which?\na.txt".to_owned(),
            choices: ["mine", "leave"]
                .map(|id| Choice { id: id.to_owned(), label: format!("{id} it") })
                .to_vec(),
            default: Some("leave".to_owned()),
            asked: Timestamp(0),
            until: None,
            status: DecisionStatus::Open,
        }
    }

    fn plain(text: &str) -> String {
        anstream::adapter::strip_str(text).to_string()
    }

    #[test]
    fn a_question_about_an_operation_names_it_where_others_name_a_step() {
        let of_operation = asked(About::Operation("r1/o2".parse().unwrap()), None);
        assert_eq!(
            plain(&in_short(&of_operation)),
            "r1/d1 r1/o2 is asked about: Which?\n  answer with: orchestra decide r1/d1 mine|leave"
        );
        assert_eq!(
            plain(&in_full(&of_operation)),
            "r1/d1  Orchestra asks about r1/o2 since 1970-01-01T00:00:00Z\n\nWhich?\na.txt\n\n  \
             mine  mine it\n  leave  leave it (if nobody answers)\n\
             answer with: orchestra decide r1/d1 mine|leave"
        );
        let of_attempt = asked(About::Attempt("r1.3@1".parse().unwrap()), Some("fix"));
        let first = plain(&in_full(&of_attempt)).lines().next().map(str::to_owned);
        let expected = "r1/d1  Orchestra asks about fix (r1.3@1) since 1970-01-01T00:00:00Z";
        assert_eq!(first.as_deref(), Some(expected));
    }
}
