//! The MCP servers that a workspace names in `.mcp.json`. They are listed; naming one starts nothing.

use super::files::{self, Confined};
use orchestra_core::diagnostic::Diagnostic;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, path::Path};

pub(super) const FILE: &str = ".mcp.json";
const MAX_FILE_BYTES: usize = 1 << 20;

/// A server as the file names it. Values of its variables are not kept: they may be secrets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct McpServer {
    pub name: String,
    /// As the user would type it.
    pub file: String,
    /// The program and its arguments; empty for one that is reached over the network.
    pub command: Vec<String>,
    pub url: Option<String>,
    /// Names of the variables that it is given.
    pub env: Vec<String>,
}

#[derive(Deserialize)]
struct File {
    #[serde(rename = "mcpServers", default)]
    servers: BTreeMap<String, Server>,
}

#[derive(Deserialize)]
struct Server {
    #[serde(default)]
    command: Option<String>,
    #[serde(default)]
    args: Vec<String>,
    #[serde(default)]
    env: BTreeMap<String, serde_json::Value>,
    #[serde(default)]
    url: Option<String>,
}

/// Sorted by name. What is wrong with the file is a finding.
pub(super) fn load(root: &Path, diagnostics: &mut Vec<Diagnostic>) -> Vec<McpServer> {
    match files::read(&root.join(FILE), FILE, Confined::To(root), MAX_FILE_BYTES) {
        Ok(None) => Vec::new(),
        Ok(Some(file)) => match serde_json::from_str::<File>(&file.text) {
            Ok(File { servers }) => {
                servers.into_iter().map(|(name, server)| server.named(name)).collect()
            }
            Err(error) => {
                diagnostics.push(malformed(&error));
                Vec::new()
            }
        },
        Err(diagnostic) => {
            diagnostics.push(*diagnostic);
            Vec::new()
        }
    }
}

impl Server {
    fn named(self, name: String) -> McpServer {
        McpServer {
            name,
            file: FILE.to_owned(),
            command: self.command.into_iter().chain(self.args).collect(),
            url: self.url,
            env: self.env.into_keys().collect(),
        }
    }
}

/// A warning: no agent of this workspace depends on it.
fn malformed(error: &serde_json::Error) -> Diagnostic {
    let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX).max(1);
    Diagnostic {
        line: count(error.line()),
        column: count(error.column()),
        ..Diagnostic::warning(
            FILE,
            format!("not a list of MCP servers: {error}"),
            "write {\"mcpServers\": {\"name\": {\"command\": \"program\", \"args\": []}}}",
        )
    }
}
