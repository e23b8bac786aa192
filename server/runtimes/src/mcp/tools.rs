//! The tools as a model sees them: names, descriptions, arguments.

use super::{
    answer::answer,
    relay::Relay,
    wire::{Call, Finish},
};
use crate::attempt::SaidProgress;
use orchestra_core::{decision, memory::Remember, time::Millis};
use rmcp::{
    ServerHandler,
    handler::server::wrapper::Parameters,
    model::CallToolResult,
    schemars::{self, JsonSchema},
    tool, tool_handler, tool_router,
};
use serde::Deserialize;
use serde_json::Value;
use std::sync::Arc;

/// The MCP server of one agent.
#[derive(Clone)]
pub(super) struct Tools {
    relay: Arc<Relay>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ReportProgress {
    /// What you are doing now, in one line.
    message: String,
    /// How many steps are done, if you count them.
    done: Option<u64>,
    /// How many steps there are, if you know.
    total: Option<u64>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct AskDecision {
    /// What a person is to decide, in one or two sentences that can be understood without your context.
    question: String,
    /// The answers to choose from; leave it out for a free text.
    #[serde(default)]
    choices: Vec<Choice>,
    /// The safe answer, taken if nobody answers in time: the id of a choice, or a text.
    default: Option<String>,
    /// How long a person may take, in seconds, if less than usual.
    timeout_seconds: Option<u64>,
}

/// One of the answers.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Choice {
    /// A short word, such as "yes".
    id: String,
    /// What it means, in one line.
    #[serde(default)]
    label: String,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct GetDecision {
    /// The id that `ask_decision` has given, such as "q1".
    id: String,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct GetMemory {
    /// Leave it out to list the keys that there are.
    key: Option<String>,
    /// Whether to look at what only you and later attempts of yours can see.
    #[serde(default)]
    private: bool,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct SetMemory {
    /// A short name, such as "api.version".
    key: String,
    /// Any JSON of at most 64 KiB; null removes the entry.
    value: Value,
    /// Whether only you and later attempts of yours can see it.
    #[serde(default)]
    private: bool,
    /// How long it is kept, in seconds; leave it out to keep it until the run ends.
    ttl_seconds: Option<u64>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct FinishTask {
    /// What you did, in one line.
    summary: String,
    /// What the steps after yours are to get, as JSON; leave it out if there is nothing.
    #[serde(default)]
    result: Value,
    /// Only when you could not do the task: why, in one line.
    error: Option<String>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ReadArtifact {
    /// As `list_tasks` names it, such as "documentation/report.md".
    path: String,
    /// From which byte on; leave it out to begin at the start.
    #[serde(default)]
    offset: u64,
}

#[tool_router]
impl Tools {
    pub(super) fn new(relay: Relay) -> Self {
        Self { relay: Arc::new(relay) }
    }

    #[tool(
        description = "Say what you are doing now. A person sees it; call it at each larger step."
    )]
    async fn report_progress(
        &self,
        Parameters(ReportProgress { message, done, total }): Parameters<ReportProgress>,
    ) -> CallToolResult {
        self.call(Call::Progress(SaidProgress { message, done, total })).await
    }

    #[tool(
        description = "Ask a person to decide something that you must not decide alone: what cannot be \
        undone, what the task leaves open and where guessing would be costly. Waits for the answer for a \
        while. If nobody has answered by then, the result is `pending` with an id: call `get_decision` \
        with it to go on waiting. Your time does not run while you wait. Do not ask what you can find out."
    )]
    async fn ask_decision(
        &self,
        Parameters(AskDecision { question, choices, default, timeout_seconds }): Parameters<
            AskDecision,
        >,
    ) -> CallToolResult {
        let choices = choices
            .into_iter()
            .map(|Choice { id, label }| decision::Choice { id, label })
            .collect();
        let timeout = timeout_seconds.map(in_seconds);
        self.call(Call::Ask { question, choices, default, timeout }).await
    }

    #[tool(
        description = "Go on waiting for the answer to a question that `ask_decision` left `pending`."
    )]
    async fn get_decision(
        &self,
        Parameters(GetDecision { id }): Parameters<GetDecision>,
    ) -> CallToolResult {
        self.call(Call::Decision { key: id }).await
    }

    #[tool(
        description = "Read what was kept with `set_memory` in this run, by you or by another agent."
    )]
    async fn get_memory(
        &self,
        Parameters(GetMemory { key, private }): Parameters<GetMemory>,
    ) -> CallToolResult {
        self.call(Call::Recall { private, key }).await
    }

    #[tool(
        description = "Keep a small value that other agents of this run, or later attempts of yours, need: \
        a decision taken, a name chosen, something found out. Put files below $ORCHESTRA_DIR instead."
    )]
    async fn set_memory(
        &self,
        Parameters(SetMemory { key, value, private, ttl_seconds }): Parameters<SetMemory>,
    ) -> CallToolResult {
        let ttl = ttl_seconds.map(in_seconds);
        self.call(Call::Remember(Remember { private, key, value, ttl })).await
    }

    #[tool(
        description = "Say that your task is finished, or with `error` that you could not do it. Call it \
        once, as the very last thing: what you hand over is checked then."
    )]
    async fn finish_task(
        &self,
        Parameters(FinishTask { summary, result, error }): Parameters<FinishTask>,
    ) -> CallToolResult {
        self.call(Call::Finish(Finish { summary, result, error })).await
    }

    #[tool(description = "Read a text file that a task of this run has handed over.")]
    async fn read_artifact(
        &self,
        Parameters(ReadArtifact { path, offset }): Parameters<ReadArtifact>,
    ) -> CallToolResult {
        self.call(Call::ReadArtifact { path, offset }).await
    }

    #[tool(
        description = "List the tasks of this run: how they stand, what they made, and the artifacts that \
        `read_artifact` can read."
    )]
    async fn list_tasks(&self) -> CallToolResult {
        self.call(Call::ListTasks).await
    }

    async fn call(&self, call: Call) -> CallToolResult {
        answer(self.relay.call(call).await)
    }
}

#[tool_handler(
    name = "orchestra",
    instructions = "Tools to work with the other agents of this run and with the person behind it."
)]
impl ServerHandler for Tools {}

fn in_seconds(seconds: u64) -> Millis {
    Millis(seconds.saturating_mul(1_000))
}
