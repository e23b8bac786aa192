//! The section that says what the report does not cover.

use super::{
    super::{
        changes::{DiffResult, ReviewResult},
        deps::DepsResult,
        docs::DocsResult,
        files::{Coverage, Skipped},
        history::HistoryResult,
        hotspots::HotspotsResult,
        listing::{counted, grouped},
        metrics::MetricsResult,
        outline::OutlineResult,
        search::SearchResult,
        secrets::SecretsResult,
        todo::TodoResult,
    },
    markdown::{code, text},
};
use orchestra_core::{ports::StepInput, view::TaskStatus};
use serde::de::DeserializeOwned;

/// The list, or one sentence when nothing was left out.
pub(super) fn section(inputs: &[StepInput]) -> String {
    // Actions that read the same files leave out the same ones: said once, with all their names.
    let mut notes: Vec<(String, Vec<&str>)> = Vec::new();
    for input in inputs {
        for note in notes_of(input) {
            match notes.iter_mut().find(|(text, _)| *text == note) {
                Some((_, steps)) => steps.push(input.step.as_str()),
                None => notes.push((note, vec![input.step.as_str()])),
            }
        }
    }
    let always = "Files that git's rules ignore, `.git` and `.orchestra` are never read.";
    if notes.is_empty() {
        return format!("Nothing else was left out. {always}");
    }
    let list: Vec<String> = notes
        .into_iter()
        .map(|(note, steps)| {
            let steps: Vec<String> = steps.into_iter().map(code).collect();
            format!("- {note} ({})", steps.join(", "))
        })
        .collect();
    format!("{}\n\n{always}", list.join("\n"))
}

fn notes_of(input: &StepInput) -> Vec<String> {
    if input.status != TaskStatus::Succeeded {
        let why = if input.detail.is_empty() { "no reason given" } else { &input.detail };
        return vec![format!("the step has not succeeded, it is {}: {}", input.status, text(why))];
    }
    match input.executor.as_str() {
        "workspace.metrics" => read::<MetricsResult>(input)
            .map(|result| of_coverage(&result.coverage))
            .unwrap_or_default(),
        "workspace.search" => read::<SearchResult>(input)
            .map(|result| {
                with_limit(&result.coverage, result.findings.len(), result.total, "matching lines")
            })
            .unwrap_or_default(),
        "todo.scan" => read::<TodoResult>(input)
            .map(|result| {
                with_limit(&result.coverage, result.findings.len(), result.total, "open points")
            })
            .unwrap_or_default(),
        "secrets.scan" => read::<SecretsResult>(input)
            .map(|result| {
                let what = "possible credentials";
                with_limit(&result.coverage, result.findings.len(), result.total, what)
            })
            .unwrap_or_default(),
        "workspace.outline" => {
            read::<OutlineResult>(input).map(|result| of_outline(&result)).unwrap_or_default()
        }
        "docs.outline" => read::<DocsResult>(input)
            .map(|result| {
                with_limit(&result.coverage, result.documents.len(), result.total, "documents")
            })
            .unwrap_or_default(),
        "git.history" => read::<HistoryResult>(input)
            .map(|result| of_history(&result.bounded))
            .unwrap_or_default(),
        "git.diff" => read::<DiffResult>(input).map(|result| of_diff(&result)).unwrap_or_default(),
        "changes.review" => read::<ReviewResult>(input)
            .map(|result| {
                let bounded = (!result.bounded.is_empty()).then(|| text(&result.bounded));
                let (listed, what) = (result.findings.len(), "findings");
                bounded.into_iter().chain(limit(listed, result.findings_total, what)).collect()
            })
            .unwrap_or_default(),
        "deps.list" => read::<DepsResult>(input).map(|result| of_deps(&result)).unwrap_or_default(),
        "git.hotspots" => {
            read::<HotspotsResult>(input).map(|result| of_hotspots(&result)).unwrap_or_default()
        }
        _ => Vec::new(),
    }
}

pub(super) fn read<T: DeserializeOwned>(input: &StepInput) -> Option<T> {
    serde_json::from_value(input.output.result.clone()).ok()
}

fn with_limit(coverage: &Coverage, listed: usize, total: u64, what: &str) -> Vec<String> {
    let mut notes = of_coverage(coverage);
    notes.extend(limit(listed, total, what));
    notes
}

fn limit(listed: usize, total: u64, what: &str) -> Option<String> {
    let listed = listed as u64;
    (listed < total)
        .then(|| format!("the result holds {} of {} {what}", grouped(listed), grouped(total)))
}

fn of_coverage(coverage: &Coverage) -> Vec<String> {
    let left_out = &coverage.left_out;
    [
        (&left_out.binary, "binary file", "binary files"),
        (&left_out.too_large, "file of more than 10 MiB", "files of more than 10 MiB"),
        (&left_out.not_utf8, "file that is not UTF-8", "files that are not UTF-8"),
        (&left_out.unreadable, "unreadable file", "unreadable files"),
        (&left_out.not_regular, "link or special file", "links and special files"),
    ]
    .into_iter()
    .filter(|(skipped, ..)| skipped.count > 0)
    .map(|(skipped, one, many)| of_skipped(skipped, one, many))
    .collect()
}

fn of_skipped(skipped: &Skipped, one: &str, many: &str) -> String {
    let names: Vec<String> = skipped.paths.iter().map(|path| code(path)).collect();
    let such_as = if skipped.count > skipped.paths.len() as u64 { ", such as" } else { ":" };
    format!("{}{such_as} {}", counted(skipped.count, one, many), names.join(", "))
}

fn of_deps(result: &DepsResult) -> Vec<String> {
    let mut notes = of_coverage(&result.coverage);
    for manifest in result.manifests.iter().filter(|manifest| !manifest.problem.is_empty()) {
        let (path, problem) = (code(&manifest.path), text(&manifest.problem));
        notes.push(format!("{path} was not understood: {problem}"));
    }
    notes.extend(limit(result.dependencies.len(), result.total, "dependencies"));
    notes
}

fn of_outline(result: &OutlineResult) -> Vec<String> {
    let mut notes = with_limit(&result.coverage, result.symbols.len(), result.total, "symbols");
    let skipped = [
        (&result.too_large, "file too large to be parsed", "files too large to be parsed"),
        (&result.out_of_time, "file that took too long", "files that took too long"),
    ];
    notes.extend(
        skipped
            .into_iter()
            .filter(|(skipped, ..)| skipped.count > 0)
            .map(|(skipped, one, many)| of_skipped(skipped, one, many)),
    );
    if result.with_errors > 0 {
        let (one, many) =
            ("file of which a part does not parse", "files of which a part does not parse");
        notes.push(counted(result.with_errors, one, many));
    }
    notes
}

fn of_diff(result: &DiffResult) -> Vec<String> {
    let mut notes = Vec::new();
    if !result.bounded.is_empty() {
        notes.push(text(&result.bounded));
    }
    if result.not_in_patch > 0 {
        let (one, many) =
            ("file that did not fit into the patch", "files that did not fit into the patch");
        notes.push(counted(result.not_in_patch, one, many));
    }
    for content in ["binary", "too-large", "submodule", "unreadable", "missing"] {
        let files = result.files.iter().filter(|file| file.content == content).count();
        if files > 0 {
            let many = format!("changed files that are {content}, without their lines");
            let one = format!("changed file that is {content}, without its lines");
            notes.push(counted(files as u64, &one, &many));
        }
    }
    notes
}

fn of_history(bounded: &str) -> Vec<String> {
    let note = || format!("the history was not looked at as a whole: {}", text(bounded));
    (!bounded.is_empty()).then(note).into_iter().collect()
}

fn of_hotspots(result: &HotspotsResult) -> Vec<String> {
    let mut notes = of_history(&result.bounded);
    let counts = [
        (result.gone, "changed file that is gone", "changed files that are gone"),
        (result.generated, "changed file that a tool writes", "changed files that tools write"),
        (result.prose, "changed file written for people", "changed files written for people"),
        (result.not_text, "changed file that is not text", "changed files that are not text"),
    ];
    notes.extend(
        counts.into_iter().filter(|count| count.0 > 0).map(|(n, one, many)| counted(n, one, many)),
    );
    notes
}
