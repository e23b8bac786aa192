//! `git.history`: who changed what and when, from HEAD back.

use super::{
    arguments::{Arguments, LIMIT},
    contract::{
        Argument, ArgumentKind, Context, DefaultValue, Info, Native, Progress, Report, Stop,
    },
    listing::{
        Count, Counts, GROUPS, LISTED_ITEMS, counted, grouped, halve, listing_file, to_result,
    },
};
use orchestra_core::{
    ports::{Commit, LogEnd},
    time::Timestamp,
};
use schemars::{JsonSchema, Schema, schema_for};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, ops::ControlFlow};

pub(crate) struct ReadHistory;

/// How far an action looks back.
pub(crate) const COMMITS: Argument = Argument {
    name: "commits",
    kind: ArgumentKind::Count { min: 1, max: 1_000_000 },
    default: DefaultValue::Count(2_000),
    description: "How many commits are looked at, from HEAD back; merges do not count.",
};

const SINCE: Argument = Argument {
    name: "since",
    kind: ArgumentKind::Text,
    default: DefaultValue::Absent,
    description: "A day such as 2026-01-31, or a time with its zone: older commits are left out.",
};

const BELOW: Argument = Argument {
    name: "path",
    kind: ArgumentKind::Text,
    default: DefaultValue::Absent,
    description: "A folder or a file: only what changed there counts; everything when it is not given.",
};

const INFO: Info = Info {
    name: "git.history",
    description: "Lists the newest commits, their authors, and what they changed most.",
    capabilities: &["git.history", "history"],
    inline: false,
    arguments: &[COMMITS, SINCE, BELOW, LIMIT],
};

/// How many authors the result holds.
const AUTHORS: usize = 200;

/// What `git.history` found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HistoryResult {
    /// The newest first.
    pub commits: Vec<CommitSummary>,
    /// How many there are that count, listed or not.
    pub total: u64,
    /// The one with most commits first; two hundred at most.
    pub authors: Vec<AuthorSummary>,
    /// How many there are, listed or not.
    pub authors_total: u64,
    /// The twenty files that changed in most commits.
    pub files: Vec<Count>,
    /// Commits by month in UTC, such as `2026-01`, the newest first.
    pub months: Vec<Count>,
    /// The time of the oldest of these commits, in milliseconds since the Unix epoch.
    #[schemars(with = "Option<i64>")]
    pub since: Option<Timestamp>,
    /// Why older commits were not looked at; empty when all were.
    pub bounded: String,
}

/// One commit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CommitSummary {
    /// Lowercase hex.
    pub id: String,
    pub author: String,
    /// In milliseconds since the Unix epoch.
    #[schemars(with = "i64")]
    pub at: Timestamp,
    /// The first line of its message.
    pub subject: String,
    /// Files that it changed.
    pub files: u64,
    /// Lines; those of binary and large files are not counted.
    pub added: u64,
    /// As `added`.
    pub removed: u64,
}

/// What one author did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AuthorSummary {
    pub name: String,
    pub commits: u64,
    /// Lines.
    pub added: u64,
    /// Lines.
    pub removed: u64,
    /// The time of the first commit, in milliseconds since the Unix epoch.
    #[schemars(with = "i64")]
    pub first: Timestamp,
    /// The time of the last commit, in milliseconds since the Unix epoch.
    #[schemars(with = "i64")]
    pub last: Timestamp,
}

#[derive(Default)]
struct State {
    /// The newest ones.
    commits: Vec<CommitSummary>,
    total: u64,
    authors: BTreeMap<String, AuthorSummary>,
    files: Counts,
    months: BTreeMap<String, u64>,
    since: Option<Timestamp>,
}

impl State {
    fn add(&mut self, mut commit: Commit, below: Option<&str>) {
        if let Some(below) = below {
            commit.changes.retain(|change| lies_below(&change.path, below));
            if commit.changes.is_empty() {
                return;
            }
        }
        let sum = |count: fn(&orchestra_core::ports::Change) -> u32| {
            commit.changes.iter().map(|change| u64::from(count(change))).sum::<u64>()
        };
        let (added, removed) = (sum(|change| change.added), sum(|change| change.removed));
        let at = commit.at;
        let author = self.authors.entry(commit.author.clone()).or_insert_with(|| AuthorSummary {
            name: commit.author.clone(),
            commits: 0,
            added: 0,
            removed: 0,
            first: at,
            last: at,
        });
        author.commits += 1;
        author.added += added;
        author.removed += removed;
        author.first = author.first.min(at);
        author.last = author.last.max(at);
        for change in &commit.changes {
            self.files.add(&change.path);
        }
        // The time begins with year and month.
        let month = at.to_string().chars().take(7).collect();
        *self.months.entry(month).or_default() += 1;
        self.since = Some(self.since.map_or(at, |since| since.min(at)));
        self.total += 1;
        if self.commits.len() == LISTED_ITEMS {
            return;
        }
        self.commits.push(CommitSummary {
            id: commit.id,
            author: commit.author,
            at,
            subject: commit.subject,
            files: commit.changes.len() as u64,
            added,
            removed,
        });
    }

    fn finish(self, bounded: String) -> HistoryResult {
        let mut authors: Vec<AuthorSummary> = self.authors.into_values().collect();
        authors.sort_by(|a, b| b.commits.cmp(&a.commits).then_with(|| a.name.cmp(&b.name)));
        let authors_total = authors.len() as u64;
        authors.truncate(AUTHORS);
        let month = |(name, count)| Count { name, count };
        HistoryResult {
            total: self.total,
            commits: self.commits,
            authors,
            authors_total,
            files: self.files.top(GROUPS),
            months: self.months.into_iter().rev().map(month).collect(),
            since: self.since,
            bounded,
        }
    }
}

fn lies_below(path: &str, below: &str) -> bool {
    let rest = path.strip_prefix(below);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

impl Native for ReadHistory {
    fn info(&self) -> Info {
        INFO
    }

    fn result_schema(&self) -> Schema {
        schema_for!(HistoryResult)
    }

    fn run(&self, ctx: &Context<'_>) -> Result<Report, Stop> {
        let arguments = Arguments::read(INFO, ctx.with)?;
        let since = arguments.filled(SINCE.name).map(str::parse::<Timestamp>).transpose();
        let since = since.map_err(|error| {
            let message = format!("argument `since` of git.history: {error}");
            Stop::work(message, SINCE.description)
        })?;
        let below = arguments.filled(BELOW.name).map(|path| path.trim_matches('/'));
        let below = below.filter(|path| *path != ".");
        let mut state = State::default();
        let mut reached_since = false;
        let bounded = read_log(ctx, arguments.count(COMMITS.name), &mut |commit| {
            if since.is_some_and(|since| commit.at < since) {
                reached_since = true;
                return ControlFlow::Break(());
            }
            state.add(commit, below);
            ControlFlow::Continue(())
        })?;
        let bounded = match arguments.filled(SINCE.name) {
            Some(since) if reached_since => format!("only commits since {since}"),
            _ => bounded,
        };
        let mut result = state.finish(bounded);
        let files = vec![listing_file(ctx, "signals/history.json", &result)?];
        result.commits.truncate(arguments.count(LIMIT.name));
        let summary = summary(&result);
        let result = to_result(result, |result| {
            halve(&mut result.commits);
            halve(&mut result.authors);
            halve(&mut result.months);
        })?;
        Ok(Report { summary, result, files })
    }
}

/// Reads the history, and says why not all of it. Outside of git there is none, and what needs this step
/// can still go on.
pub(crate) fn read_log(
    ctx: &Context<'_>,
    limit: usize,
    visit: &mut dyn FnMut(Commit) -> ControlFlow<()>,
) -> Result<String, Stop> {
    let Some(repo) = ctx.repo else {
        return Ok("the workspace is not a git repository".to_owned());
    };
    /// How often progress is reported, in commits.
    const PROGRESS_EVERY: u64 = 32;
    let mut done = 0_u64;
    let end = repo.log(limit, &mut |commit| {
        done += 1;
        if done.is_multiple_of(PROGRESS_EVERY) {
            (ctx.progress)(Progress { done, total: None, unit: "commits" });
        }
        if ctx.is_cancelled() { ControlFlow::Break(()) } else { visit(commit) }
    });
    ctx.check_cancelled()?;
    let end =
        end.map_err(|error| Stop::environment(error.to_string(), "check it with `git log`"))?;
    Ok(match end {
        LogEnd::Root | LogEnd::Stopped => String::new(),
        LogEnd::Limit => format!("only the newest {} commits", grouped(done)),
        LogEnd::Shallow => "the repository is a shallow clone".to_owned(),
    })
}

fn summary(result: &HistoryResult) -> String {
    if result.total == 0 {
        let why = if result.bounded.is_empty() { "no commits" } else { &result.bounded };
        return format!("no history: {why}");
    }
    let bounded =
        if result.bounded.is_empty() { String::new() } else { format!(" ({})", result.bounded) };
    format!(
        "{} by {}{bounded}",
        counted(result.total, "commit", "commits"),
        counted(result.authors_total, "author", "authors")
    )
}
