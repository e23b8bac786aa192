//! The natives and agents that the files of these tests may refer to.

use orchestra_core::{
    agent::{AgentStatus, Origin},
    agent_file,
    catalog::{ArgumentInfo, ArgumentKind, Availability, Catalog, CatalogAgent, NativeInfo},
};

fn native(name: &str, capabilities: &[&str]) -> NativeInfo {
    let argument = |name: &str, kind, required| ArgumentInfo {
        name: name.to_owned(),
        kind,
        required,
        description: format!("the {name} to look at"),
    };
    NativeInfo {
        name: name.to_owned(),
        description: String::new(),
        capabilities: capabilities.iter().map(|&c| c.to_owned()).collect(),
        inline: false,
        spawns: name == "checks.run",
        arguments: match name {
            "workspace.search" => vec![
                argument("pattern", ArgumentKind::Text, true),
                argument("limit", ArgumentKind::Count { min: 1, max: 500 }, false),
            ],
            "checks.run" => vec![argument("commands", ArgumentKind::Commands, false)],
            _ => Vec::new(),
        },
    }
}

/// An agent from a file as people write it.
pub(crate) fn agent(name: &str, keys: &str) -> CatalogAgent {
    let text = format!("---\nname: {name}\ncommand: [agent, \"{{prompt}}\"]\n{keys}\n---\nWork.\n");
    let read = agent_file::read(&text, "agents/test.md", Origin::Workspace);
    let profile = read.profile.unwrap_or_else(|| panic!("{name}: {:?}", read.diagnostics));
    let availability = match (profile.status, profile.requires.first()) {
        (AgentStatus::Inactive, _) => {
            Availability::Unavailable { reason: "its status is inactive".to_owned() }
        }
        (_, Some(program)) => {
            Availability::Unavailable { reason: format!("`{program}` is not on PATH") }
        }
        _ => Availability::Available,
    };
    CatalogAgent { profile, availability }
}

pub(crate) fn catalog() -> Catalog {
    Catalog {
        natives: vec![
            native("secrets.scan", &["secret-scanning"]),
            native("todo.scan", &["todo-scanning"]),
            native("report.write", &["reporting"]),
            native("workspace.search", &["search"]),
            native("checks.run", &["checking"]),
        ],
        agents: vec![
            agent("cso", "capabilities: [security_audit]"),
            agent("coder", "capabilities: [code_generation, code_refactoring]"),
            agent("writer", "capabilities: [writing]\nwrites: true"),
            agent("documenter", "capabilities: [code_documentation, reporting]\npriority: 5"),
            agent("sleeper", "capabilities: [dreaming]\nstatus: inactive"),
            agent("broken", "requires: [no-such-program]\nfallback: [coder]"),
        ],
        ..Catalog::default()
    }
}
