//! The API of Gemini, which gemini speaks.

use super::{Conversation, OF_AN_ANSWER, Reply, Tool, http::Answer};
use serde_json::{Value, json};

pub(super) fn read(body: &Value) -> Conversation {
    let (mut prompt, mut turns) = (String::new(), 0);
    for content in body["contents"].as_array().into_iter().flatten() {
        if content["role"] == "model" {
            turns += 1;
            continue;
        }
        let parts = content["parts"].as_array().into_iter().flatten();
        let texts = parts.filter_map(|part| part["text"].as_str());
        prompt.extend(texts.flat_map(|text| [text, "\n"]));
    }
    let groups = body["tools"].as_array().into_iter().flatten();
    let functions =
        groups.flat_map(|group| group["functionDeclarations"].as_array().into_iter().flatten());
    let tool = |function: &Value| Tool {
        name: function["name"].as_str().unwrap_or_default().to_owned(),
        is_freeform: false,
    };
    Conversation { prompt, turns, tools: functions.map(tool).collect() }
}

pub(super) fn write(reply: &Reply, is_stream: bool) -> Answer {
    let part = match reply {
        Reply::Text(text) | Reply::Freeform { input: text, .. } => json!({ "text": text }),
        Reply::Call { tool, arguments } => {
            json!({ "functionCall": { "id": "call_simulated", "name": tool, "args": arguments } })
        }
    };
    let response = json!({
        "candidates": [{
            "index": 0, "content": { "role": "model", "parts": [part] }, "finishReason": "STOP",
        }],
        "modelVersion": "simulated",
        "usageMetadata": {
            "promptTokenCount": OF_AN_ANSWER.input_tokens,
            "cachedContentTokenCount": OF_AN_ANSWER.cached_tokens,
            "candidatesTokenCount": OF_AN_ANSWER.output_tokens,
            "totalTokenCount": OF_AN_ANSWER.input_tokens + OF_AN_ANSWER.output_tokens,
        },
    });
    if is_stream { Answer::Events(vec![(None, response)]) } else { Answer::Json(response) }
}
