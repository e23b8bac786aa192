//! `orchestra agents`: list, show and check what can be given work. Reads files, needs no daemon.

use crate::{
    arguments::Agents,
    commands::Done,
    failure::{Class, Failure},
    session::Session,
    show::{style, table::Table},
};
use orchestra_core::{
    catalog::Availability,
    diagnostic::{Diagnostic, Severity},
};
use orchestra_runtimes::catalog::{AgentSource, Loaded};
use serde_json::{Value, json};

pub(crate) fn run(session: &Session, command: Option<Agents>) -> Result<Done, Failure> {
    let loaded = session.catalog();
    match command.unwrap_or(Agents::List) {
        Agents::List => {
            list(session, &loaded);
            Ok(Done::Well)
        }
        Agents::Show { name } => show(session, find(&loaded, &name)?),
        Agents::Check { name: Some(name) } => {
            let agent = find(&loaded, &name)?;
            Ok(report(session, "agent files", 1, &agent.diagnostics))
        }
        Agents::Check { name: None } => {
            let mut diagnostics = loaded.diagnostics.clone();
            diagnostics.extend(loaded.agents.iter().flat_map(|agent| agent.diagnostics.clone()));
            Ok(report(session, "agent files", loaded.agents.len(), &diagnostics))
        }
    }
}

fn name_of(agent: &AgentSource) -> &str {
    agent.profile.as_ref().map_or(agent.file.as_str(), |profile| profile.name.as_str())
}

fn find<'a>(loaded: &'a Loaded, name: &str) -> Result<&'a AgentSource, Failure> {
    loaded.agents.iter().find(|agent| name_of(agent) == name || agent.file == name).ok_or_else(
        || {
            Failure::new(
                Class::Usage,
                format!("find the agent `{}`", name.chars().take(80).collect::<String>()),
                "`orchestra agents list` shows them; a first one of your own goes to \
                 .orchestra/agents/<name>.md",
            )
        },
    )
}

fn availability(agent: &AgentSource) -> String {
    match &agent.availability {
        _ if agent.shadowed => "shadowed".to_owned(),
        Availability::Available => "available".to_owned(),
        Availability::Unavailable { reason } => reason.clone(),
    }
}

fn to_json(agent: &AgentSource) -> Value {
    json!({
        "name": name_of(agent),
        "file": agent.file,
        "origin": agent.origin,
        "profile": agent.profile,
        "availability": agent.availability,
        "shadowed": agent.shadowed,
        "diagnostics": agent.diagnostics,
    })
}

fn list(session: &Session, loaded: &Loaded) {
    if session.json {
        let agents: Vec<Value> = loaded.agents.iter().map(to_json).collect();
        let natives = &loaded.catalog.natives;
        anstream::println!("{}", json!({ "agents": agents, "natives": natives }));
        return;
    }
    let mut table = Table::new(&["agent", "runtime", "from", "capabilities", "status"]);
    for agent in &loaded.agents {
        let profile = agent.profile.as_ref();
        table.row([
            name_of(agent).to_owned(),
            profile.map(|profile| profile.runtime.to_string()).unwrap_or_default(),
            agent.origin.to_string(),
            profile.map(|profile| profile.capabilities.join(", ")).unwrap_or_default(),
            availability(agent),
        ]);
    }
    for native in &loaded.catalog.natives {
        table.row([
            native.name.clone(),
            "native".to_owned(),
            "built-in".to_owned(),
            native.capabilities.join(", "),
            "available".to_owned(),
        ]);
    }
    table.print();
}

fn show(session: &Session, agent: &AgentSource) -> Result<Done, Failure> {
    if session.json {
        anstream::println!("{}", to_json(agent));
        return Ok(Done::Well);
    }
    anstream::println!("{}  {}", style::bold(name_of(agent)), agent.file);
    anstream::println!("status: {}", availability(agent));
    if let Some(profile) = &agent.profile {
        let fields = [
            ("description", profile.description.clone()),
            ("runtime", profile.runtime.to_string()),
            ("command", profile.command.join(" ")),
            ("model", profile.model.clone().unwrap_or_default()),
            ("capabilities", profile.capabilities.join(", ")),
            ("tools", profile.tools.join(", ")),
            ("writes", profile.writes.to_string()),
            ("priority", profile.priority.to_string()),
            ("max load", profile.max_load.to_string()),
            ("time-out", profile.timeout.to_string()),
            ("fallback", profile.fallback.join(", ")),
            ("environment", profile.env.join(", ")),
            ("requires", profile.requires.join(", ")),
        ];
        for (name, value) in fields.iter().filter(|(_, value)| !value.is_empty()) {
            anstream::println!("{name}: {value}");
        }
        if !profile.system_prompt.is_empty() {
            anstream::println!("\n{}", profile.system_prompt.trim_end());
        }
    }
    for diagnostic in &agent.diagnostics {
        anstream::println!("{diagnostic}");
    }
    Ok(Done::Well)
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
