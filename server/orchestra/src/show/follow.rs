//! Following a run until it ends: a live board on a terminal, a line per change in a pipe.

use crate::{
    failure::{Class, Failure},
    session::{Session, is_interactive, refuse_agents},
    show::{board, decision, notes, operation, style},
};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use orchestra_core::{
    apply::apply,
    event::EventBody,
    ids::{AttemptId, RunId, TaskId},
    state::{Limits, Run, State},
    time::Timestamp,
    view::{RunStatus, TaskStatus},
};
use orchestra_protocol::{
    client::{Client, Events},
    command::{Command, EventsRequest},
    error::ClientError,
    stream::{AttemptProgress, Published, StreamItem},
};
use std::{
    collections::BTreeMap,
    io::{IsTerminal as _, Write as _},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

/// How often the board is drawn anew while nothing happens, for its clocks.
const REDRAW: Duration = Duration::from_millis(500);

/// After so many daemons that died without news, it is not worth starting one more.
const DAEMONS_IN_VAIN: u32 = 5;
/// A daemon that lived for so long has not died of its start.
const OF_USE_AFTER: Duration = Duration::from_secs(5);

/// How following a run has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Followed {
    Ended(RunStatus),
    /// The run goes on without us.
    Detached,
    /// It waits for a person.
    AwaitsApproval,
}

/// Follows `run` from the event `from` on, which must be its first.
pub(crate) async fn follow(
    session: &Session,
    run: RunId,
    from: u64,
) -> Result<(Followed, Option<Run>), Failure> {
    let mut follower = Follower::new(session, run);
    let followed =
        read_until(session, run, from, async |events, next| follower.read(events, next).await);
    let followed = followed.await?;
    follower.clear();
    Ok((followed, follower.state.run(run).cloned()))
}

/// Has the events of `run` read, from one of its events on, until `read` has what it wants. It answers `None`
/// when the stream has ended before.
pub(crate) async fn read_until<T>(
    session: &Session,
    run: RunId,
    from: u64,
    mut read: impl AsyncFnMut(&mut Events, &mut u64) -> Result<Option<T>, Failure>,
) -> Result<T, Failure> {
    refuse_agents("follow the run")?;
    let mut next = from;
    let mut in_vain = 0;
    // The daemon may be replaced by a newer build while we watch, or die: its successor goes on.
    while in_vain < DAEMONS_IN_VAIN {
        let (began, known) = (Instant::now(), next);
        match subscribe(session, run, next).await {
            Ok(mut events) => {
                if let Some(found) = read(&mut events, &mut next).await? {
                    return Ok(found);
                }
            }
            Err(error) if error.may_be_asked_again() => {
                tracing::info!(%error, "the daemon has gone; asking the next one");
            }
            Err(error) => return Err(Failure::client("follow the run", error)),
        }
        let was_of_use = next > known || began.elapsed() > OF_USE_AFTER;
        in_vain = if was_of_use { 0 } else { in_vain + 1 };
    }
    let message = format!("follow {run}: {DAEMONS_IN_VAIN} daemons in a row have died at once");
    let hint = format!("see `orchestra daemon log`; then go on with `orchestra watch {run}`");
    Err(Failure::new(Class::NoDaemon, message, hint))
}

async fn subscribe(session: &Session, run: RunId, from: u64) -> Result<Events, ClientError> {
    let request = EventsRequest { root: session.root.clone(), from, run: Some(run) };
    session.reach().await?.events(&request).await
}

struct Follower<'a> {
    session: &'a Session,
    run: RunId,
    state: State,
    progress: BTreeMap<AttemptId, AttemptProgress>,
    trouble: Option<String>,
    caught_up: bool,
    board: Option<ProgressBar>,
    printed: BTreeMap<TaskId, TaskStatus>,
}

impl<'a> Follower<'a> {
    fn new(session: &'a Session, run: RunId) -> Self {
        let live = !session.json && std::io::stderr().is_terminal();
        let board = live.then(|| {
            let board = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr_with_hz(10));
            if let Ok(style) = ProgressStyle::with_template("{msg}") {
                board.set_style(style);
            }
            board
        });
        Self {
            session,
            run,
            state: State::new(Limits::NONE, 1),
            progress: BTreeMap::new(),
            trouble: None,
            caught_up: false,
            board,
            printed: BTreeMap::new(),
        }
    }

    /// `None` when the stream has ended before the run did.
    async fn read(
        &mut self,
        events: &mut Events,
        next: &mut u64,
    ) -> Result<Option<Followed>, Failure> {
        let mut redraw = tokio::time::interval(REDRAW);
        loop {
            tokio::select! {
                item = events.next() => {
                    let item = match item {
                        Ok(Some(item)) => item,
                        // A broken connection is a daemon that has gone: the next one is asked.
                        Ok(None) | Err(_) => return Ok(None),
                    };
                    if let Some(followed) = self.take(item, next)? {
                        return Ok(Some(followed));
                    }
                }
                _ = redraw.tick() => {}
                _ = tokio::signal::ctrl_c() => {
                    if let Some(followed) = self.interrupted().await? {
                        return Ok(Some(followed));
                    }
                }
            }
            self.draw();
        }
    }

    fn take(&mut self, item: StreamItem, next: &mut u64) -> Result<Option<Followed>, Failure> {
        match item {
            StreamItem::Event(event) => {
                *next = event.seq + 1;
                if self.session.json {
                    print_json(&StreamItem::Event(event.clone()));
                }
                self.apply(event)?;
            }
            StreamItem::Progress(progress) => {
                self.progress.insert(progress.attempt, progress);
            }
            StreamItem::Trouble { message } => {
                if let (Some(message), None) = (&message, &self.board) {
                    anstream::eprintln!("waiting: {message}");
                }
                self.trouble = message;
            }
            StreamItem::CaughtUp { .. } => self.caught_up = true,
        }
        let Some(run) = self.state.run(self.run) else { return Ok(None) };
        let view = run.view();
        // What came before the present is history: only now is it known how the run stands.
        Ok(match view.status {
            _ if !self.caught_up => None,
            status if status.has_ended() => Some(Followed::Ended(status)),
            RunStatus::AwaitingApproval => Some(Followed::AwaitsApproval),
            _ => None,
        })
    }

    fn apply(&mut self, event: Published) -> Result<(), Failure> {
        let event = event.into_event();
        apply(&mut self.state, &event).map_err(|error| Failure::doing("follow the run", error))?;
        if let EventBody::AttemptEnded { attempt, .. } = &event.body {
            self.progress.remove(attempt);
        }
        if let EventBody::SnapshotTaken { snapshot } = &event.body {
            for note in notes::of_snapshot(snapshot) {
                self.tell(&format!("note: {note}"));
            }
        }
        if let EventBody::DecisionAsked(asked) = &event.body
            && let Some(run) = self.state.run(self.run)
            && let Some(decision) = run.decision_view(asked.decision)
            && !self.session.json
        {
            self.tell(&decision::in_short(&decision));
        }
        if self.board.is_none() && !self.session.json {
            self.print_change(&event.body, event.at);
        }
        Ok(())
    }

    /// One line for a task that has started or ended, and for what the whole run does.
    fn print_change(&mut self, body: &EventBody, at: Timestamp) {
        let Some(run) = self.state.run(self.run) else { return };
        match body {
            EventBody::RunPaused { reason } => anstream::println!("{} paused: {reason}", run.id),
            EventBody::RunResumed => anstream::println!("{} goes on", run.id),
            EventBody::RunStopping { .. } => anstream::println!("{} is being stopped", run.id),
            _ => {}
        }
        let Some(task) = body.task().and_then(|task| run.task_view(task)) else { return };
        let shown = matches!(
            task.status,
            TaskStatus::Running | TaskStatus::Delayed | TaskStatus::AwaitingApproval
        ) || task.status.has_ended();
        if !shown || self.printed.insert(task.id, task.status) == Some(task.status) {
            return;
        }
        let last = task.attempts.last();
        let detail = match (task.status, last) {
            (TaskStatus::Running, Some(attempt)) => attempt.executor.clone(),
            (_, Some(attempt)) if task.status.has_ended() => {
                format!("{} ({})", task.detail, style::taken(attempt, at))
            }
            _ => task.detail.clone(),
        };
        anstream::println!(
            "{} {} {}: {}",
            task.id,
            task.step,
            task.status,
            style::plain(detail.trim())
        );
    }

    /// A line for people, beside what is printed and above a board.
    fn tell(&self, line: &str) {
        match &self.board {
            Some(board) => board.suspend(|| anstream::eprintln!("{line}")),
            None => anstream::eprintln!("{line}"),
        }
    }

    fn draw(&self) {
        let (Some(board), Some(run)) = (&self.board, self.state.run(self.run)) else { return };
        let height = usize::from(console::Term::stderr().size().0).saturating_sub(1);
        let text = board::draw(run, &self.progress, self.trouble.as_deref(), now(), height);
        board.set_message(text);
    }

    fn clear(&self) {
        if let Some(board) = &self.board {
            // The last state stays on the screen, as the record of what happened.
            self.draw();
            board.abandon();
        }
    }

    /// Ctrl-C: on a terminal a person chooses, else the run goes on without us.
    async fn interrupted(&self) -> Result<Option<Followed>, Failure> {
        if !is_interactive() {
            return Ok(Some(Followed::Detached));
        }
        let question = || {
            let mut stderr = std::io::stderr();
            let run = self.run;
            let _ = write!(stderr, "\n{run}: [d]etach, [c]ancel, or go on with Enter? ")
                .and_then(|()| stderr.flush());
        };
        match &self.board {
            Some(board) => board.suspend(question),
            None => question(),
        }
        let answer = tokio::task::spawn_blocking(|| {
            let mut line = String::new();
            std::io::stdin().read_line(&mut line).map(|_| line)
        });
        let answer = tokio::select! {
            answer = answer => answer.ok().and_then(Result::ok).unwrap_or_default(),
            // Twice means: let me go.
            _ = tokio::signal::ctrl_c() => "d".to_owned(),
        };
        match answer.trim().chars().next() {
            Some('d' | 'D') => Ok(Some(Followed::Detached)),
            Some('c' | 'C') => {
                let target = self.run.to_string();
                self.session.command("cancel the run", Command::Cancel { target }).await?;
                Ok(None)
            }
            _ => Ok(None),
        }
    }
}

pub(crate) fn print_json(item: &StreamItem) {
    anstream::println!("{}", serde_json::json!(item));
}

pub(crate) fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

/// Everything that happens in the workspace, a line each, until the user ends it.
pub(crate) async fn all(session: &Session, from: u64) -> Result<(), Failure> {
    let client: Client = session.connect("watch the workspace").await?;
    let request = EventsRequest { root: session.root.clone(), from, run: None };
    let mut events = client
        .events(&request)
        .await
        .map_err(|error| Failure::client("watch the workspace", error))?;
    loop {
        let item = tokio::select! {
            item = events.next() => item,
            _ = tokio::signal::ctrl_c() => return Ok(()),
        };
        let item = item.map_err(|error| Failure::client("watch the workspace", error))?;
        let Some(item) = item else { return Ok(()) };
        if session.json {
            print_json(&item);
        } else if let StreamItem::Event(event) = &item {
            print_event(event);
        }
    }
}

fn print_event(event: &Published) {
    let about = event.body.task().map_or_else(|| event.run.to_string(), |task| task.to_string());
    let detail = match &event.body {
        EventBody::RunCreated { plan } => plan.name.clone(),
        EventBody::RunPaused { reason } | EventBody::TaskDelayed { reason, .. } => reason.clone(),
        EventBody::AttemptStarted(started) => started.executor.to_string(),
        EventBody::AttemptEnded { outcome, .. } => outcome.summary(),
        EventBody::DecisionAsked(asked) => {
            let question = asked.question.text.trim().lines().next().unwrap_or_default();
            format!("{}: {question}", asked.decision)
        }
        EventBody::DecisionAnswered { decision, choice, by, .. } => {
            format!("{decision}, by {by}: {}", choice.lines().next().unwrap_or_default())
        }
        EventBody::DecisionWithdrawn { decision, reason, .. } => format!("{decision}: {reason}"),
        EventBody::DecisionDelivered { decision, .. } => decision.to_string(),
        EventBody::MemorySet(set) => set.key.clone(),
        EventBody::OperationStarted(started) => {
            format!("{}: {}", started.operation, operation::what(&started.kind))
        }
        EventBody::OperationEnded { operation: id, end } => {
            format!("{id}: {}", operation::end_in_short(Some(end)))
        }
        EventBody::MemoryRemoved { key, .. } => key.clone(),
        _ => String::new(),
    };
    let detail = style::plain(&detail);
    anstream::println!("{} {about} {} {detail}", event.at, event.body.name());
}
