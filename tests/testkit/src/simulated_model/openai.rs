//! The responses API of OpenAI, which codex speaks.

use super::{Conversation, OF_AN_ANSWER, Reply, Tool, http::Answer};
use serde_json::{Value, json};

pub(super) fn read(body: &Value) -> Conversation {
    let (mut prompt, mut turns) = (String::new(), 0);
    for item in body["input"].as_array().into_iter().flatten() {
        match item["type"].as_str().unwrap_or("message") {
            "message" if item["role"] == "user" => {
                let parts = item["content"].as_array().into_iter().flatten();
                let texts = parts.filter_map(|part| part["text"].as_str());
                prompt.extend(texts.flat_map(|text| [text, "\n"]));
            }
            kind if kind.ends_with("_call") => turns += 1,
            _ => {}
        }
    }
    let tool = |tool: &Value| Tool {
        name: tool["name"].as_str().unwrap_or_default().to_owned(),
        is_freeform: tool["type"] == "custom",
    };
    let tools = body["tools"].as_array().into_iter().flatten().map(tool).collect();
    Conversation { prompt, turns, tools }
}

/// `number` tells this answer from others.
pub(super) fn write(reply: &Reply, number: u64, is_stream: bool) -> Answer {
    let item = item(reply, number);
    let response = json!({
        "id": format!("resp_{number}"), "object": "response", "created_at": 0, "model": "simulated",
        "status": "completed", "output": [item],
        "usage": {
            "input_tokens": OF_AN_ANSWER.input_tokens,
            "input_tokens_details": { "cached_tokens": OF_AN_ANSWER.cached_tokens },
            "output_tokens": OF_AN_ANSWER.output_tokens,
            "output_tokens_details": { "reasoning_tokens": 10 },
            "total_tokens": OF_AN_ANSWER.input_tokens + OF_AN_ANSWER.output_tokens,
        },
    });
    if !is_stream {
        return Answer::Json(response);
    }
    let names = [
        "response.created",
        "response.output_item.added",
        "response.output_item.done",
        "response.completed",
    ];
    let event = |name: &'static str| {
        let data = match name {
            "response.created" => json!({ "type": name, "response": { "id": response["id"] } }),
            "response.completed" => json!({ "type": name, "response": response }),
            _ => json!({ "type": name, "output_index": 0, "item": item }),
        };
        (Some(name), data)
    };
    Answer::Events(names.into_iter().map(event).collect())
}

fn item(reply: &Reply, number: u64) -> Value {
    match reply {
        Reply::Text(text) => json!({
            "type": "message", "id": format!("msg_{number}"), "role": "assistant", "status": "completed",
            "content": [{ "type": "output_text", "text": text, "annotations": [] }],
        }),
        Reply::Call { tool, arguments } => json!({
            "type": "function_call", "id": format!("fc_{number}"), "call_id": format!("call_{number}"),
            "status": "completed", "name": tool, "arguments": arguments.to_string(),
        }),
        Reply::Freeform { tool, input } => json!({
            "type": "custom_tool_call", "id": format!("ctc_{number}"), "call_id": format!("call_{number}"),
            "status": "completed", "name": tool, "input": input,
        }),
    }
}
