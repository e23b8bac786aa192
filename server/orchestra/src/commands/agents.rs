//! `orchestra agents`: what can be given work: listed, shown, checked, added, tried out.

mod add;
mod capabilities;
mod list;
mod show;
mod test;

use crate::{
    arguments::Agents,
    commands::Done,
    failure::{Class, Failure},
    session::Session,
};
use orchestra_core::{
    agent::AgentProfile,
    catalog::Availability,
    diagnostic::{Diagnostic, Severity},
};
use orchestra_runtimes::catalog::{AgentSource, Loaded};
use serde_json::{Value, json};

pub(crate) fn run(session: &Session, command: Option<Agents>) -> Result<Done, Failure> {
    let loaded = session.catalog();
    match command.unwrap_or(Agents::List) {
        Agents::List => {
            list::print(session, &loaded);
            Ok(Done::Well)
        }
        Agents::Show { name } => {
            show::print(session, &loaded, find(&loaded, &name)?);
            Ok(Done::Well)
        }
        Agents::Check { name: Some(name) } => {
            let agent = find(&loaded, &name)?;
            Ok(report(session, "agent files", 1, &agent.diagnostics))
        }
        Agents::Check { name: None } => {
            let mut diagnostics = loaded.diagnostics.clone();
            diagnostics.extend(loaded.agents.iter().flat_map(|agent| agent.diagnostics.clone()));
            Ok(report(session, "agent files", loaded.agents.len(), &diagnostics))
        }
        Agents::Capabilities => {
            capabilities::print(session, &loaded);
            Ok(Done::Well)
        }
        Agents::Add(agent) => add::run(session, &agent),
        Agents::Test(agent) => test::run(session, &agent),
    }
}

fn find<'a>(loaded: &'a Loaded, name: &str) -> Result<&'a AgentSource, Failure> {
    loaded.agents.iter().find(|agent| agent.name() == name || agent.file == name).ok_or_else(|| {
        Failure::new(
            Class::Usage,
            format!("find the agent `{}`", name.chars().take(80).collect::<String>()),
            "`orchestra agents list` shows them; `orchestra agents add <name>` writes one of your own",
        )
    })
}

fn availability(agent: &AgentSource) -> String {
    match (&agent.shadowed_by, &agent.availability) {
        (Some(file), _) => format!("shadowed by {file}"),
        (None, Availability::Available) => "available".to_owned(),
        (None, Availability::Unavailable { reason }) => reason.clone(),
    }
}

fn to_json(agent: &AgentSource, profile: Option<&AgentProfile>) -> Value {
    json!({
        "name": agent.name(),
        "file": agent.file,
        "origin": agent.origin,
        "profile": profile,
        "availability": agent.availability,
        "shadowed": agent.shadowed_by.is_some(),
        "shadowed_by": agent.shadowed_by,
        "diagnostics": agent.diagnostics,
    })
}

/// Prints what a check has found.
pub(super) fn report(
    session: &Session,
    what: &str,
    checked: usize,
    diagnostics: &[Diagnostic],
) -> Done {
    let errors =
        diagnostics.iter().filter(|diagnostic| diagnostic.severity == Severity::Error).count();
    if session.json {
        anstream::println!("{}", json!({ "checked": checked, "diagnostics": diagnostics }));
    } else {
        for diagnostic in diagnostics {
            anstream::println!("{diagnostic}");
        }
        let warnings = diagnostics.len() - errors;
        anstream::println!("{checked} {what} checked: {errors} errors, {warnings} warnings");
    }
    if errors == 0 { Done::Well } else { Done::Badly }
}
