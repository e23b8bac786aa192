//! `orchestra agents list`: agents, native actions, and the MCP servers of the workspace.

use super::{availability, to_json};
use crate::{session::Session, show::table::Table};
use orchestra_runtimes::catalog::{Loaded, McpServer};
use serde_json::{Value, json};

pub(super) fn print(session: &Session, loaded: &Loaded) {
    if session.json {
        let agents = loaded.agents.iter();
        let agents: Vec<Value> =
            agents.map(|agent| to_json(agent, agent.completed().as_ref())).collect();
        let (natives, servers) = (&loaded.catalog.natives, &loaded.mcp_servers);
        let all = json!({ "agents": agents, "natives": natives, "mcp_servers": servers });
        anstream::println!("{all}");
        return;
    }
    let mut table = Table::new(&["agent", "runtime", "from", "capabilities", "status"]);
    for agent in &loaded.agents {
        let profile = agent.profile.as_ref();
        table.row([
            agent.name().to_owned(),
            profile.map(|profile| profile.runtime.to_string()).unwrap_or_default(),
            agent.origin.to_string(),
            profile.map(|profile| profile.capabilities.join(", ")).unwrap_or_default(),
            match agent.backend {
                Some(backend) if availability(agent) == "available" => {
                    format!("available, run by {}", backend.name)
                }
                _ => availability(agent),
            },
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
    for server in &loaded.mcp_servers {
        table.row([
            server.name.clone(),
            "mcp".to_owned(),
            server.file.clone(),
            String::new(),
            reached(server),
        ]);
    }
    table.print();
}

fn reached(server: &McpServer) -> String {
    match &server.url {
        Some(url) => format!("listed only: {url}"),
        None => format!("listed only: {}", server.command.join(" ")),
    }
}
