//! What agent programs print as events, written to the log as people read it; what they said last and used is kept.

mod call;
mod codex;
mod gemini;

use crate::{attempt::Told, mask::Secrets};
use orchestra_core::{agent::Prints, outcome::Usage};
use serde_json::Value;

/// A longer line goes into the log as it is: an event has no bounds, the shim's memory has.
const LONGEST_LINE: usize = 4 << 20;

/// Of the last message; the log has all of it.
const LONGEST_MESSAGE: usize = 16 * 1024;

/// From pieces of output to a log, and to what the program told.
#[derive(Debug)]
pub(super) struct Transcript {
    read: fn(&Value) -> Option<Said>,
    /// A line of which the end has not come yet.
    line: Vec<u8>,
    /// The line was too long, and what comes of it is written as it is.
    is_raw: bool,
    /// Of a message, the line whose end has not come yet: another stream writes into the log, too.
    open: String,
    /// The last message is not over.
    goes_on: bool,
    told: Told,
    /// The last message was longer than what is kept.
    is_cut: bool,
}

/// What an event means.
#[derive(Debug, PartialEq, Eq)]
enum Said {
    /// Nothing for a log.
    Nothing,
    /// A piece of a message of the model.
    Piece(String),
    /// A whole message of the model.
    Message(String),
    /// What the program did or met.
    Line(String),
    /// A tool that the program uses.
    Call { tool: String, arguments: Value },
    /// What the model has used since the last time, and what went wrong at the end.
    End { usage: Usage, problem: Option<String> },
}

impl Transcript {
    /// `None` for a program that prints text.
    pub(super) fn of(prints: Prints) -> Option<Self> {
        let read = match prints {
            Prints::Text => return None,
            Prints::CodexEvents => codex::read,
            Prints::GeminiEvents => gemini::read,
        };
        let told = Told::default();
        Some(Self {
            read,
            line: Vec::new(),
            is_raw: false,
            open: String::new(),
            goes_on: false,
            told,
            is_cut: false,
        })
    }

    /// Takes a piece of output, and writes what it means. Who writes masks secrets once more: a message
    /// comes in pieces.
    pub(super) fn push(
        &mut self,
        secrets: &Secrets,
        mut text: &[u8],
        mut write: impl FnMut(&[u8]),
    ) {
        while let Some(end) = text.iter().position(|&byte| byte == b'\n') {
            let (line, rest) = text.split_at(end + 1);
            text = rest;
            if self.is_raw {
                self.is_raw = false;
                write(line);
                continue;
            }
            self.line.extend_from_slice(line);
            let line = std::mem::take(&mut self.line);
            self.take(secrets, &line, &mut write);
        }
        if self.is_raw {
            return write(text);
        }
        self.line.extend_from_slice(text);
        if self.line.len() > LONGEST_LINE {
            self.end_line(&mut write);
            write(&self.line);
            self.line = Vec::new();
            self.is_raw = true;
        }
    }

    /// The output has ended.
    pub(super) fn finish(&mut self, secrets: &Secrets, mut write: impl FnMut(&[u8])) {
        let line = std::mem::take(&mut self.line);
        if !line.is_empty() {
            self.take(secrets, &line, &mut write);
        }
        self.end_line(&mut write);
    }

    /// What its events have said, without secrets.
    pub(super) fn told(mut self, secrets: &Secrets) -> Told {
        if let Some(message) = &mut self.told.last_message {
            let text = message.as_bytes();
            let masked =
                if self.is_cut { secrets.mask_cut(text).into() } else { secrets.mask(text) };
            *message = String::from_utf8_lossy(&masked).into_owned();
        }
        self.told
    }

    fn take(&mut self, secrets: &Secrets, line: &[u8], write: &mut impl FnMut(&[u8])) {
        let said = serde_json::from_slice(line).ok().and_then(|event| (self.read)(&event));
        let goes_on = std::mem::replace(&mut self.goes_on, matches!(said, Some(Said::Piece(_))));
        match said {
            // What is no event, or one of which nothing is known, is for people to read.
            None => {
                self.end_line(write);
                write(line);
            }
            Some(Said::Nothing) => {}
            Some(Said::Piece(text)) => {
                if !goes_on {
                    self.end_line(write);
                    self.forget();
                }
                self.keep(&text);
                self.open.push_str(&text);
                if let Some(end) = self.open.rfind('\n') {
                    write(&self.open.as_bytes()[..=end]);
                    self.open.drain(..=end);
                }
                if self.open.len() > LONGEST_MESSAGE {
                    self.end_line(write);
                }
            }
            Some(Said::Message(text)) => {
                self.forget();
                self.keep(&text);
                self.write_line(&text, write);
            }
            Some(Said::Line(text)) => self.write_line(&text, write),
            Some(Said::Call { tool, arguments }) => {
                self.write_line(&call::line(&tool, arguments, secrets), write);
            }
            Some(Said::End { usage, problem }) => {
                // A program may claim any number.
                let all = self.told.usage.get_or_insert_default();
                all.input_tokens = all.input_tokens.saturating_add(usage.input_tokens);
                all.cached_tokens = all.cached_tokens.saturating_add(usage.cached_tokens);
                all.output_tokens = all.output_tokens.saturating_add(usage.output_tokens);
                if let Some(problem) = problem {
                    self.write_line(&problem, write);
                }
            }
        }
    }

    /// Another message begins.
    fn forget(&mut self) {
        self.told.last_message = None;
        self.is_cut = false;
    }

    fn keep(&mut self, text: &str) {
        let message = self.told.last_message.get_or_insert_default();
        let room = LONGEST_MESSAGE.saturating_sub(message.len());
        let kept = if self.is_cut { "" } else { &text[..text.floor_char_boundary(room)] };
        self.is_cut |= kept.len() < text.len();
        message.push_str(kept);
    }

    fn write_line(&mut self, text: &str, write: &mut impl FnMut(&[u8])) {
        self.end_line(write);
        let text = text.trim_end();
        if !text.is_empty() {
            write(text.as_bytes());
            write(b"\n");
        }
    }

    fn end_line(&mut self, write: &mut impl FnMut(&[u8])) {
        if !self.open.is_empty() {
            self.open.push('\n');
            write(self.open.as_bytes());
            self.open.clear();
        }
    }
}

/// A text of an event, empty where there is none.
fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// A count of an event.
fn count(value: &Value) -> u64 {
    value.as_u64().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The log and what was told, whatever pieces the output comes in.
    fn transcript(prints: Prints, output: &str) -> (String, Told) {
        let whole = in_pieces(prints, output, output.len().max(1));
        for size in [1, 7, 64] {
            assert_eq!(in_pieces(prints, output, size), whole, "in pieces of {size}");
        }
        whole
    }

    fn in_pieces(prints: Prints, output: &str, size: usize) -> (String, Told) {
        without(&[], prints, output, size)
    }

    /// The same where these are secrets.
    fn without(values: &[&str], prints: Prints, output: &str, size: usize) -> (String, Told) {
        let secrets = Secrets::new(values.iter().map(|value| value.as_bytes().to_vec()));
        let mut transcript = Transcript::of(prints).unwrap();
        let mut log = Vec::new();
        for piece in output.as_bytes().chunks(size) {
            transcript.push(&secrets, piece, |text| log.extend_from_slice(text));
        }
        transcript.finish(&secrets, |text| log.extend_from_slice(text));
        (String::from_utf8(secrets.mask(&log).into()).unwrap(), transcript.told(&secrets))
    }

    fn told(last_message: &str, [input_tokens, cached_tokens, output_tokens]: [u64; 3]) -> Told {
        let usage = Usage { input_tokens, cached_tokens, output_tokens };
        Told { last_message: Some(last_message.to_owned()), usage: Some(usage) }
    }

    /// As codex 0.169.0 printed it.
    #[test]
    fn codex_is_read() {
        let output = r#"{"type":"thread.started","thread_id":"01a1faf9"}
{"type":"item.completed","item":{"id":"item_0","type":"error","message":"Model metadata for `m` not found."}}
{"type":"turn.started"}
{"type":"item.started","item":{"id":"item_1","type":"command_execution","command":"/bin/bash -lc 'ls src'","aggregated_output":"","exit_code":null,"status":"in_progress"}}
{"type":"item.completed","item":{"id":"item_1","type":"command_execution","command":"/bin/bash -lc 'ls src'","aggregated_output":"no src\n","exit_code":2,"status":"failed"}}
{"type":"item.completed","item":{"id":"item_2","type":"file_change","changes":[{"path":"/w/hello.txt","kind":"add"}],"status":"completed"}}
{"type":"item.completed","item":{"id":"item_3","type":"mcp_tool_call","server":"orchestra","tool":"report_progress","status":"completed"}}
{"type":"item.completed","item":{"id":"item_4","type":"agent_message","text":"All done.\nReally."}}
{"type":"item.completed","item":{"id":"item_5","type":"of_tomorrow"}}
{"type":"turn.completed","usage":{"input_tokens":2000,"cached_input_tokens":400,"output_tokens":100,"reasoning_output_tokens":7}}
"#;
        let log = "Model metadata for `m` not found.\n$ /bin/bash -lc 'ls src'\nno src\n(exit code 2)\n\
                   add /w/hello.txt\ntool orchestra.report_progress: completed\nAll done.\nReally.\n\
                   {\"type\":\"item.completed\",\"item\":{\"id\":\"item_5\",\"type\":\"of_tomorrow\"}}\n";
        let expected = (log.to_owned(), told("All done.\nReally.", [2000, 400, 100]));
        assert_eq!(transcript(Prints::CodexEvents, output), expected);

        let output = r#"{"type":"error","message":"stream disconnected"}
{"type":"turn.failed","error":{"message":"429 Too Many Requests"}}"#;
        let (log, told) = transcript(Prints::CodexEvents, output);
        assert_eq!(log, "stream disconnected\n429 Too Many Requests\n");
        assert_eq!(told.last_message, None);
    }

    /// As gemini 0.61.0 printed it.
    #[test]
    fn gemini_is_read() {
        let output = r#"{"type":"init","session_id":"382fd1a3","model":"gemini-2.5-pro"}
{"type":"message","role":"user","content":"Please do it."}
{"type":"message","role":"assistant","content":"I write","delta":true}
{"type":"message","role":"assistant","content":" it.","delta":true}
{"type":"tool_use","tool_name":"write_file","tool_id":"1","parameters":{"file_path":"hello.txt"}}
{"type":"tool_result","tool_id":"1","status":"success"}
{"type":"tool_result","tool_id":"2","status":"error","error":{"type":"x","message":"no such file"}}
{"type":"message","role":"assistant","content":"All ","delta":true}
{"type":"message","role":"assistant","content":"done.","delta":true}
{"type":"result","status":"success","stats":{"total_tokens":2100,"input_tokens":2000,"output_tokens":100,"cached":400,"input":1600}}
"#;
        let log =
            "I write it.\nwrite_file {\"file_path\":\"hello.txt\"}\nno such file\nAll done.\n";
        let expected = (log.to_owned(), told("All done.", [2000, 400, 100]));
        assert_eq!(transcript(Prints::GeminiEvents, output), expected);

        let failed =
            r#"{"type":"result","status":"error","error":{"message":"no key"},"stats":{}}"#;
        let (log, Told { usage, .. }) = transcript(Prints::GeminiEvents, failed);
        assert_eq!((log.as_str(), usage), ("no key\n", Some(Usage::default())));
    }

    #[test]
    fn what_is_no_event_and_what_is_too_long_is_shown_as_it_is() {
        let output = "Warning: old\n\n{\"type\": 7}\n{\"type\":\"message\",\"role\":\"assistant\",\
                      \"content\":\"open\",\"delta\":true}\nnot json";
        let (log, told) = transcript(Prints::GeminiEvents, output);
        assert_eq!(log, "Warning: old\n\n{\"type\": 7}\nopen\nnot json");
        assert_eq!(told.last_message.as_deref(), Some("open"));

        let long = format!("{{\"type\":\"{}\"}}\nshort\n", "x".repeat(LONGEST_LINE));
        let (log, _) = in_pieces(Prints::CodexEvents, &long, 1 << 16);
        assert!(log == long, "a long line is not as it was: {} bytes", log.len());
        let message = "ä".repeat(LONGEST_MESSAGE);
        let event = serde_json::json!({
            "type": "item.completed", "item": { "type": "agent_message", "text": message }
        });
        let (_, told) = in_pieces(Prints::CodexEvents, &event.to_string(), 1 << 16);
        assert_eq!(told.last_message.unwrap().len(), LONGEST_MESSAGE);
    }
    #[test]
    fn no_secret_is_shown_escaped_or_cut() {
        let secret = "AIzaSyQ7Zk2Xw9Rv4\"Tb8\nNm3Lp6Jh1Gd5";
        let call = |parameters: Value| {
            let event = serde_json::json!({
                "type": "tool_use", "tool_name": "sh", "parameters": parameters
            });
            let output = format!("{event}\n");
            without(&[secret, "1234567890"], Prints::GeminiEvents, &output, 64).0
        };
        let parameters = serde_json::json!({ "a": ["y", format!("curl -H {secret} x")], "b": 1 });
        assert_eq!(call(parameters), "sh {\"a\":[\"y\",\"curl -H *** x\"],\"b\":1}\n");
        assert_eq!(call(serde_json::json!({ secret: 1234567890 })), "sh {\"***\":\"***\"}\n");
        // Wherever in the secret the arguments and the message end.
        for before in 450..510 {
            let said = call(serde_json::json!({ "c": "x".repeat(before) + secret }));
            assert!(!said.contains("AI"), "{said}");
        }
        for before in LONGEST_MESSAGE - 40..LONGEST_MESSAGE + 5 {
            let event = serde_json::json!({
                "type": "message", "role": "assistant", "content": "x".repeat(before) + secret
            });
            let (log, told) =
                without(&[secret], Prints::GeminiEvents, &event.to_string(), LONGEST_LINE);
            assert_eq!(log, "x".repeat(before) + "***\n");
            let message = told.last_message.unwrap();
            assert!(!message.contains('A'), "{}", &message[LONGEST_MESSAGE - 40..]);
        }
    }

    #[test]
    fn no_count_is_too_large_to_add() {
        let event = format!(
            "{{\"type\":\"turn.completed\",\"usage\":{{\"input_tokens\":{},\"output_tokens\":1}}}}\n",
            u64::MAX
        );
        let (log, Told { usage, .. }) = transcript(Prints::CodexEvents, &event.repeat(2));
        let expected = Usage { input_tokens: u64::MAX, cached_tokens: 0, output_tokens: 2 };
        assert_eq!((log.as_str(), usage), ("", Some(expected)));
    }
}
