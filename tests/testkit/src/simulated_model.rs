//! A simulated model on loopback, for real agent programs: a script of the test answers them, no intelligence.

mod gemini;
mod http;
mod openai;

use http::{Answer, Request};
use serde_json::{Value, json};
use std::{
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

/// After this, an agent that has opened a connection and says nothing is not listened to any more.
const PATIENCE: Duration = Duration::from_secs(10);

/// What the model does in one of its turns. Which tool of the agent program it takes for that follows from
/// the tools that the program offers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    /// Makes a file, by the tool for editing where there is one.
    Write { path: String, text: String },
    /// Runs a line of `sh`.
    Run(String),
    /// Ends its turn.
    Say(String),
}

/// Tokens; those that were cached are part of the input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Used {
    pub input_tokens: u64,
    pub cached_tokens: u64,
    pub output_tokens: u64,
}

const OF_AN_ANSWER: Used = Used { input_tokens: 1000, cached_tokens: 200, output_tokens: 50 };

/// A request to the model that was answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// Without the query.
    pub path: String,
    /// The key that came with it.
    pub key: Option<String>,
    /// The tool that the model called.
    pub called: Option<String>,
}

/// Answers on a port of its own until it is dropped.
pub struct SimulatedModel {
    address: SocketAddr,
    shared: Arc<Shared>,
    server: Option<JoinHandle<()>>,
}

/// What it does, turn by turn, for a prompt.
type Script = dyn Fn(&str) -> Vec<Act> + Send + Sync;

struct Shared {
    script: Box<Script>,
    asked: Mutex<Vec<Asked>>,
    /// How often it said something, whatever it was asked.
    answers: AtomicU64,
    is_over: AtomicBool,
}

/// What the formats of the providers have in common.
struct Conversation {
    /// All that the user has said, the agent program's own instructions included.
    prompt: String,
    /// How often the model has answered since.
    turns: usize,
    tools: Vec<Tool>,
}

struct Tool {
    name: String,
    /// Whether it takes a text in place of named arguments.
    is_freeform: bool,
}

enum Reply {
    Text(String),
    Call { tool: String, arguments: Value },
    Freeform { tool: String, input: String },
}

impl SimulatedModel {
    /// A model that does these turns for every prompt, and is done then.
    pub fn new(script: impl Fn(&str) -> Vec<Act> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("listen on loopback");
        let address = listener.local_addr().expect("a listener has an address");
        let shared = Arc::new(Shared {
            script: Box::new(script),
            asked: Mutex::default(),
            answers: AtomicU64::default(),
            is_over: AtomicBool::new(false),
        });
        let server = Arc::clone(&shared);
        let server = thread::spawn(move || server.serve(&listener));
        Self { address, shared, server: Some(server) }
    }

    /// What stands before the paths of a provider's API, without a slash at the end.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What it has used so far: as much with each answer.
    pub fn used(&self) -> Used {
        let answers = self.shared.answers.load(Ordering::SeqCst);
        let Used { input_tokens, cached_tokens, output_tokens } = OF_AN_ANSWER;
        Used {
            input_tokens: answers * input_tokens,
            cached_tokens: answers * cached_tokens,
            output_tokens: answers * output_tokens,
        }
    }

    /// All turns of conversations so far. Questions of the agent program itself are none.
    pub fn asked(&self) -> Vec<Asked> {
        self.shared.asked().clone()
    }
}

impl Drop for SimulatedModel {
    fn drop(&mut self) {
        self.shared.is_over.store(true, Ordering::SeqCst);
        // Wakes it up; if that fails, it has ended already.
        TcpStream::connect(self.address).ok();
        if let Some(server) = self.server.take() {
            server.join().ok();
        }
    }
}

impl Shared {
    fn serve(self: &Arc<Self>, listener: &TcpListener) {
        for stream in listener.incoming().flatten() {
            if self.is_over.load(Ordering::SeqCst) {
                return;
            }
            let shared = Arc::clone(self);
            thread::spawn(move || {
                stream.set_read_timeout(Some(PATIENCE)).ok();
                // An agent program may go away in the middle: that is its affair.
                if let Ok(request) = Request::read(&stream) {
                    shared.answer(&request).write(&stream).ok();
                }
            });
        }
    }

    fn asked(&self) -> MutexGuard<'_, Vec<Asked>> {
        self.asked.lock().expect("no thread panics")
    }

    fn answer(&self, request: &Request) -> Answer {
        let path = request.path.as_str();
        let is_stream = path.contains("stream") || request.body["stream"] == true;
        if path.ends_with("/responses") {
            let reply = self.reply(request, &openai::read(&request.body));
            let number = self.answers.fetch_add(1, Ordering::SeqCst);
            openai::write(&reply, number, is_stream)
        } else if path.contains("enerateContent") {
            self.answers.fetch_add(1, Ordering::SeqCst);
            let body = &request.body;
            // Questions of the program about the conversation, which want an answer of a certain shape.
            match body["generationConfig"].get("responseJsonSchema") {
                Some(schema) => {
                    gemini::write(&Reply::Text(of_shape(schema).to_string()), is_stream)
                }
                None => gemini::write(&self.reply(request, &gemini::read(body)), is_stream),
            }
        } else if path.ends_with(":countTokens") {
            Answer::Json(json!({ "totalTokens": 100 }))
        } else if path.ends_with("/models") {
            Answer::Json(json!({ "object": "list", "data": [], "models": [] }))
        } else {
            Answer::NotFound
        }
    }

    fn reply(&self, request: &Request, conversation: &Conversation) -> Reply {
        let acts = (self.script)(&conversation.prompt);
        let done = || Act::Say("Simulated work is done.".to_owned());
        let act = acts.into_iter().nth(conversation.turns).unwrap_or_else(done);
        let reply = conversation.reply(act);
        let called = match &reply {
            Reply::Text(_) => None,
            Reply::Call { tool, .. } | Reply::Freeform { tool, .. } => Some(tool.clone()),
        };
        let asked = Asked { path: request.path.clone(), key: request.key.clone(), called };
        self.asked().push(asked);
        reply
    }
}

impl Conversation {
    fn has(&self, tool: &str) -> bool {
        self.tools.iter().any(|offered| offered.name == tool)
    }

    /// By the names that the known agent programs have for their tools.
    fn reply(&self, act: Act) -> Reply {
        let call = |tool: &str, arguments| Reply::Call { tool: tool.to_owned(), arguments };
        match act {
            Act::Say(text) => Reply::Text(text),
            Act::Write { path, text } if self.has("write_file") => {
                call("write_file", json!({ "file_path": path, "content": text }))
            }
            Act::Write { path, text } => {
                let added: String = text.lines().map(|line| format!("+{line}\n")).collect();
                let patch =
                    format!("*** Begin Patch\n*** Add File: {path}\n{added}*** End Patch\n");
                match self.tools.iter().find(|tool| tool.name == "apply_patch") {
                    Some(tool) if tool.is_freeform => {
                        Reply::Freeform { tool: tool.name.clone(), input: patch }
                    }
                    _ => self.reply(Act::Run(format!("apply_patch <<'PATCH'\n{patch}PATCH"))),
                }
            }
            Act::Run(line) if self.has("exec_command") => {
                call("exec_command", json!({ "cmd": line }))
            }
            Act::Run(line) if self.has("shell_command") => {
                call("shell_command", json!({ "command": line }))
            }
            Act::Run(line) if self.has("run_shell_command") => call(
                "run_shell_command",
                json!({ "command": line, "description": "what the test says" }),
            ),
            Act::Run(line) => Reply::Text(format!("no tool runs a command, such as: {line}")),
        }
    }
}

/// Some value of this JSON schema.
fn of_shape(schema: &Value) -> Value {
    if let Some(first) = schema["enum"].as_array().and_then(|values| values.first()) {
        return first.clone();
    }
    match schema["type"].as_str().unwrap_or_default().to_ascii_lowercase().as_str() {
        "object" => {
            let properties = schema["properties"].as_object().into_iter().flatten();
            properties.map(|(name, schema)| (name.clone(), of_shape(schema))).collect()
        }
        "array" => json!([]),
        "number" | "integer" => json!(1),
        "boolean" => json!(false),
        _ => json!("user"),
    }
}
