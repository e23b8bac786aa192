//! A release build of Orchestra in folders of its own, with a daemon that ends with it.

use super::{Bench, floors::release_program};
use crate::checkout::output;
use anyhow::{Context as _, bail, ensure};
use serde_json::{Value, json};
use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    os::unix::{fs::DirBuilderExt as _, net::UnixStream},
    path::{Path, PathBuf},
    process::Command,
};
use tempfile::TempDir;

pub(super) struct Product {
    pub(super) program: PathBuf,
    pub(super) folder: TempDir,
    keys: u64,
}

impl Product {
    /// A git repository with one commit as the workspace; no daemon yet.
    pub(super) fn new(bench: &Bench) -> anyhow::Result<Self> {
        // On the disk of the checkout: a folder in memory would make every sync free.
        let target = crate::checkout::target_directory(&bench.root)?;
        let folder = tempfile::tempdir_in(target).context("create a folder")?;
        let product = Self { program: release_program(&bench.root)?, folder, keys: 0 };
        fs::create_dir_all(product.workspace())?;
        // Short, because sockets lie in it.
        fs::DirBuilder::new().mode(0o700).create(product.folder.path().join("r"))?;
        product.write("README", "measured\n")?;
        for arguments in [
            &["init", "--quiet"][..],
            &["add", "."],
            &["-c", "user.name=bench", "-c", "user.email=bench@localhost", "commit", "-qm", "one"],
        ] {
            output(Command::new("git").current_dir(product.workspace()).args(arguments))?;
        }
        Ok(product)
    }

    pub(super) fn workspace(&self) -> PathBuf {
        self.folder.path().join("workspace")
    }

    pub(super) fn write(&self, path: &str, text: &str) -> anyhow::Result<()> {
        let path = self.workspace().join(path);
        fs::create_dir_all(path.parent().unwrap_or(Path::new("/")))?;
        fs::write(&path, text).with_context(|| format!("write {}", path.display()))
    }

    pub(super) fn agent(&self, name: &str, front: &str, command: &[&str]) -> anyhow::Result<()> {
        let command = serde_json::to_string(command)?;
        let text = format!(
            "---\nname: {name}\ndescription: measured\nruntime: cli\ncommand: {command}\n{front}---\n"
        );
        self.write(&format!(".orchestra/agents/{name}.md"), &text)
    }

    /// A workflow of `count` steps that set a value, each after the other or all at once with a join.
    pub(super) fn pure(&self, name: &str, count: usize, parallel: bool) -> anyhow::Result<()> {
        let mut text = format!("name: {name}\ndescription: measured\nsteps:\n");
        for number in 0..count {
            text.push_str(&format!("  - id: s{number}\n    action: value.set\n"));
            text.push_str("    with: { value: 1 }\n");
            if !parallel && number > 0 {
                text.push_str(&format!("    needs: [s{}]\n", number - 1));
            }
        }
        if parallel {
            let all: Vec<String> = (0..count).map(|number| format!("s{number}")).collect();
            text.push_str("  - id: join\n    action: value.set\n    with: { value: 1 }\n");
            text.push_str(&format!("    needs: [{}]\n", all.join(", ")));
        }
        self.write(&format!(".orchestra/workflows/{name}.yaml"), &text)
    }

    pub(super) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        let folder = self.folder.path();
        command
            .current_dir(self.workspace())
            .args(arguments)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", folder)
            .env("XDG_RUNTIME_DIR", folder.join("r"))
            .env("ORCHESTRA_LIMITS_MAX_PARALLEL", "1000");
        command
    }

    pub(super) fn run(&self, arguments: &[&str]) -> anyhow::Result<String> {
        Ok(String::from_utf8(output(&mut self.command(arguments))?)?)
    }

    pub(super) fn socket(&self) -> anyhow::Result<PathBuf> {
        let text = self.command(&["doctor", "--json"]).output()?.stdout;
        let doctor: Value = serde_json::from_slice(&text).context("read `doctor --json`")?;
        let socket = doctor["facts"]["socket"].as_str().context("doctor names no socket")?;
        Ok(PathBuf::from(socket))
    }

    pub(super) fn daemon_pid(&self) -> anyhow::Result<u32> {
        let status: Value = serde_json::from_str(&self.run(&["daemon", "status", "--json"])?)?;
        let pid = status["pid"].as_u64().context("the daemon has no pid")?;
        Ok(u32::try_from(pid)?)
    }

    /// A connection to the daemon, which is started if there is none.
    pub(super) fn connect(&self) -> anyhow::Result<Connection> {
        self.run(&["daemon", "start"])?;
        let stream = UnixStream::connect(self.socket()?).context("connect to the daemon")?;
        Ok(Connection { stream: BufReader::new(stream), root: self.workspace().canonicalize()? })
    }

    /// A key that was not used before.
    pub(super) fn key(&mut self) -> String {
        self.keys += 1;
        format!("bench-{}", self.keys)
    }
}

impl Drop for Product {
    fn drop(&mut self) {
        if let Err(error) = self.run(&["daemon", "stop"]) {
            eprintln!("a daemon may be left: {error}");
        }
    }
}

/// Requests over one connection, as an editor's server would send them.
pub(super) struct Connection {
    stream: BufReader<UnixStream>,
    root: PathBuf,
}

impl Connection {
    /// Sends a command and returns the answer, which comes when everything about it is durable.
    pub(super) fn command(&mut self, key: &str, command: &Value) -> anyhow::Result<Value> {
        let path = std::env::var("PATH").unwrap_or_default();
        let body = json!({
            "key": key,
            "root": self.root,
            "environment": { "PATH": path },
            "command": command,
        });
        self.post("/v1/commands", &body)
    }

    fn post(&mut self, path: &str, body: &Value) -> anyhow::Result<Value> {
        let body = body.to_string();
        let request = format!(
            "POST {path} HTTP/1.1\r\nhost: orchestra\r\ncontent-type: application/json\r\n\
             content-length: {}\r\n\r\n{body}",
            body.len()
        );
        self.stream.get_mut().write_all(request.as_bytes())?;
        let mut status = String::new();
        self.stream.read_line(&mut status)?;
        let mut length = 0;
        loop {
            let mut header = String::new();
            self.stream.read_line(&mut header)?;
            let header = header.trim_end().to_ascii_lowercase();
            if header.is_empty() {
                break;
            }
            if let Some(value) = header.strip_prefix("content-length:") {
                length = value.trim().parse()?;
            }
        }
        let mut answer = vec![0; length];
        self.stream.read_exact(&mut answer)?;
        let text = String::from_utf8_lossy(&answer);
        if !status.contains(" 200 ") {
            bail!("{path}: {} {text}", status.trim_end());
        }
        serde_json::from_str(&text).with_context(|| format!("read the answer {text}"))
    }
}

/// A number out of `/proc/<pid>/<file>`, in the line that begins with `field`.
pub(super) fn of_process(pid: u32, file: &str, field: &str) -> anyhow::Result<f64> {
    let path = format!("/proc/{pid}/{file}");
    let text = fs::read_to_string(&path).with_context(|| format!("read {path}"))?;
    let line = text.lines().find_map(|line| line.strip_prefix(field));
    let number = line.and_then(|line| line.trim_start_matches(':').split_whitespace().next());
    let number: f64 = number.with_context(|| format!("{path} has no {field}"))?.parse()?;
    ensure!(number >= 0.0, "{path}: {field} is negative");
    Ok(number)
}
