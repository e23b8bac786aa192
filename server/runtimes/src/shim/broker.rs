//! The agent's tools: a socket on which processes of the attempt call, what is answered here, and what
//! is handed on to the daemon.
//!
//! Everything on it is bounded, and nothing waits: it is one of many things in the shim's one loop.

mod connection;
mod questions;

use super::{
    boot_time::{self, BootTime},
    poke::Knock,
};
use crate::{
    attempt::{BrokerSpec, EventWriter, GivenAnswer, Reply, Said, SaidProgress, ShimEvent, Spec},
    mask::Secrets,
    mcp::wire::{Call, CallLine, Finish, Hello, VERSION},
    process,
};
use connection::Connection;
use orchestra_core::{outcome::Output, time::Millis};
use questions::Questions;
use rustix::{
    event::{PollFd, PollFlags},
    net::sockopt::socket_peercred,
    process::geteuid,
};
use serde_json::Value;
use std::{
    collections::BTreeMap,
    fs::{self, Permissions},
    io::{self, ErrorKind},
    os::unix::{
        fs::PermissionsExt as _,
        net::{UnixListener, UnixStream},
    },
    path::PathBuf,
    time::Duration,
};

/// Progress is news for people; more often they cannot read it.
const PROGRESS_EVERY: Duration = Duration::from_millis(250);

/// Of what an agent says about its progress, in characters.
const LONGEST_PROGRESS: usize = 200;

/// How many calls of one connection may wait for their answer.
const MOST_WAITING: usize = 64;

/// Who waits for an answer: a call on a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Caller {
    connection: u64,
    call: u64,
}

/// What the daemon was asked.
#[derive(Debug)]
enum Request {
    Call {
        caller: Caller,
        until: BootTime,
    },
    /// To put the question with this key to a person.
    Question(String),
}

/// The shim's end of the agent's tools.
pub(super) struct Broker<'a> {
    spec: &'a Spec,
    limits: &'a BrokerSpec,
    token: String,
    listener: UnixListener,
    connections: BTreeMap<u64, Connection>,
    /// How many connections there have been.
    accepted: u64,
    questions: Questions,
    /// What the daemon has not answered yet, by number.
    requests: BTreeMap<u32, Request>,
    last_request: u32,
    /// How many bytes the agent has said.
    said: u64,
    progress: Option<SaidProgress>,
    progress_written: Option<BootTime>,
    finished: Option<Finish>,
    knock: Knock,
}

/// What is at hand while the broker works.
pub(super) struct Hands<'h> {
    pub(super) events: &'h mut EventWriter,
    pub(super) secrets: &'h Secrets,
}

impl<'a> Broker<'a> {
    /// Opens the socket that the spec names; `None` when the agent has no tools.
    pub(super) fn open(spec: &'a Spec) -> io::Result<Option<Self>> {
        let Some(limits) = &spec.broker else { return Ok(None) };
        let token = std::env::var(Spec::MCP_TOKEN).unwrap_or_default();
        if token.is_empty() {
            return Err(io::Error::other(format!("there is no {} for the agent", Spec::MCP_TOKEN)));
        }
        let at = crate::attempt::at(&limits.socket);
        let listener = bind(&limits.socket).map_err(at)?;
        Ok(Some(Self {
            spec,
            limits,
            token,
            listener,
            connections: BTreeMap::new(),
            accepted: 0,
            questions: Questions::default(),
            requests: BTreeMap::new(),
            last_request: 0,
            said: 0,
            progress: None,
            progress_written: None,
            finished: None,
            knock: Knock::new(spec),
        }))
    }

    /// What to wait for.
    pub(super) fn interest<'s>(&'s self, fds: &mut Vec<PollFd<'s>>) {
        if self.connections.len() < self.limits.max_connections as usize {
            fds.push(PollFd::new(&self.listener, PollFlags::IN));
        }
        fds.extend(self.connections.values().map(Connection::interest));
        fds.extend(self.knock.interest());
    }

    /// When there is something to do even if nobody calls.
    pub(super) fn next_deadline(&self) -> Option<BootTime> {
        let progress = self.progress.as_ref().map(|_| self.progress_due());
        let requests = self.requests.values().filter_map(|request| match request {
            Request::Call { until, .. } => Some(*until),
            Request::Question(_) => None,
        });
        requests.chain(progress).chain(self.questions.next_deadline()).min()
    }

    /// Does whatever can be done without waiting.
    pub(super) fn work(&mut self, hands: &mut Hands<'_>) -> io::Result<()> {
        self.accept();
        let numbers: Vec<u64> = self.connections.keys().copied().collect();
        for number in numbers {
            self.listen_to(number, hands)?;
        }
        if self.progress.is_some() && self.progress_due() <= boot_time::now() {
            self.write_progress(hands)?;
        }
        self.give_up_waiting();
        self.connections.retain(|_, connection| connection.flush());
        let connections = &self.connections;
        self.questions.forget_callers(|caller| !connections.contains_key(&caller.connection));
        self.knock.work();
        Ok(())
    }

    /// A caller gets an answer in time, if not the one that it hoped for.
    fn give_up_waiting(&mut self) {
        let now = boot_time::now();
        for (caller, pending) in self.questions.give_up(now) {
            self.reply(caller, pending);
        }
        let is_late = |_: &u32, request: &mut Request| match request {
            Request::Call { until, .. } => *until <= now,
            Request::Question(_) => false,
        };
        let late: Vec<(u32, Request)> = self.requests.extract_if(.., is_late).collect();
        for (_, request) in late {
            if let Request::Call { caller, .. } = request {
                let message = format!("the daemon has not answered within {}", self.limits.wait);
                self.reply(caller, Reply::failed(message, "call once more; it may be starting"));
            }
        }
    }

    fn accept(&mut self) {
        while self.connections.len() < self.limits.max_connections as usize
            && let Ok((stream, _)) = self.listener.accept()
        {
            // Whoever it is, it is dropped.
            if !is_of_this_attempt(&stream) || stream.set_nonblocking(true).is_err() {
                continue;
            }
            self.accepted += 1;
            let connection = Connection::new(stream, self.limits.max_line);
            self.connections.insert(self.accepted, connection);
        }
    }

    fn listen_to(&mut self, number: u64, hands: &mut Hands<'_>) -> io::Result<()> {
        let Some(connection) = self.connections.get_mut(&number) else { return Ok(()) };
        for line in connection.read() {
            let Some(connection) = self.connections.get_mut(&number) else { return Ok(()) };
            if !connection.is_welcome {
                welcome(connection, &line, self.spec, self.limits, &self.token);
                continue;
            }
            self.said += line.len() as u64;
            let caller = |call| Caller { connection: number, call };
            match read_call(&line, hands.secrets) {
                Ok(CallLine { id, call }) => self.call(caller(id), call, hands)?,
                Err((id, error)) => {
                    let hint =
                        "the program `orchestra` may have been replaced; start the task anew";
                    self.reply(caller(id), Reply::failed(format!("no such call: {error}"), hint));
                }
            }
        }
        Ok(())
    }

    fn call(&mut self, caller: Caller, call: Call, hands: &mut Hands<'_>) -> io::Result<()> {
        if self.said > self.limits.max_said {
            let message = format!("this attempt has said more than {} bytes", self.limits.max_said);
            let hint = "end the task; what does not fit belongs into files";
            self.reply(caller, Reply::failed(message, hint));
            return Ok(());
        }
        if self.waiting_on(caller.connection) >= MOST_WAITING {
            let message = format!("{MOST_WAITING} calls wait for their answer");
            self.reply(caller, Reply::failed(message, "wait for some of them"));
            return Ok(());
        }
        match call {
            Call::Progress(mut progress) => {
                progress.message = one_line(&progress.message);
                self.progress = Some(progress);
                self.reply(caller, Reply::Noted);
                Ok(())
            }
            Call::Finish(finish) => {
                let reply = self.finish(finish);
                self.reply(caller, reply);
                Ok(())
            }
            Call::Decision { key } => {
                let until = self.wait_ends_at();
                if let Some(reply) = self.questions.wait_for(&key, caller, until) {
                    self.reply(caller, reply);
                }
                Ok(())
            }
            Call::Ask { question, choices, default, timeout } => {
                let until = self.wait_ends_at();
                // It has asked this, and not heard the answer yet.
                if let Some(key) = self.questions.asked_already(&question, &choices) {
                    if let Some(reply) = self.questions.wait_for(&key, caller, until) {
                        self.reply(caller, reply);
                    }
                    return Ok(());
                }
                let question = self.questions.next(question, choices, default);
                if let Err(error) = question.check() {
                    self.reply(caller, Reply::failed(error.to_string(), error.hint()));
                    return Ok(());
                }
                let longest = self.limits.decision_timeout;
                let timeout = Some(timeout.map_or(longest, |wanted| wanted.min(longest)));
                let key = question.key.clone();
                self.questions.put(question.clone());
                self.questions.wait_for(&key, caller, until);
                self.ask_daemon(Request::Question(key), Said::Ask { question, timeout }, hands)
            }
            Call::Remember(entry) => self.relay(caller, Said::Remember(entry), hands),
            Call::Recall { private, key } => {
                self.relay(caller, Said::Recall { private, key }, hands)
            }
            Call::ListTasks => self.relay(caller, Said::ListTasks, hands),
            Call::ReadArtifact { path, offset } => {
                self.relay(caller, Said::ReadArtifact { path, offset }, hands)
            }
        }
    }

    fn wait_ends_at(&self) -> BootTime {
        boot_time::now() + Duration::from(self.limits.wait)
    }

    fn waiting_on(&self, connection: u64) -> usize {
        let is_on = |request: &&Request| match request {
            Request::Call { caller, .. } => caller.connection == connection,
            Request::Question(_) => false,
        };
        self.requests.values().filter(is_on).count() + self.questions.waiting_on(connection)
    }

    fn relay(&mut self, caller: Caller, said: Said, hands: &mut Hands<'_>) -> io::Result<()> {
        let until = self.wait_ends_at();
        self.ask_daemon(Request::Call { caller, until }, said, hands)
    }

    fn ask_daemon(
        &mut self,
        request: Request,
        said: Said,
        hands: &mut Hands<'_>,
    ) -> io::Result<()> {
        self.last_request += 1;
        let number = self.last_request;
        self.requests.insert(number, request);
        self.knock.ask();
        hands.events.write(ShimEvent::Said { number, said }).inspect_err(|error| {
            let message = format!("it could not be handed on: {error}");
            self.take_reply(number, Reply::failed(message, "try again later"));
        })
    }

    fn finish(&mut self, finish: Finish) -> Reply {
        if self.finished.is_some() {
            return Reply::failed("the task was finished already", "end your work now");
        }
        if finish.result.to_string().len() > Output::MAX_RESULT_BYTES {
            let message = format!("the result has more than {} bytes", Output::MAX_RESULT_BYTES);
            return Reply::failed(message, "put it into a file below $ORCHESTRA_DIR");
        }
        self.finished = Some(finish);
        Reply::Noted
    }

    /// The daemon has answered; it may do so twice.
    pub(super) fn take_reply(&mut self, number: u32, reply: Reply) {
        match (self.requests.remove(&number), reply) {
            (None, _) => {}
            (Some(Request::Call { caller, .. }), reply) => self.reply(caller, reply),
            (Some(Request::Question(key)), Reply::Asked { decision }) => {
                self.questions.is_put(&key, decision);
            }
            // It was not asked, and that is how it ended.
            (Some(Request::Question(key)), reply) => {
                for caller in self.questions.end(&key, &reply) {
                    self.reply(caller, reply.clone());
                }
            }
        }
    }

    /// A question of the agent has ended.
    pub(super) fn take_answer(&mut self, key: &str, answer: Option<GivenAnswer>) {
        let reply = match answer {
            Some(GivenAnswer { choice, by }) => Reply::Answered { choice, by },
            None => Reply::NotAnswered,
        };
        for caller in self.questions.end(key, &reply) {
            self.reply(caller, reply.clone());
        }
    }

    fn reply(&mut self, to: Caller, reply: Reply) {
        if let Some(connection) = self.connections.get_mut(&to.connection) {
            connection.say(to.call, reply);
        }
    }

    fn progress_due(&self) -> BootTime {
        self.progress_written.map_or(BootTime::ZERO, |written| written + PROGRESS_EVERY)
    }

    fn write_progress(&mut self, hands: &mut Hands<'_>) -> io::Result<()> {
        if let Some(progress) = self.progress.take() {
            self.progress_written = Some(boot_time::now());
            hands.events.write(ShimEvent::Progress(progress))?;
            self.knock.ask();
        }
        Ok(())
    }

    /// For how long, up to now, a person was waited for.
    pub(super) fn waited(&self) -> Duration {
        self.questions.waited()
    }

    /// Whether a person is waited for right now.
    pub(super) fn waits(&self) -> bool {
        self.questions.are_open()
    }

    pub(super) fn finished(&self) -> Option<&Finish> {
        self.finished.as_ref()
    }
}

impl Drop for Broker<'_> {
    fn drop(&mut self) {
        // What is left is removed when the attempt is taken in.
        let _ = fs::remove_file(&self.limits.socket);
    }
}

fn bind(socket: &PathBuf) -> io::Result<UnixListener> {
    if let Some(folder) = socket.parent() {
        fs::create_dir_all(folder)?;
    }
    match fs::remove_file(socket) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let listener = UnixListener::bind(socket)?;
    fs::set_permissions(socket, Permissions::from_mode(0o600))?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

/// Whether the process at the other end is of our user and one of our descendants: we adopt whatever
/// the agent starts, so the chain of parents leads here.
fn is_of_this_attempt(stream: &UnixStream) -> bool {
    let Ok(peer) = socket_peercred(stream) else { return false };
    if peer.uid != geteuid() {
        return false;
    }
    let (mut pid, me) = (peer.pid.as_raw_pid().unsigned_abs(), std::process::id());
    while pid != 0 {
        if pid == me {
            return true;
        }
        let Ok(stat) = process::stat(pid) else { return false };
        pid = stat.parent;
    }
    false
}

fn welcome(
    connection: &mut Connection,
    line: &[u8],
    spec: &Spec,
    limits: &BrokerSpec,
    token: &str,
) {
    let reply = match serde_json::from_slice::<Hello>(line) {
        Ok(hello) if hello.version != VERSION => Reply::failed(
            format!("this tool speaks version {}, and its shim {VERSION}", hello.version),
            "the program `orchestra` was replaced; start the task anew",
        ),
        Ok(hello) if is_same(hello.token.as_bytes(), token.as_bytes()) => {
            connection.is_welcome = true;
            let wait: Millis = limits.wait;
            Reply::Welcome { task: spec.attempt.task(), wait }
        }
        Ok(_) => Reply::failed(
            format!("the token is not the one of {}", spec.attempt),
            "start the tool from within the task, with the environment that the agent was given",
        ),
        Err(error) => Reply::failed(format!("no greeting: {error}"), "use `orchestra __mcp`"),
    };
    connection.say(0, reply);
    if !connection.is_welcome {
        connection.close();
    }
}

/// Takes as long for a wrong token as for the right one.
fn is_same(one: &[u8], other: &[u8]) -> bool {
    one.len() == other.len()
        && one.iter().zip(other).fold(0, |difference, (a, b)| difference | (a ^ b)) == 0
}

/// The call of a line without the secrets in it; else its id, as far as it has one, and what is wrong.
fn read_call(line: &[u8], secrets: &Secrets) -> Result<CallLine, (u64, serde_json::Error)> {
    let mut value: Value = serde_json::from_slice(line).map_err(|error| (0, error))?;
    let id = value.get("id").and_then(Value::as_u64).unwrap_or(0);
    mask(&mut value, secrets);
    serde_json::from_value(value).map_err(|error| (id, error))
}

/// What is shown beside the clock of an attempt, on terminals among others.
fn one_line(text: &str) -> String {
    let line = text.trim().lines().next().unwrap_or_default();
    line.chars().filter(|c| !c.is_control()).take(LONGEST_PROGRESS).collect()
}

fn mask(value: &mut Value, secrets: &Secrets) {
    match value {
        Value::String(text) => {
            let masked = secrets.mask(text.as_bytes());
            if *masked != *text.as_bytes() {
                *text = String::from_utf8_lossy(&masked).into_owned();
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| mask(item, secrets)),
        Value::Object(map) => map.values_mut().for_each(|item| mask(item, secrets)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
