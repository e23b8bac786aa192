//! `orchestra agents show`: one agent in full, with who runs it and whose place it takes.

use super::{availability, to_json};
use crate::{session::Session, show::style};
use orchestra_core::agent::AgentProfile;
use orchestra_runtimes::catalog::{AgentSource, Loaded};

pub(super) fn print(session: &Session, loaded: &Loaded, agent: &AgentSource) {
    let profile = agent.completed();
    if session.json {
        anstream::println!("{}", to_json(agent, profile.as_ref()));
        return;
    }
    anstream::println!("{}  {}", style::bold(agent.name()), agent.file);
    anstream::println!("status: {}", availability(agent));
    let shadowed: Vec<&str> = loaded
        .agents
        .iter()
        .filter(|other| {
            other.name() == agent.name() && other.shadowed_by.as_ref() == Some(&agent.file)
        })
        .map(|other| other.file.as_str())
        .collect();
    if !shadowed.is_empty() {
        anstream::println!("takes the place of: {}", shadowed.join(", "));
    }
    if let Some(profile) = &profile {
        print_profile(profile);
    }
    for diagnostic in &agent.diagnostics {
        anstream::println!("{diagnostic}");
    }
}

fn print_profile(profile: &AgentProfile) {
    let words = |words: &[String]| words.join(", ");
    let variables = profile.variables.iter().map(|(name, value)| format!("{name}={value}"));
    let fields = [
        ("description", profile.description.clone()),
        ("runtime", profile.runtime.to_string()),
        ("backend", profile.backend.clone().unwrap_or_default()),
        ("command", profile.command.join(" ")),
        ("model", profile.model.clone().unwrap_or_default()),
        ("type", profile.kind.clone()),
        ("category", profile.category.clone()),
        ("capabilities", words(&profile.capabilities)),
        ("tools", words(&profile.tools)),
        ("writes", profile.writes.to_string()),
        ("priority", profile.priority.to_string()),
        ("max load", profile.max_load.to_string()),
        ("time-out", profile.timeout.to_string()),
        ("fallback", words(&profile.fallback)),
        ("environment", words(&profile.env)),
        ("variables", variables.collect::<Vec<_>>().join(", ")),
        ("state", words(&profile.state)),
        ("requires", words(&profile.requires)),
    ];
    for (name, value) in fields.iter().filter(|(_, value)| !value.is_empty()) {
        anstream::println!("{name}: {value}");
    }
    if !profile.system_prompt.is_empty() {
        anstream::println!("\n{}", profile.system_prompt.trim_end());
    }
}
