//! `workspace/decisions/r12-d1.md`: what an agent asks, or Orchestra about its work or the user's files,
//! for people who look at files, and what became of it.

use super::{
    folder::Obstacle,
    layout::Layout,
    markdown::{fenced, line},
};
use orchestra_core::{
    decision::{Asker, DecisionStatus},
    view::DecisionView,
};

/// Writes the file of a decision, unless it says the same already.
pub(super) fn write(layout: &Layout, decision: &DecisionView) -> Result<(), Obstacle> {
    let folder = layout.workspace()?.folder("decisions")?;
    let name = format!("{}-d{}.md", decision.id.run(), decision.id.number());
    let text = text(decision);
    if folder.read(&name)?.is_some_and(|there| there == text.as_bytes()) {
        return Ok(());
    }
    folder.replace(&name, text.as_bytes())
}

fn text(decision: &DecisionView) -> String {
    let DecisionView { id, about, step, asked, .. } = decision;
    let asks = match (decision.asker, step) {
        (Asker::Agent, Some(step)) => format!("{step} asks"),
        (Asker::Agent, None) => format!("{about} asks"),
        (Asker::Orchestra, Some(step)) => format!("Orchestra asks about {step}"),
        (Asker::Orchestra, None) => format!("Orchestra asks about {about}"),
    };
    let mut text = format!("# {id}: {asks}\n\n{about}, {asked}\n\n");
    text.push_str(&fenced(&decision.question, "text"));
    if !decision.choices.is_empty() {
        text.push('\n');
    }
    for choice in &decision.choices {
        text.push_str(&format!("- `{}` {}\n", line(&choice.id), line(&choice.label)));
    }
    text.push('\n');
    text.push_str(&match &decision.status {
        DecisionStatus::Open => {
            let ids: Vec<&str> = decision.choices.iter().map(|choice| choice.id.as_str()).collect();
            let answer = if ids.is_empty() { "\"…\"".to_owned() } else { ids.join("|") };
            let default = match (&decision.default, decision.until) {
                (Some(default), Some(until)) => {
                    format!(" If nobody does until {until}, it is `{}`.", line(default))
                }
                (None, Some(until)) => format!(" The question ends at {until}."),
                (_, None) => String::new(),
            };
            format!("Answer with `orchestra decide {id} {answer}`.{default}\n")
        }
        DecisionStatus::Answered { choice, by, at } => {
            format!("Answered by {by}, {at}:\n\n{}", fenced(choice, "text"))
        }
        DecisionStatus::Withdrawn { reason, at } => format!("Not answered: {reason}, {at}.\n"),
    });
    text
}
