//! The events of `gemini --output-format stream-json`.

use super::{Said, count, text};
use orchestra_core::outcome::Usage;
use serde_json::Value;

/// `None`: an event of which nothing is known.
pub(super) fn read(event: &Value) -> Option<Said> {
    Some(match event["type"].as_str()? {
        "init" => Said::Nothing,
        "message" if event["role"] == "assistant" => {
            let content = text(&event["content"]).to_owned();
            if event["delta"] == true { Said::Piece(content) } else { Said::Message(content) }
        }
        "message" => Said::Nothing,
        "tool_use" => Said::Call {
            tool: text(&event["tool_name"]).to_owned(),
            arguments: event["parameters"].clone(),
        },
        "tool_result" if event["status"] == "error" => {
            let message = event["error"]["message"].as_str();
            Said::Line(message.unwrap_or(text(&event["output"])).to_owned())
        }
        "tool_result" => Said::Line(text(&event["output"]).to_owned()),
        "error" => Said::Line(text(&event["message"]).to_owned()),
        "result" => Said::End {
            usage: usage(&event["stats"]),
            problem: event["error"]["message"].as_str().map(str::to_owned),
        },
        _ => return None,
    })
}

/// What was cached is part of the input here.
fn usage(stats: &Value) -> Usage {
    Usage {
        input_tokens: count(&stats["input_tokens"]),
        cached_tokens: count(&stats["cached"]),
        output_tokens: count(&stats["output_tokens"]),
    }
}
