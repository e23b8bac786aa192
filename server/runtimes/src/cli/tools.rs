//! How an agent reaches its tools: what the shim opens, and what the agent is told of it.

use super::prepare::environment_failure;
use crate::attempt::{BrokerSpec, Spec, new_token};
use orchestra_core::{
    config::{DecisionConfig, McpConfig},
    outcome::{Failure, FailureKind},
};
use serde_json::json;
use std::path::Path;

/// The agent's tools, see [`crate::mcp`].
#[derive(Debug, Clone, Copy)]
pub struct Tools<'a> {
    /// This program.
    pub program: &'a Path,
    /// Where the shim is to listen.
    pub socket: &'a Path,
    pub decision: &'a DecisionConfig,
    pub limits: &'a McpConfig,
}

impl Tools<'_> {
    /// The arguments with which this program is the MCP server.
    const ARGUMENT: &'static str = "__mcp";

    pub(super) fn spec(&self) -> Result<BrokerSpec, Failure> {
        let length = self.socket.as_os_str().len();
        if length > BrokerSpec::LONGEST_SOCKET {
            return Err(Failure {
                kind: FailureKind::Environment,
                message: format!(
                    "the path {} of the socket for the agent's tools has {length} bytes, and the \
                     system takes {}",
                    self.socket.display(),
                    BrokerSpec::LONGEST_SOCKET
                ),
                hint: Some("set XDG_RUNTIME_DIR to a folder with a shorter path".to_owned()),
            });
        }
        Ok(BrokerSpec {
            socket: self.socket.to_owned(),
            wait: self.decision.wait,
            decision_timeout: self.decision.timeout,
            max_line: self.limits.max_line.0,
            max_said: self.limits.max_said.0,
            max_connections: self.limits.max_connections,
        })
    }

    /// How the agent's processes find the server, and the server the shim.
    pub(super) fn variables(&self) -> Result<[(String, String); 3], Failure> {
        let token =
            new_token().map_err(|error| environment_failure("draw random numbers", &error))?;
        let command = format!("{} {}", self.program.display(), Self::ARGUMENT);
        Ok([
            (Spec::MCP_COMMAND.to_owned(), command),
            (Spec::MCP_SOCKET.to_owned(), self.socket.display().to_string()),
            (Spec::MCP_TOKEN.to_owned(), token),
        ])
    }

    /// The file that agents read which know MCP servers by one. The token is not in it: other agents
    /// may read files; the server finds it in the environment of its ancestors.
    pub(super) fn server_config(&self) -> String {
        let server = json!({
            "type": "stdio",
            "command": self.program.display().to_string(),
            "args": [Self::ARGUMENT],
            "env": { Spec::MCP_SOCKET: self.socket.display().to_string() },
        });
        format!("{:#}\n", json!({ "mcpServers": { "orchestra": server } }))
    }
}
