//! `orchestra agents capabilities`: the catalogue, and who has what.

use crate::{session::Session, show::table::Table};
use orchestra_core::capability::{CAPABILITIES, Capability};
use orchestra_runtimes::catalog::Loaded;
use serde_json::{Value, json};

pub(super) fn print(session: &Session, loaded: &Loaded) {
    if session.json {
        let all: Vec<Value> = CAPABILITIES
            .iter()
            .map(|capability| {
                json!({
                    "id": capability.id,
                    "description": capability.description,
                    "domains": capability.domains,
                    "tools": capability.tools,
                    "agents": who_has(loaded, capability),
                })
            })
            .collect();
        anstream::println!("{}", json!({ "capabilities": all }));
        return;
    }
    let mut table = Table::new(&["capability", "domains", "agents", "what it means"]);
    for capability in CAPABILITIES {
        table.row([
            capability.id.to_owned(),
            capability.domains.join(", "),
            who_has(loaded, capability).join(", "),
            capability.description.to_owned(),
        ]);
    }
    table.print();
}

/// Whether they can work at the moment or not.
fn who_has<'l>(loaded: &'l Loaded, capability: &Capability) -> Vec<&'l str> {
    loaded
        .catalog
        .agents
        .iter()
        .filter(|agent| agent.profile.capabilities.iter().any(|id| id == capability.id))
        .map(|agent| agent.profile.name.as_str())
        .collect()
}
