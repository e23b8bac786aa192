//! Colours and marks, one place for all commands. `anstream` drops them where they are not wanted.

use anstyle::{AnsiColor, Style};
use orchestra_core::{
    time::{Millis, Timestamp},
    view::{AttemptView, RunStatus, TaskStatus},
};
use std::fmt;

fn coloured(color: AnsiColor, text: &str) -> String {
    let style = Style::new().fg_color(Some(color.into()));
    format!("{style}{text}{style:#}")
}

/// What somebody else has written, as text that steers no terminal. Line breaks stay.
pub(crate) fn plain(text: &str) -> String {
    text.replace(|c: char| c.is_control() && !matches!(c, '\n' | '\t'), "\u{fffd}")
}

/// The same, in one line: of a name with a line break in it, what follows does not pass for a line of ours.
pub(crate) fn one_line(text: &str) -> String {
    text.replace(|c: char| c.is_control() && c != '\t', "\u{fffd}")
}

pub(crate) fn bold(text: &str) -> String {
    let style = Style::new().bold();
    format!("{style}{text}{style:#}")
}

pub(crate) fn dim(text: &str) -> String {
    let style = Style::new().dimmed();
    format!("{style}{text}{style:#}")
}

pub(crate) fn task_status(status: TaskStatus) -> String {
    coloured(task_color(status), status.as_str())
}

pub(crate) fn run_status(status: RunStatus) -> String {
    let color = match status {
        RunStatus::Succeeded => AnsiColor::Green,
        RunStatus::Failed | RunStatus::TimedOut => AnsiColor::Red,
        RunStatus::Running => AnsiColor::Cyan,
        RunStatus::AwaitingApproval | RunStatus::Paused => AnsiColor::Yellow,
        RunStatus::Stopping | RunStatus::Cancelled => AnsiColor::BrightBlack,
    };
    coloured(color, status.as_str())
}

/// One character that says how a task stands.
pub(crate) fn mark(status: TaskStatus) -> String {
    let mark = match status {
        TaskStatus::Succeeded => "✓",
        TaskStatus::Failed => "✗",
        TaskStatus::TimedOut => "⏱",
        TaskStatus::Cancelled | TaskStatus::Stopping => "■",
        TaskStatus::Skipped => "–",
        TaskStatus::Running => "▶",
        TaskStatus::Delayed => "↻",
        TaskStatus::AwaitingApproval => "?",
        TaskStatus::Ready | TaskStatus::Waiting => "·",
    };
    coloured(task_color(status), mark)
}

fn task_color(status: TaskStatus) -> AnsiColor {
    match status {
        TaskStatus::Succeeded => AnsiColor::Green,
        TaskStatus::Failed | TaskStatus::TimedOut => AnsiColor::Red,
        TaskStatus::Running => AnsiColor::Cyan,
        TaskStatus::AwaitingApproval | TaskStatus::Delayed => AnsiColor::Yellow,
        TaskStatus::Waiting
        | TaskStatus::Ready
        | TaskStatus::Stopping
        | TaskStatus::Cancelled
        | TaskStatus::Skipped => AnsiColor::BrightBlack,
    }
}

/// A number and what is counted.
pub(crate) fn counted<N: fmt::Display + PartialEq + From<u8>>(count: N, what: &str) -> String {
    if count == N::from(1) { format!("1 {what}") } else { format!("{count} {what}s") }
}

/// How long an attempt has taken, until now if it has not ended.
pub(crate) fn taken(attempt: &AttemptView, now: Timestamp) -> Millis {
    attempt.ended.unwrap_or(now).since(attempt.started)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_have_written_steers_no_terminal() {
        let text = "two\nlines\tand \u{1b}[2J\u{9b}2J\rgone";
        assert_eq!(plain(text), "two\nlines\tand \u{fffd}[2J\u{fffd}2J\u{fffd}gone");
        assert_eq!(one_line(text), "two\u{fffd}lines\tand \u{fffd}[2J\u{fffd}2J\u{fffd}gone");
    }
}
