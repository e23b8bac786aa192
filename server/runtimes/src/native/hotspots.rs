//! `git.hotspots`: the files that are large and change often, where defects gather.

use super::{
    arguments::Arguments,
    contract::{Argument, ArgumentKind, Context, DefaultValue, Info, Native, Report, Stop},
    files::{ReadText, read_text},
    history::{COMMITS, read_log},
    languages::{self, LanguageKind},
    listing::{LISTED_ITEMS, counted, halve, listing_file, to_result},
};
use orchestra_core::{ports::Commit, time::Timestamp};
use schemars::{JsonSchema, Schema, schema_for};
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, BTreeSet},
    ops::ControlFlow,
    path::Path,
};

pub(crate) struct Hotspots;

const INFO: Info = Info {
    name: "git.hotspots",
    description: "Ranks files by how often they change and how large they are.",
    capabilities: &["git.hotspots", "history", "signals"],
    inline: false,
    arguments: &[
        COMMITS,
        Argument {
            name: "limit",
            kind: ArgumentKind::Count { min: 1, max: 5_000 },
            default: DefaultValue::Count(200),
            description: "How many files the result holds at most.",
        },
    ],
};

/// What `git.hotspots` found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HotspotsResult {
    /// The hottest first.
    pub files: Vec<Hotspot>,
    /// How many files changed in these commits and still exist as code, markup or data.
    pub total: u64,
    /// Commits looked at.
    pub commits: u64,
    /// The time of the oldest commit looked at, in milliseconds since the Unix epoch.
    #[schemars(with = "Option<i64>")]
    pub since: Option<Timestamp>,
    /// Why older commits were not looked at; empty when all were.
    pub bounded: String,
    pub authors: u64,
    /// Files that changed but are no longer there.
    pub gone: u64,
    /// Lock files and other files that tools write: they change without anybody's thought.
    pub generated: u64,
    /// Text for people, such as a changelog: it changes often without being at fault.
    pub prose: u64,
    /// Files that are there but cannot be counted: binary, large, links, not UTF-8.
    pub not_text: u64,
}

/// One file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Hotspot {
    pub path: String,
    /// Commits times lines.
    pub score: u64,
    pub commits: u64,
    /// Lines added and removed in these commits.
    pub churn: u64,
    pub authors: u64,
    /// Lines that it has now.
    pub lines: u64,
    /// When it last changed, in milliseconds since the Unix epoch.
    #[schemars(with = "i64")]
    pub last_change: Timestamp,
}

#[derive(Default)]
struct History {
    files: BTreeMap<String, FileHistory>,
    /// Names by the number that files know them by.
    authors: BTreeMap<String, u32>,
    commits: u64,
    since: Option<Timestamp>,
}

struct FileHistory {
    commits: u64,
    churn: u64,
    authors: BTreeSet<u32>,
    last_change: Timestamp,
}

impl History {
    fn add(&mut self, commit: Commit) {
        self.commits += 1;
        self.since = Some(self.since.map_or(commit.at, |since| since.min(commit.at)));
        if commit.changes.is_empty() {
            return;
        }
        let next = u32::try_from(self.authors.len()).unwrap_or(u32::MAX);
        let author = *self.authors.entry(commit.author).or_insert(next);
        for change in commit.changes {
            let file = self.files.entry(change.path).or_insert_with(|| FileHistory {
                commits: 0,
                churn: 0,
                authors: BTreeSet::new(),
                last_change: commit.at,
            });
            file.commits += 1;
            file.churn += u64::from(change.added) + u64::from(change.removed);
            file.authors.insert(author);
            file.last_change = file.last_change.max(commit.at);
        }
    }
}

impl Native for Hotspots {
    fn info(&self) -> Info {
        INFO
    }

    fn result_schema(&self) -> Schema {
        schema_for!(HotspotsResult)
    }

    fn run(&self, ctx: &Context<'_>) -> Result<Report, Stop> {
        let arguments = Arguments::read(INFO, ctx.with)?;
        let mut history = History::default();
        let bounded = read_log(ctx, arguments.count(COMMITS.name), &mut |commit| {
            history.add(commit);
            ControlFlow::Continue(())
        })?;
        let mut result = rank(ctx, history)?;
        result.bounded = bounded;
        result.files.truncate(LISTED_ITEMS);
        let files = vec![listing_file(ctx, "signals/hotspots.json", &result)?];
        result.files.truncate(arguments.count("limit"));
        let summary = summary(&result);
        let result = to_result(result, |result| halve(&mut result.files))?;
        Ok(Report { summary, result, files })
    }
}

fn summary(result: &HotspotsResult) -> String {
    if result.commits == 0 {
        let why = if result.bounded.is_empty() { "no commits yet" } else { &result.bounded };
        return format!("no history: {why}");
    }
    let mut summary = format!(
        "{} changed in {} by {}",
        counted(result.total, "file", "files"),
        counted(result.commits, "commit", "commits"),
        counted(result.authors, "author", "authors")
    );
    if let Some(hottest) = result.files.first() {
        summary = format!("{summary}, most of all {}", hottest.path);
    }
    if !result.bounded.is_empty() {
        summary = format!("{summary} ({})", result.bounded);
    }
    summary
}

fn rank(ctx: &Context<'_>, history: History) -> Result<HotspotsResult, Stop> {
    let mut result = HotspotsResult {
        files: Vec::new(),
        total: 0,
        commits: history.commits,
        since: history.since,
        bounded: String::new(),
        authors: history.authors.len() as u64,
        gone: 0,
        generated: 0,
        prose: 0,
        not_text: 0,
    };
    let mut buffer = Vec::new();
    for (path, file) in history.files {
        ctx.check_cancelled()?;
        if path.starts_with(".orchestra/") {
            continue;
        }
        let place = ctx.root.join(&path);
        // A folder on the way that became a link leads out of what git tracks.
        if place.symlink_metadata().is_err() || !stays_inside(ctx.root, &place) {
            result.gone += 1;
            continue;
        }
        if is_generated(&path) {
            result.generated += 1;
            continue;
        }
        let lines = match read_text(&place, &mut buffer) {
            Ok(ReadText::Text(text)) if languages::of(&path, text).kind == LanguageKind::Prose => {
                result.prose += 1;
                continue;
            }
            Ok(ReadText::Text(text)) => text.lines().count() as u64,
            Ok(_) | Err(_) => {
                result.not_text += 1;
                continue;
            }
        };
        result.total += 1;
        result.files.push(Hotspot {
            score: file.commits * lines,
            commits: file.commits,
            churn: file.churn,
            authors: file.authors.len() as u64,
            lines,
            last_change: file.last_change,
            path,
        });
    }
    result.files.sort_by(|a, b| {
        (b.score, b.commits, b.churn, &a.path).cmp(&(a.score, a.commits, a.churn, &b.path))
    });
    Ok(result)
}

fn stays_inside(root: &Path, place: &Path) -> bool {
    place
        .parent()
        .and_then(|folder| folder.canonicalize().ok())
        .is_some_and(|p| p.starts_with(root))
}

/// Whether a tool writes the file.
fn is_generated(path: &str) -> bool {
    const NAMES: &[&str] = &[
        "package-lock.json",
        "npm-shrinkwrap.json",
        "pnpm-lock.yaml",
        "go.sum",
        "composer.lock",
        "Package.resolved",
        "packages.lock.json",
        "bun.lockb",
        "flake.lock",
        "mix.lock",
    ];
    const ENDINGS: &[&str] = &[".lock", ".min.js", ".min.css", ".map", ".snap", ".svg"];
    let name = path.rsplit('/').next().unwrap_or(path);
    NAMES.contains(&name) || ENDINGS.iter().any(|ending| name.ends_with(ending))
}
