//! What the history tells: where changes gather, who made them, and the newest.

use super::{
    super::{
        super::{
            history::HistoryResult,
            hotspots::HotspotsResult,
            listing::{counted, grouped},
        },
        markdown::{
            Align::{Left, Right},
            code, text,
        },
    },
    Section, count_rows, listing,
};
use orchestra_core::{ports::StepInput, time::Timestamp};

pub(super) fn hotspots(input: &StepInput, result: &HotspotsResult, top: usize) -> Section {
    let mut section = Section::new("Hotspots");
    if result.commits == 0 {
        let why =
            if result.bounded.is_empty() { "there are no commits yet" } else { &result.bounded };
        section.paragraph(&format!("No history to look at: {}.", text(why)));
        return section;
    }
    let since = result.since.map_or_else(String::new, |since| format!(" since {}", day(since)));
    section.paragraph(&format!(
        "Files that are large and change often are where defects gather and where tests and reviews \
         pay most. {} by {}{since}; {} changed and still there. The score is commits times lines.",
        counted(result.commits, "commit", "commits"),
        counted(result.authors, "author", "authors"),
        counted(result.total, "file", "files"),
    ));
    let rows: Vec<Vec<String>> = result
        .files
        .iter()
        .take(top)
        .map(|file| {
            vec![
                code(&file.path),
                grouped(file.score),
                grouped(file.commits),
                grouped(file.churn),
                grouped(file.authors),
                grouped(file.lines),
                day(file.last_change),
            ]
        })
        .collect();
    section.table(
        "Hottest first",
        &["file", "score", "commits", "lines changed", "authors", "lines", "last change"],
        &[Left, Right, Right, Right, Right, Right, Left],
        &rows,
    );
    if result.total > rows.len() as u64 {
        let more = result.total - rows.len() as u64;
        section.paragraph(&format!("… and {} more{}.", grouped(more), listing(input)));
    }
    // One commit is no history to call a file hot for.
    section.highlights = result
        .files
        .iter()
        .filter(|file| file.commits > 2)
        .take(2)
        .map(|file| {
            format!(
                "- {} changed in {} of {} and has {}",
                code(&file.path),
                grouped(file.commits),
                counted(result.commits, "commit", "commits"),
                counted(file.lines, "line", "lines")
            )
        })
        .collect();
    section
}

pub(super) fn history(input: &StepInput, result: &HistoryResult, top: usize) -> Section {
    let mut section = Section::new("History");
    if result.total == 0 {
        let why = if result.bounded.is_empty() { "there are no commits" } else { &result.bounded };
        section.paragraph(&format!("No history to look at: {}.", text(why)));
        return section;
    }
    let since = result.since.map_or_else(String::new, |since| format!(" since {}", day(since)));
    section.paragraph(&format!(
        "{} by {}{since}.",
        counted(result.total, "commit", "commits"),
        counted(result.authors_total, "author", "authors"),
    ));
    let authors: Vec<Vec<String>> = result
        .authors
        .iter()
        .take(top)
        .map(|author| {
            vec![
                text(&author.name),
                grouped(author.commits),
                grouped(author.added),
                grouped(author.removed),
                day(author.first),
                day(author.last),
            ]
        })
        .collect();
    section.table(
        "Authors",
        &["author", "commits", "lines added", "removed", "first", "last"],
        &[Left, Right, Right, Right, Left, Left],
        &authors,
    );
    let rows = count_rows(&result.months, top.min(12), false);
    section.table("By month", &["month", "commits"], &[Left, Right], &rows);
    let rows = count_rows(&result.files, top, true);
    section.table("Changed most often", &["file", "commits"], &[Left, Right], &rows);
    let commits: Vec<Vec<String>> = result
        .commits
        .iter()
        .take(top)
        .map(|commit| {
            let id: String = commit.id.chars().take(SHORT_ID).collect();
            vec![code(&id), day(commit.at), text(&commit.author), text(&commit.subject)]
        })
        .collect();
    section.table("Newest", &["commit", "day", "author", "subject"], &[Left; 4], &commits);
    section.more(result.total, commits.len(), &listing(input));
    section
}

/// Enough of a commit's id to find it.
const SHORT_ID: usize = 10;

/// `2026-11-21`: the time of day says nothing here.
fn day(time: Timestamp) -> String {
    let text = time.to_string();
    text.split('T').next().unwrap_or(&text).to_owned()
}
