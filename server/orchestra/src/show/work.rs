//! What an agent has left, what was seen of it, and what held the agent while it worked, in words.

use crate::show::style::{counted, one_line};
use orchestra_core::{
    change::Change,
    evidence::{Check, CheckKind, CheckRun, Evidence, Verdict},
    merge::Unmerged,
    outcome::{Output, SettingsChange, Usage},
};

/// How many files are named before the rest is only counted.
const NAMED: usize = 20;

/// A line for each thing that a person should know.
pub(crate) fn of_output(output: &Output) -> Vec<String> {
    let mut lines = Vec::new();
    lines.extend(output.confined.map(|confined| match &output.confine_problem {
        Some(problem) => format!("held by: {confined} ({problem})"),
        None => format!("held by: {confined}"),
    }));
    lines.extend(output.settings.iter().map(of_settings));
    lines.extend(output.usage.map(|used| {
        let Usage { input_tokens, cached_tokens, output_tokens } = used;
        format!(
            "tokens: {input_tokens} read, {cached_tokens} of them cached, {output_tokens} written"
        )
    }));
    if let Some(unmerged) = &output.unmerged {
        of_unmerged(unmerged, &mut lines);
    }
    if let Some(change) = &output.change {
        of_change(change, &mut lines);
    }
    if let Some(evidence) = &output.evidence {
        of_evidence(evidence, &mut lines);
    }
    lines.iter().map(|line| one_line(line)).collect()
}

fn of_unmerged(unmerged: &Unmerged, lines: &mut Vec<String>) {
    for conflict in unmerged.conflicts.iter().take(NAMED) {
        let (path, kind) = (conflict.shown_path(), conflict.kind);
        lines.push(format!("does not fit together: {path} ({kind})"));
    }
    let more = unmerged.conflicts.len().saturating_sub(NAMED) + unmerged.more as usize;
    if more > 0 {
        lines.push(format!("  … and {more} more"));
    }
    let commit = &unmerged.commit;
    lines.push(format!("both sides: git show {}", commit.get(..12).unwrap_or(commit)));
}

fn of_settings(change: &SettingsChange) -> String {
    let SettingsChange { path, kept, problem } = change;
    match (kept, problem) {
        (Some(kept), None) => {
            format!("settings that it changed were put back: {path}; its version is {kept}")
        }
        (None, None) => format!("settings that it removed were put back: {path}"),
        (_, Some(problem)) => {
            format!("settings that it changed could not be put back: {path}: {problem}")
        }
    }
}

/// A line for each check, and for what is behind one that is not green.
pub(crate) fn of_evidence(evidence: &Evidence, lines: &mut Vec<String>) {
    for (position, check) in evidence.checks.iter().enumerate() {
        let kind = match check.kind {
            CheckKind::Verify => "verify",
            CheckKind::Accept => "accept",
        };
        let before = match &evidence.verdict {
            Verdict::WasRedBefore { checks } if checks.contains(&position) => {
                ", and was red before the work"
            }
            _ => "",
        };
        let run = of_run(&check.on_result);
        lines.push(format!("{kind} `{}` {run}{before}", check.command.join(" ")));
        if let Some(before) = &check.on_snapshot {
            lines.push(format!("  before the work it {}", of_run(before)));
        }
        of_tests(check, lines);
        if !check.on_result.outcome.is_green() {
            lines.extend(check.on_result.last_lines.iter().map(|line| format!("  | {line}")));
            lines.extend(check.on_result.log.as_deref().and_then(how_to_read));
        }
    }
    match &evidence.verdict {
        Verdict::Passed | Verdict::WasRedBefore { .. } => {}
        Verdict::Unchecked => lines.push("nothing checks it: no `verify` is configured".to_owned()),
        Verdict::Failed { reason } => lines.push(format!("not accepted: {reason}")),
    }
}

/// The command that prints all of a log.
fn how_to_read(log: &str) -> Option<String> {
    let (attempt, job) = log.split_once('/')?;
    Some(format!("  all of it: orchestra logs {attempt} --job {job}"))
}

fn of_run(run: &CheckRun) -> String {
    let tests = run.tests.as_ref().map_or_else(String::new, |tests| {
        format!(", {} passed, {} failed, {} skipped", tests.passed, tests.failed, tests.skipped)
    });
    let cached = if run.cached { ", as seen before" } else { "" };
    format!("{}{tests} ({}{cached})", run.outcome, run.took)
}

fn of_tests(check: &Check, lines: &mut Vec<String>) {
    lines.extend(
        check.newly_failing.iter().take(NAMED).map(|name| format!("  newly failing: {name}")),
    );
    let more = check.newly_failing.len().saturating_sub(NAMED);
    if more > 0 {
        lines.push(format!("  … and {more} more"));
    }
    if check.newly_passing > 0 {
        lines.push(format!("  newly passing: {}", counted(check.newly_passing, "test")));
    }
    if check.removed > 0 {
        lines.push(format!("  gone: {}", counted(check.removed, "test")));
    }
}

fn of_change(change: &Change, lines: &mut Vec<String>) {
    match &change.commit {
        Some(commit) => lines.push(format!(
            "changed {} (+{} -{}), commit {}",
            counted(change.files, "file"),
            change.added,
            change.removed,
            commit.get(..12).unwrap_or(commit)
        )),
        None => lines.push("changed nothing".to_owned()),
    }
    let lines_of = |count: Option<u32>, sign: char| count.map(|count| format!(" {sign}{count}"));
    for file in change.paths.iter().take(NAMED) {
        let added = lines_of(file.added, '+').unwrap_or_default();
        let removed = lines_of(file.removed, '-').unwrap_or_default();
        lines.push(format!("  {} {}{added}{removed}", file.status, file.path));
    }
    let more = usize::try_from(change.files).unwrap_or(usize::MAX).saturating_sub(NAMED);
    if more > 0 {
        lines.push(format!("  … and {more} more"));
    }
    if change.commits > 0 {
        lines.push(format!("  with {} of its own", counted(change.commits, "commit")));
    }
    lines.extend(
        change.held.iter().map(|held| format!("held back: {} ({})", held.path, held.reason)),
    );
    lines.extend(change.flags.iter().map(|flag| format!("look at: {} ({})", flag.path, flag.kind)));
    lines.extend(change.notes.iter().map(|note| format!("note: {note}")));
}
