//! From a shim's result to the outcome that is decided upon.

use super::{AttemptResult, End, Spec, StopCause};
use orchestra_core::{
    agent::Completion,
    outcome::{AttemptOutcome, Failure, FailureKind, Output, StopReason},
};
use rustix::io::Errno;
use serde::Deserialize;
use serde_json::Value;

/// A summary is one line of a table.
const LONGEST_SUMMARY: usize = 200;

/// How the attempt counts, by what its profile promised. An agent that was stopped has not succeeded,
/// whatever it said; one that said both that it is done and that it failed has failed.
pub fn outcome(result: &AttemptResult, spec: &Spec) -> AttemptOutcome {
    let output = output(result);
    match result.stopped {
        Some(StopCause::Asked { reason: StopReason::Person }) => {
            return AttemptOutcome::Cancelled { output };
        }
        Some(StopCause::Asked { reason: StopReason::Timeout }) => {
            return AttemptOutcome::TimedOut { limit: spec.timeout, output };
        }
        Some(StopCause::TimedOut { limit }) => return AttemptOutcome::TimedOut { limit, output },
        Some(StopCause::SentinelWait | StopCause::Leftovers) | None => {}
    }
    match failure(result, spec) {
        Some(failure) => AttemptOutcome::Failed { failure, output },
        None => AttemptOutcome::Succeeded { output },
    }
}

/// A done sentinel that holds an object may hand over more than a summary.
#[derive(Deserialize)]
struct Done {
    #[serde(default)]
    summary: String,
    #[serde(default)]
    result: Value,
}

fn output(result: &AttemptResult) -> Output {
    let held = Output {
        confined: result.confined,
        confine_problem: result.confine_problem.clone(),
        usage: result.told.usage,
        settings: result.settings.clone(),
        ..Output::default()
    };
    let done = result.claims.done.as_deref().unwrap_or_default().trim();
    if done.starts_with('{')
        && let Ok(done) = serde_json::from_str::<Done>(done)
    {
        let summary = first_line(&done.summary);
        return Output { summary, result: done.result, ..held };
    }
    let last_message = result.told.last_message.as_deref().filter(|text| !text.trim().is_empty());
    let last_line = || result.log.last_lines.last().map(String::as_str).unwrap_or_default();
    let said = || last_message.unwrap_or_else(last_line);
    let summary = first_line(if done.is_empty() { said() } else { done });
    Output { summary, ..held }
}

fn first_line(text: &str) -> String {
    let line = text.trim_start().lines().next().unwrap_or_default().trim_end();
    line.chars().take(LONGEST_SUMMARY).collect()
}

fn failure(result: &AttemptResult, spec: &Spec) -> Option<Failure> {
    let agent = &spec.agent;
    let stopped_by_us = result.stopped == Some(StopCause::SentinelWait);
    if let End::NotStarted { errno, message, hint } = &result.end {
        return Some(not_started(*errno, message, hint.as_deref(), spec));
    }
    if let Some(error) = &result.claims.error {
        let text = first_line(error);
        let text = if text.is_empty() { "it did not say why".to_owned() } else { text };
        let message = format!("agent `{agent}` reported an error: {text}");
        return Some(Failure { kind: FailureKind::Work, message, hint: Some(see_log(spec)) });
    }
    match result.end {
        End::Exited { code } if code != 0 && !stopped_by_us => {
            let message = format!("agent `{agent}` exited with code {code}{}", last_words(result));
            let hint = Some(see_log(spec));
            return Some(Failure { kind: FailureKind::Exit, message, hint });
        }
        End::Signalled { signal } if !stopped_by_us => {
            let name = signal_name(signal);
            let last_words = last_words(result);
            let message = format!("agent `{agent}` was ended by signal {signal}{name}{last_words}");
            let hint = match signal {
                9 => "if nobody killed it, the machine may have run out of memory".to_owned(),
                _ => see_log(spec),
            };
            return Some(Failure { kind: FailureKind::Signal, message, hint: Some(hint) });
        }
        _ => {}
    }
    if spec.completion == Completion::Sentinel && result.claims.done.is_none() {
        let task = spec.attempt.task();
        return Some(Failure {
            kind: FailureKind::Protocol,
            message: format!(
                "agent `{agent}` ended without writing `tasks/{task}.done` or `tasks/{task}.error`{}",
                last_words(result)
            ),
            hint: Some(format!(
                "have it write one of them into $ORCHESTRA_DIR, or set `completion: exit`; {}",
                see_log(spec)
            )),
        });
    }
    if spec.completion == Completion::Tool && !result.claims.by_tool {
        return Some(Failure {
            kind: FailureKind::Protocol,
            message: format!(
                "agent `{agent}` ended without calling the tool `finish_task`{}",
                last_words(result)
            ),
            hint: Some(format!(
                "give it the tools with `{{mcp_config}}` in its command, or set `completion: exit`; {}",
                see_log(spec)
            )),
        });
    }
    None
}

fn not_started(errno: Option<i32>, message: &str, hint: Option<&str>, spec: &Spec) -> Failure {
    let program = spec.program.display();
    let (kind, hint) = match errno.map(Errno::from_raw_os_error) {
        Some(Errno::NOENT) if spec.program.exists() => (
            FailureKind::NotStarted,
            format!("the interpreter in the first line of {program} is missing: install it"),
        ),
        Some(Errno::NOENT | Errno::NOTDIR) => (
            FailureKind::NotStarted,
            "install it, or correct `command` in the agent file".to_owned(),
        ),
        Some(Errno::ACCESS) => {
            (FailureKind::NotStarted, format!("make it executable: chmod +x {program}"))
        }
        Some(Errno::NOEXEC) => (
            FailureKind::NotStarted,
            "it is no program of this machine; scripts start with a line such as #!/bin/sh"
                .to_owned(),
        ),
        Some(Errno::TOOBIG) => (
            FailureKind::NotStarted,
            "its arguments are too long: use `{prompt_file}` in place of `{prompt}`".to_owned(),
        ),
        _ => (FailureKind::Environment, hint.unwrap_or("see `orchestra doctor`").to_owned()),
    };
    let agent = &spec.agent;
    let message = format!("agent `{agent}` could not be started: {program}: {message}");
    Failure { kind, message, hint: Some(hint) }
}

fn last_words(result: &AttemptResult) -> String {
    let lines = &result.log.last_lines;
    let last: Vec<&str> =
        lines[lines.len().saturating_sub(3)..].iter().map(String::as_str).collect();
    if last.is_empty() { String::new() } else { format!("; last it wrote: {}", last.join(" ⏎ ")) }
}

fn see_log(spec: &Spec) -> String {
    format!("see `orchestra logs {}`", spec.attempt.task())
}

/// The usual names; the numbers are those of Linux and macOS alike.
fn signal_name(signal: i32) -> &'static str {
    match signal {
        1 => " (SIGHUP)",
        2 => " (SIGINT)",
        3 => " (SIGQUIT)",
        4 => " (SIGILL)",
        6 => " (SIGABRT)",
        8 => " (SIGFPE)",
        9 => " (SIGKILL)",
        11 => " (SIGSEGV)",
        13 => " (SIGPIPE)",
        14 => " (SIGALRM)",
        15 => " (SIGTERM)",
        _ => "",
    }
}
