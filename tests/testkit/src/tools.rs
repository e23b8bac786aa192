//! A small MCP client, for agents that are shell scripts.

use crate::Sandbox;
use std::{fs, os::unix::fs::PermissionsExt as _};

/// Calls tools, each named with its arguments as JSON, one after the other over one connection, and
/// prints what a model reads. Its exit code is 1 when the last one failed.
const CLIENT: &str = r#"#!/usr/bin/env python3
import json, os, subprocess, sys

server = subprocess.Popen(
    os.environ["ORCHESTRA_MCP"].split(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
)

def send(message):
    server.stdin.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
    server.stdin.flush()

def ask(number, method, params):
    send({"id": number, "method": method, "params": params})
    while True:
        line = server.stdout.readline()
        if not line:
            sys.exit("the server has ended")
        answer = json.loads(line)
        if answer.get("id") == number:
            return answer

ask(0, "initialize", {
    "protocolVersion": "2025-06-18",
    "capabilities": {},
    "clientInfo": {"name": "test", "version": "1"},
})
send({"method": "notifications/initialized"})
failed = False
words = sys.argv[1:]
if words == ["--list"]:
    print(json.dumps(ask(1, "tools/list", {})["result"]))
    words = []
for number, name in enumerate(words[::2]):
    arguments = json.loads(words[2 * number + 1])
    answer = ask(number + 1, "tools/call", {"name": name, "arguments": arguments})
    failed = "error" in answer or answer["result"].get("isError", False)
    if "error" in answer:
        print("refused:", answer["error"]["message"], flush=True)
    else:
        print("\n".join(part["text"] for part in answer["result"]["content"]), flush=True)
server.stdin.close()
server.wait()
sys.exit(1 if failed else 0)
"#;

impl Sandbox {
    /// The path of a program that calls tools: `tool ask_decision '{"question": "Which?"}'`.
    pub fn tool(&self) -> String {
        let path = self.outside().join("tool");
        if !path.exists() {
            fs::write(&path, CLIENT).expect("write the client");
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755))
                .expect("make it executable");
        }
        path.display().to_string()
    }
}
