//! Replies as a model reads them: text that says what to do next, and the same as structured content.

use super::relay::RelayError;
use crate::attempt::Reply;
use orchestra_core::decision::AnsweredBy;
use rmcp::model::{CallToolResult, ContentBlock};
use serde_json::{Value, json};

pub(super) fn answer(reply: Result<Reply, RelayError>) -> CallToolResult {
    match reply {
        Ok(Reply::Failed { message, hint }) => failed(&format!("{message}; {hint}")),
        Ok(reply) => said(&reply),
        Err(error) => failed(&format!("{error}; go on without this tool")),
    }
}

fn failed(message: &str) -> CallToolResult {
    CallToolResult::error(vec![ContentBlock::text(message)])
}

fn said(reply: &Reply) -> CallToolResult {
    let (text, value) = match reply {
        Reply::Pending { key, decision } => {
            let seen = decision.map(|id| format!(" (a person sees it as {id})")).unwrap_or_default();
            (
                format!(
                    "pending: nobody has answered yet{seen}. Call `get_decision` with the id \"{key}\" \
                     to go on waiting, as often as needed. Your task is not over while you wait."
                ),
                json!({ "status": "pending", "id": key, "decision": decision }),
            )
        }
        Reply::Answered { choice, by } => {
            let who = match by {
                AnsweredBy::Person => "a person has answered",
                AnsweredBy::Timeout => "nobody answered in time, so the default counts",
            };
            (
                format!("{who}: {choice}"),
                json!({ "status": "answered", "answer": choice, "by": by }),
            )
        }
        Reply::NotAnswered => (
            "nobody answered in time, and there was no default: do what is safest, or end the task and \
             say what is open"
                .to_owned(),
            json!({ "status": "not-answered" }),
        ),
        Reply::Value { value: Value::Null } => {
            ("there is nothing under this key".to_owned(), json!({ "value": null }))
        }
        Reply::Value { value } => (format!("{value:#}"), json!({ "value": value })),
        Reply::Keys { keys } if keys.is_empty() => {
            ("there are no keys".to_owned(), json!({ "keys": keys }))
        }
        Reply::Keys { keys } => (keys.join("\n"), json!({ "keys": keys })),
        Reply::Tasks { total, tasks } => {
            let lines: Vec<String> = tasks
                .iter()
                .map(|task| {
                    let artifacts = match task.artifacts.as_slice() {
                        [] => String::new(),
                        artifacts => format!(" [{}]", artifacts.join(", ")),
                    };
                    format!("{} {} {}: {}{artifacts}", task.id, task.step, task.status, task.detail)
                })
                .collect();
            (lines.join("\n"), json!({ "total": total, "tasks": tasks }))
        }
        Reply::Artifact { text, bytes, next } => {
            let more = next.map(|next| {
                format!("\n[{bytes} bytes in all; go on with the offset {next}]")
            });
            let shown = format!("{text}{}", more.unwrap_or_default());
            (shown, json!({ "text": text, "bytes": bytes, "next": next }))
        }
        Reply::Welcome { .. } | Reply::Noted | Reply::Asked { .. } | Reply::Failed { .. } => {
            ("noted".to_owned(), json!({ "status": "noted" }))
        }
    };
    let mut result = CallToolResult::success(vec![ContentBlock::text(text)]);
    result.structured_content = Some(value);
    result
}
