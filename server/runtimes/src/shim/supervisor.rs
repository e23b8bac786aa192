//! The shim's loop: everything that can happen to an attempt, from its start to its result.

use super::{
    agent::{self, Agent, Passage},
    boot_time::{self, BootTime, Timer},
    broker::{Broker, Hands},
    capped_log::CappedLog,
    last_lines,
    output::Buffer,
    sentinels::{self, SentinelWatch},
    settings::Settings,
    tree::{self, Request},
};
use crate::{
    attempt::{
        AttemptDir, AttemptResult, End, EventWriter, HeldClaim, InboxMessage, LogSummary,
        ShimEvent, Spec, StopCause, Told, forget, messages_after, open_bell,
    },
    clock,
    confine::Held,
    mask::Secrets,
};
use orchestra_core::{
    agent::Completion,
    time::{Millis, Timestamp},
};
use rustix::{
    event::{PollFd, PollFlags, poll},
    io::Errno,
    process::{Pid, WaitOptions, WaitStatus, wait},
};
use signal_hook::{consts::SIGCHLD, low_level::pipe};
use std::{
    fs::File,
    io::{self, Read as _},
    os::unix::net::UnixStream,
    time::Duration,
};

/// The pause between two rounds of killing. Mostly one round is enough.
const KILL_AGAIN: Duration = Duration::from_millis(20);

/// How often sentinels are looked for when the system has no watch to give: a user has 128 of them.
const LOOK_AGAIN: Duration = Duration::from_millis(250);

/// How far the attempt has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Running,
    /// Everything was asked to end.
    Stopping {
        kill_at: BootTime,
    },
    /// Everything is being killed.
    Killing {
        again_at: BootTime,
    },
}

/// What the shim hears from.
struct Ears {
    /// A byte for every SIGCHLD, as far as they fit.
    children: UnixStream,
    bell: File,
    timer: Timer,
    sentinels: Option<SentinelWatch>,
}

/// The one that watches over an agent.
pub(super) struct Supervisor<'a> {
    attempt: &'a AttemptDir,
    spec: &'a Spec,
    claim: &'a mut HeldClaim,
    events: EventWriter,
    ears: Ears,
    /// The agent's tools, if it has some.
    broker: Option<Broker<'a>>,
    secrets: Secrets,
    log: CappedLog,
    buffer: Buffer,
    /// The number of the last message that was taken.
    last_message: u32,
    phase: Phase,
    stopped: Option<StopCause>,
    timeout: Millis,
    started: Option<(Timestamp, BootTime)>,
    passage: Passage,
    held: Option<Held>,
    /// Taken before the agent runs.
    settings: Option<Settings>,
    sentinel_seen_at: Option<BootTime>,
    look_for_sentinels_at: Option<BootTime>,
    /// What asks everybody to end, once that has begun.
    request: Option<Request>,
    /// Whether the agent's process has been waited for.
    is_gone: bool,
    end: Option<End>,
    leftovers: u32,
    told: Told,
}

impl<'a> Supervisor<'a> {
    pub(super) fn new(
        attempt: &'a AttemptDir,
        spec: &'a Spec,
        claim: &'a mut HeldClaim,
    ) -> io::Result<Self> {
        let (children, rung) = UnixStream::pair()?;
        children.set_nonblocking(true)?;
        pipe::register(SIGCHLD, rung)?;
        let watches = spec.completion == Completion::Sentinel;
        let ears = Ears {
            children,
            // Before the first look into the inbox.
            bell: open_bell(attempt)?,
            timer: Timer::new()?,
            sentinels: watches.then(|| SentinelWatch::new(spec).ok()).flatten(),
        };
        let values = spec.secrets.iter().filter_map(std::env::var_os);
        let secrets = Secrets::new(values.map(std::os::unix::ffi::OsStringExt::into_vec));
        Ok(Self {
            events: attempt.open_events()?,
            broker: Broker::open(spec)?,
            log: CappedLog::new(attempt.log_path(), spec.log_limit),
            buffer: Buffer::new(),
            last_message: 0,
            phase: Phase::Running,
            stopped: None,
            timeout: spec.timeout,
            started: None,
            passage: Passage::Waiting,
            held: None,
            settings: None,
            sentinel_seen_at: None,
            look_for_sentinels_at: None,
            request: None,
            is_gone: false,
            end: None,
            leftovers: 0,
            told: Told::default(),
            attempt,
            spec,
            claim,
            ears,
            secrets,
        })
    }

    /// Runs the agent to its end, and everything that it has started.
    pub(super) fn run(mut self) -> io::Result<AttemptResult> {
        self.take_messages(None);
        if self.stopped.is_some() {
            self.end = Some(End::NotRun);
            return Ok(self.finish());
        }
        fail::fail_point!("shim::agent::before", |_| std::process::abort());
        self.settings = Some(Settings::read(&self.spec.shared_state));
        match agent::start(self.spec, self.claim) {
            Ok(mut agent) => {
                fail::fail_point!("shim::agent::after", |_| std::process::abort());
                self.started = Some((clock::now(), boot_time::now()));
                self.watch(&mut agent)?;
            }
            Err(error) => {
                // Nothing that was started may stay, should it have come that far.
                tree::kill();
                // Of what can go wrong before the program is looked at, only this is its own fault.
                let too_long = Errno::TOOBIG.raw_os_error();
                let errno = error.raw_os_error().filter(|&errno| errno == too_long);
                let folder = self.spec.directory.display();
                let message = match error.raw_os_error() {
                    Some(_) if !self.spec.directory.is_dir() => format!("no folder {folder}"),
                    Some(errno) => agent::describe(errno),
                    None => error.to_string(),
                };
                self.end = Some(End::NotStarted { errno, message, hint: None });
            }
        }
        Ok(self.finish())
    }

    /// Until the agent and everything that it started is gone.
    fn watch(&mut self, agent: &mut Agent) -> io::Result<()> {
        let wants_sentinel = self.spec.completion == Completion::Sentinel;
        if wants_sentinel && self.ears.sentinels.is_none() {
            self.look_for_sentinels_at = Some(boot_time::now());
        }
        loop {
            self.ears.timer.set(self.next_deadline())?;
            self.wait_for_something(agent);
            self.ears.clear_children();
            agent.stdout.take_some(&mut self.buffer, &self.secrets, &mut self.log);
            agent.stderr.take_some(&mut self.buffer, &self.secrets, &mut self.log);
            self.look_at_gate(agent);
            if self.reap(agent.pid)? {
                break;
            }
            if self.ears.bell_rang() {
                self.take_messages(Some(agent.pid));
            }
            if let Some(watch) = &self.ears.sentinels {
                watch.clear();
                self.look_for_sentinels();
            }
            self.serve_tools();
            self.meet_deadlines(agent.pid);
        }
        self.look_at_gate(agent);
        agent.stdout.take_rest(&mut self.buffer, &self.secrets, &mut self.log);
        agent.stderr.take_rest(&mut self.buffer, &self.secrets, &mut self.log);
        self.told = agent.stdout.told(&self.secrets);
        Ok(())
    }

    fn wait_for_something(&self, agent: &Agent) {
        let mut fds = vec![
            PollFd::new(&self.ears.children, PollFlags::IN),
            PollFd::new(&self.ears.bell, PollFlags::IN),
            PollFd::new(&self.ears.timer, PollFlags::IN),
        ];
        fds.extend(agent.stdout.interest());
        fds.extend(agent.stderr.interest());
        if self.passage == Passage::Waiting {
            fds.push(PollFd::new(&agent.gate, PollFlags::IN));
        }
        if let Some(watch) = &self.ears.sentinels {
            fds.push(PollFd::new(watch, PollFlags::IN));
        }
        if let Some(broker) = &self.broker {
            broker.interest(&mut fds);
        }
        // An interruption is as good as news, and there is no other error that waiting would cure.
        let _ = poll(&mut fds, None);
    }

    fn look_at_gate(&mut self, agent: &mut Agent) {
        if self.passage != Passage::Waiting {
            return;
        }
        self.passage = agent.gate.look();
        match self.passage {
            Passage::Waiting => return,
            Passage::Passed => {
                let pid = agent.pid.as_raw_pid().unsigned_abs();
                self.tell(ShimEvent::Started { pid });
            }
            Passage::Refused { errno, ref message, ref hint } => {
                let (message, hint) = (message.clone(), hint.clone());
                self.end = Some(End::NotStarted { errno, message, hint });
            }
        }
        self.held = agent.gate.held.take();
    }

    /// An event that a full disk refuses is no reason to lose the agent's work.
    fn tell(&mut self, event: ShimEvent) {
        if let Err(error) = self.events.write(event) {
            self.log.has_problem(&error);
        }
    }

    /// Takes in whoever has ended. `true`: there is nobody left.
    fn reap(&mut self, agent: Pid) -> io::Result<bool> {
        let mut has_ended = false;
        loop {
            match wait(WaitOptions::NOHANG) {
                Ok(Some((pid, status))) => {
                    has_ended = true;
                    if pid == agent {
                        self.is_gone = true;
                        // A refusal says more than the exit that follows it.
                        self.end.get_or_insert_with(|| end_of(status));
                    }
                }
                Ok(None) => break,
                Err(Errno::CHILD) => return Ok(true),
                Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
        if self.is_gone && self.phase == Phase::Running {
            self.leftovers = u32::try_from(tree::size()).unwrap_or(u32::MAX);
            self.stop(StopCause::Leftovers, None);
        }
        if let Some(request) = &mut self.request
            && has_ended
        {
            request.ask_the_missed();
        }
        Ok(false)
    }

    fn take_messages(&mut self, agent: Option<Pid>) {
        let messages = match messages_after(self.attempt, self.last_message) {
            Ok(messages) => messages,
            Err(error) => return self.log.has_problem(&error),
        };
        for (number, message) in messages {
            forget(self.attempt, self.last_message);
            self.last_message = number;
            let mut decision = None;
            match message {
                Ok(InboxMessage::Cancel { reason }) => {
                    self.stop(StopCause::Asked { reason }, agent);
                }
                Ok(InboxMessage::Timeout { timeout }) => self.timeout = timeout,
                Ok(InboxMessage::Answer { decision: id, key, answer }) => {
                    decision = Some(id);
                    if let Some(broker) = &mut self.broker {
                        broker.take_answer(&key, answer);
                    }
                }
                Ok(InboxMessage::Reply { number, reply }) => {
                    if let Some(broker) = &mut self.broker {
                        broker.take_reply(number, reply);
                    }
                }
                // Not acknowledged, so the daemon can tell.
                Err(error) => {
                    self.log.has_problem(&error);
                    continue;
                }
            }
            self.tell(ShimEvent::Acknowledged { number, decision });
        }
    }

    /// Hears what the agent says through its tools.
    fn serve_tools(&mut self) {
        let Some(broker) = &mut self.broker else { return };
        let worked = broker.work(&mut Hands { events: &mut self.events, secrets: &self.secrets });
        // An event that a full disk refuses is no reason to lose the agent's work.
        if let Err(error) = worked {
            self.log.has_problem(&error);
        }
        let ends = self.spec.completion != Completion::Exit && broker.finished().is_some();
        if ends && self.sentinel_seen_at.is_none() {
            self.sentinel_seen_at = Some(boot_time::now());
        }
    }

    fn look_for_sentinels(&mut self) {
        if self.sentinel_seen_at.is_none() && sentinels::are_there(self.spec) {
            self.sentinel_seen_at = Some(boot_time::now());
        }
    }

    /// Begins to end the process tree. The first cause counts, and an agent that has ended by itself
    /// is not stopped any more.
    fn stop(&mut self, cause: StopCause, agent: Option<Pid>) {
        if self.phase != Phase::Running || self.stopped.is_some() {
            return;
        }
        self.stopped = Some(cause);
        self.tell(ShimEvent::Stopping { cause });
        if self.started.is_some() {
            self.request = Some(Request::make(agent));
            let kill_at = boot_time::now() + Duration::from(self.spec.grace);
            self.phase = Phase::Stopping { kill_at };
        }
    }

    fn timeout_at(&self) -> Option<BootTime> {
        let (_, started) = self.started?;
        let Some(broker) = &self.broker else { return started.checked_add(self.timeout.into()) };
        // The time in which a person is waited for does not count.
        if broker.waits() {
            return None;
        }
        started.checked_add(Duration::from(self.timeout).checked_add(broker.waited())?)
    }

    fn sentinel_wait_ends_at(&self) -> Option<BootTime> {
        self.sentinel_seen_at?.checked_add(self.spec.sentinel_wait.into())
    }

    fn next_deadline(&self) -> Option<BootTime> {
        let tools = self.broker.as_ref().and_then(Broker::next_deadline);
        let own = match self.phase {
            Phase::Running => {
                let look = self.look_for_sentinels_at.filter(|_| self.sentinel_seen_at.is_none());
                [self.timeout_at(), self.sentinel_wait_ends_at(), look].into_iter().flatten().min()
            }
            Phase::Stopping { kill_at } => Some(kill_at),
            Phase::Killing { again_at } => Some(again_at),
        };
        [own, tools].into_iter().flatten().min()
    }

    fn meet_deadlines(&mut self, agent: Pid) {
        let now = boot_time::now();
        let is_over = |at: Option<BootTime>| at.is_some_and(|at| at <= now);
        match self.phase {
            Phase::Running => {
                if is_over(self.look_for_sentinels_at) {
                    self.look_for_sentinels();
                    self.look_for_sentinels_at = Some(now + LOOK_AGAIN);
                }
                if is_over(self.timeout_at()) {
                    self.stop(StopCause::TimedOut { limit: self.timeout }, Some(agent));
                } else if is_over(self.sentinel_wait_ends_at()) {
                    self.stop(StopCause::SentinelWait, Some(agent));
                }
            }
            Phase::Stopping { kill_at: at } | Phase::Killing { again_at: at } => {
                if at <= now {
                    tree::kill();
                    self.phase = Phase::Killing { again_at: boot_time::now() + KILL_AGAIN };
                }
            }
        }
    }

    fn finish(mut self) -> AttemptResult {
        self.tell(ShimEvent::Ended);
        let settings =
            self.settings.map(|settings| settings.put_back(self.attempt)).unwrap_or_default();
        let (confined, confine_problem) = match self.held {
            Some(Held { confinement, problem }) => (Some(confinement), problem),
            None => (None, None),
        };
        sentinels::append_own_log(self.spec, &self.secrets, &mut self.log);
        let mut claims = sentinels::read(self.spec, &self.secrets);
        if let Some(finish) = self.broker.as_ref().and_then(Broker::finished) {
            claims.add_finish(finish);
        }
        let log = self.log.finish();
        AttemptResult {
            started_at: self.started.map(|(at, _)| at),
            ended_at: clock::now(),
            end: self.end.unwrap_or(End::NotRun),
            stopped: self.stopped,
            claims,
            told: self.told,
            confined,
            confine_problem,
            settings,
            leftovers: self.leftovers,
            log: LogSummary {
                bytes: log.total,
                cut: log.cut,
                last_lines: last_lines::of(&self.attempt.log_path()),
                problem: log.problem,
            },
        }
    }
}

impl Ears {
    fn clear_children(&mut self) {
        let mut bytes = [0; 64];
        while matches!(self.children.read(&mut bytes), Ok(1..)) {}
    }

    fn bell_rang(&mut self) -> bool {
        let mut bytes = [0; 64];
        let mut rang = false;
        while matches!(self.bell.read(&mut bytes), Ok(1..)) {
            rang = true;
        }
        rang
    }
}

fn end_of(status: WaitStatus) -> End {
    match (status.exit_status(), status.terminating_signal()) {
        (_, Some(signal)) => End::Signalled { signal },
        (code, None) => End::Exited { code: code.unwrap_or(0) },
    }
}
