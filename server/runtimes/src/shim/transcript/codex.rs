//! The events of `codex exec --json`.

use super::{Said, count, text};
use orchestra_core::outcome::Usage;
use serde_json::Value;

/// `None`: an event of which nothing is known.
pub(super) fn read(event: &Value) -> Option<Said> {
    Some(match event["type"].as_str()? {
        "thread.started" | "turn.started" | "item.updated" => Said::Nothing,
        "item.started" => started(&event["item"]),
        "item.completed" => completed(&event["item"])?,
        "turn.completed" => Said::End { usage: usage(&event["usage"]), problem: None },
        "turn.failed" => Said::End {
            usage: Usage::default(),
            problem: Some(text(&event["error"]["message"]).to_owned()),
        },
        "error" => Said::Line(text(&event["message"]).to_owned()),
        _ => return None,
    })
}

/// A command is shown when it begins: somebody may watch.
fn started(item: &Value) -> Said {
    match text(&item["type"]) {
        "command_execution" => Said::Line(format!("$ {}", text(&item["command"]))),
        _ => Said::Nothing,
    }
}

fn completed(item: &Value) -> Option<Said> {
    Some(match text(&item["type"]) {
        "agent_message" => Said::Message(text(&item["text"]).to_owned()),
        "command_execution" => {
            let output = text(&item["aggregated_output"]);
            let code = item["exit_code"].as_i64().filter(|&code| code != 0);
            let end = code.map(|code| format!("\n(exit code {code})")).unwrap_or_default();
            Said::Line(format!("{}{end}", output.trim_end()).trim_start_matches('\n').to_owned())
        }
        "file_change" => {
            let changes = item["changes"].as_array().into_iter().flatten();
            let lines: Vec<String> = changes
                .map(|change| format!("{} {}", text(&change["kind"]), text(&change["path"])))
                .collect();
            Said::Line(lines.join("\n"))
        }
        "mcp_tool_call" => {
            let (server, tool) = (text(&item["server"]), text(&item["tool"]));
            Said::Line(format!("tool {server}.{tool}: {}", text(&item["status"])))
        }
        "web_search" => Said::Line(format!("searched: {}", text(&item["query"]))),
        "error" => Said::Line(text(&item["message"]).to_owned()),
        "reasoning" | "todo_list" => Said::Nothing,
        _ => return None,
    })
}

/// What was cached is part of the input here.
fn usage(usage: &Value) -> Usage {
    Usage {
        input_tokens: count(&usage["input_tokens"]),
        cached_tokens: count(&usage["cached_input_tokens"]),
        output_tokens: count(&usage["output_tokens"]),
    }
}
