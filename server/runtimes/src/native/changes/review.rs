//! `changes.review`: what a reviewer looks for first, found without a model.

use super::{
    super::{
        arguments::{Arguments, LIMIT},
        contract::{Context, Info, Native, Report, Stop},
        files::TextFile,
        finding::{Finding, Severity},
        languages::{self, LanguageKind},
        listing::{counted, grouped, halve, listing_file, to_result},
        outline::{NoOutline, Outliner, PARSE_TIME, Symbol, SymbolKind, outliner},
        places::Places,
        secrets, todo,
    },
    comparison::{FILE_BYTES, FILES, FROM, Side, TO, compare, sides},
};
use orchestra_core::{
    change::FileStatus,
    ports::{DiffContent, DiffLineKind, FileDiff, Hunk},
};
use schemars::{JsonSchema, Schema, schema_for};
use serde::{Deserialize, Serialize};
use std::{cmp::Reverse, collections::BTreeSet};

pub(crate) struct Review;

const INFO: Info = Info {
    name: "changes.review",
    description: "Says which symbols a change touches, and what its new lines hold of open points, \
                  possible credentials and conflict marks.",
    capabilities: &["changes.review", "changes"],
    inline: false,
    arguments: &[FROM, TO, FILES, FILE_BYTES, PARSE_TIME, LIMIT],
};

/// What `changes.review` found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReviewResult {
    /// What was compared with.
    pub from: Side,
    /// What was compared.
    pub to: Side,
    /// The one with most changed lines first.
    pub files: Vec<ReviewedFile>,
    /// How many files differ, listed or not.
    pub total: u64,
    /// Lines added in all files that were compared.
    pub added: u64,
    /// Lines removed in all files that were compared.
    pub removed: u64,
    /// The most important first, on new lines only. `kind` is `conflict-mark`, the marker of a to-do or
    /// the rule of a secret.
    pub findings: Vec<Finding>,
    /// How many there are, listed or not.
    pub findings_total: u64,
    /// How many files of a programming language changed that are no tests.
    pub code_files: u64,
    /// How many of them changed that are tests.
    pub test_files: u64,
    /// Why not everything was compared; empty when all was.
    pub bounded: String,
}

/// One file that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReviewedFile {
    pub path: String,
    /// `added`, `modified`, `deleted`, `type-changed` or `mode-changed`.
    #[schemars(with = "String")]
    pub status: FileStatus,
    /// Lines.
    pub added: u64,
    /// Lines.
    pub removed: u64,
    /// Whether it lies among tests, fixtures, examples or documentation.
    pub in_tests: bool,
    /// The innermost symbols in which lines changed, by place, as far as its language can be outlined.
    pub symbols: Vec<TouchedSymbol>,
}

/// A symbol in which lines changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TouchedSymbol {
    /// Without its container.
    pub name: String,
    pub kind: SymbolKind,
    /// What it lies in; absent at the top of a file.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub container: String,
    /// The line of its name on the new side, from one.
    pub line: u64,
    /// Exactly what that line holds, up to a secret.
    pub signature: String,
    /// Whether other files or packages can use it, as far as its declaration tells.
    pub public: bool,
    /// Whether all of its lines are new.
    pub is_new: bool,
}

/// How many touched symbols of a file are named.
const SYMBOLS: usize = 50;

/// How deep symbols may lie in one another to be named.
const DEPTH: usize = 5;

impl Native for Review {
    fn info(&self) -> Info {
        INFO
    }

    fn result_schema(&self) -> Schema {
        schema_for!(ReviewResult)
    }

    fn run(&self, ctx: &Context<'_>) -> Result<Report, Stop> {
        let arguments = Arguments::read(INFO, ctx.with)?;
        todo::ready()?;
        secrets::ready()?;
        let mut outliner = outliner(ctx, &arguments, DEPTH);
        let (mut files, mut findings) = (Vec::new(), Vec::new());
        let (mut code_files, mut test_files, mut defect) = (0, 0, None);
        let compared = compare(ctx, &arguments, 0, &mut |file| {
            let in_tests = secrets::is_in_tests(&file.path);
            if languages::of(&file.path, "").kind == LanguageKind::Programming {
                *(if in_tests { &mut test_files } else { &mut code_files }) += 1;
            }
            let (added, removed) = file.lines();
            let symbols = look(ctx, &mut outliner, &file, &mut findings);
            files.push(ReviewedFile {
                status: file.status(),
                path: file.path,
                added,
                removed,
                in_tests,
                symbols: symbols.unwrap_or_else(|message| {
                    defect = Some(message);
                    Vec::new()
                }),
            });
        })?;
        if let Some(defect) = defect {
            return Err(Stop::defect(defect));
        }
        findings.sort();
        files.sort_by(|a, b| {
            let lines = |file: &ReviewedFile| file.added + file.removed;
            lines(b).cmp(&lines(a)).then_with(|| a.path.cmp(&b.path))
        });
        let mut result = ReviewResult {
            from: compared.from,
            to: compared.to,
            total: compared.total,
            added: files.iter().map(|file| file.added).sum(),
            removed: files.iter().map(|file| file.removed).sum(),
            files,
            findings_total: findings.len() as u64,
            findings,
            code_files,
            test_files,
            bounded: compared.bounded,
        };
        let files = vec![listing_file(ctx, "signals/changes.json", &result)?];
        let limit = arguments.count(LIMIT.name);
        result.files.truncate(limit);
        result.findings.truncate(limit);
        let summary = summary(&result);
        let result = to_result(result, |result| {
            halve(&mut result.files);
            halve(&mut result.findings);
        })?;
        Ok(Report { summary, result, files })
    }
}

/// Adds what the new lines of a file hold, and names the symbols that they lie in.
fn look(
    ctx: &Context<'_>,
    outliner: &mut Outliner<'_>,
    file: &FileDiff,
    findings: &mut Vec<Finding>,
) -> Result<Vec<TouchedSymbol>, String> {
    let DiffContent::Text { new, hunks } = &file.content else { return Ok(Vec::new()) };
    let Ok(text) = std::str::from_utf8(new) else { return Ok(Vec::new()) };
    let path: String = file.path.replace(char::is_control, "\u{fffd}");
    let added = added_lines(hunks);
    let text_file = TextFile { path: &path, text };
    let mut add = |finding: Finding| {
        if added.contains(&finding.line) {
            findings.push(finding);
        }
    };
    todo::scan_file(ctx, &text_file, &mut add);
    secrets::scan_file(ctx.cancelled, &text_file, &mut add);
    conflict_marks(ctx, &text_file, &mut add);

    let outlined = match outliner.read(&path, text) {
        Ok(outlined) => outlined,
        Err(NoOutline::Language | NoOutline::Stopped) => return Ok(Vec::new()),
        Err(NoOutline::Defect(defect)) => return Err(defect),
    };
    let mut symbols: Vec<Symbol> = outlined.symbols.into_iter().map(|(_, it)| it).collect();
    symbols.sort_by_key(|symbol| (symbol.start_line, Reverse(symbol.end_line)));
    let touched = innermost(&symbols, &touched_lines(hunks));
    let touched = touched.into_iter().take(SYMBOLS).map(|index| &symbols[index]);
    Ok(touched
        .map(|symbol| TouchedSymbol {
            name: symbol.name.clone(),
            kind: symbol.kind,
            container: symbol.container.clone(),
            line: symbol.line,
            signature: symbol.signature.clone(),
            public: symbol.public,
            is_new: (symbol.start_line..=symbol.end_line).all(|line| added.contains(&line)),
        })
        .collect())
}

/// Which of `symbols`, sorted by their first line and the longest first, are the innermost around some of
/// these lines.
fn innermost(symbols: &[Symbol], lines: &BTreeSet<u64>) -> BTreeSet<usize> {
    let (mut found, mut open, mut next) = (BTreeSet::new(), Vec::<usize>::new(), 0);
    for &line in lines {
        while let Some(symbol) = symbols.get(next).filter(|symbol| symbol.start_line <= line) {
            while open.last().is_some_and(|&last| symbols[last].end_line < symbol.start_line) {
                open.pop();
            }
            open.push(next);
            next += 1;
        }
        while open.last().is_some_and(|&last| symbols[last].end_line < line) {
            open.pop();
        }
        found.extend(open.last());
    }
    found
}

fn added_lines(hunks: &[Hunk]) -> BTreeSet<u64> {
    lines(hunks, |kind| kind == DiffLineKind::Added)
}

/// The new lines, and the line before each removed one.
fn touched_lines(hunks: &[Hunk]) -> BTreeSet<u64> {
    lines(hunks, |kind| kind != DiffLineKind::Context)
}

/// The lines of the new side at which there are lines of some kinds.
fn lines(hunks: &[Hunk], counts: impl Fn(DiffLineKind) -> bool) -> BTreeSet<u64> {
    let mut lines = BTreeSet::new();
    for hunk in hunks {
        // A side without lines begins at the line before.
        let mut next = u64::from(hunk.new_start) + u64::from(hunk.new_lines == 0);
        for line in &hunk.lines {
            if counts(line.kind) {
                let is_removed = line.kind == DiffLineKind::Removed;
                lines.insert(if is_removed { next.saturating_sub(1).max(1) } else { next });
            }
            next += u64::from(line.kind != DiffLineKind::Removed);
        }
    }
    lines
}

/// What `git merge` leaves in a file for people to solve.
fn conflict_marks(ctx: &Context<'_>, file: &TextFile<'_>, add: &mut dyn FnMut(Finding)) {
    if !file.text.contains("<<<<<<< ") || !file.text.contains(">>>>>>> ") {
        return;
    }
    let mut places = Places::new(file.text, ctx.cancelled);
    let mut at = 0;
    for line in file.text.split_inclusive('\n') {
        if line.starts_with("<<<<<<< ") || line.starts_with(">>>>>>> ") {
            let place = places.find(at);
            add(Finding {
                severity: Severity::High,
                path: file.path.to_owned(),
                line: place.line,
                column: place.column,
                kind: "conflict-mark".to_owned(),
                message: "mark of a merge conflict".to_owned(),
                excerpt: place.quote,
                assignee: None,
            });
        }
        at += line.len();
    }
}

fn summary(result: &ReviewResult) -> String {
    if result.total == 0 {
        let why = &result.bounded;
        return if why.is_empty() {
            format!("nothing changed from {}", sides(&result.from, &result.to))
        } else {
            format!("nothing to review: {why}")
        };
    }
    let symbols: usize = result.files.iter().map(|file| file.symbols.len()).sum();
    format!(
        "{} changed ({} added, {} removed), {} touched, {} on new lines",
        counted(result.total, "file", "files"),
        counted(result.added, "line", "lines"),
        grouped(result.removed),
        counted(symbols as u64, "symbol", "symbols"),
        counted(result.findings_total, "finding", "findings")
    )
}
