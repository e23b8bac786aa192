//! `workspace.search`: every line that matches a pattern.

use super::{
    arguments::{Arguments, GLOB, LIMIT, PATH},
    contract::{Argument, ArgumentKind, Context, DefaultValue, Info, Native, Report, Stop},
    files::{self, Coverage, TextFile},
    finding::{Finding, Severity},
    listing::{
        Count, Counts, GROUPS, LISTED_ITEMS, counted, folder, halve, listing_file, to_result,
    },
    places::Places,
    ranked::Ranked,
};
use grep_matcher::Matcher;
use grep_regex::{RegexMatcher, RegexMatcherBuilder};
use grep_searcher::{BinaryDetection, Searcher, SearcherBuilder, Sink, SinkMatch};
use schemars::{JsonSchema, Schema, schema_for};
use serde::{Deserialize, Serialize};
use std::io;

pub(crate) struct Search;

const INFO: Info = Info {
    name: "workspace.search",
    description: "Finds every line that matches a regular expression or a fixed text.",
    capabilities: &["workspace.search", "search"],
    inline: false,
    arguments: &[
        Argument {
            name: "pattern",
            kind: ArgumentKind::Text,
            default: DefaultValue::Required,
            description: "What to look for, within single lines.",
        },
        Argument {
            name: "fixed",
            kind: ArgumentKind::Flag,
            default: DefaultValue::Flag(false),
            description: "Whether the pattern is a plain text rather than a regular expression.",
        },
        Argument {
            name: "case",
            kind: ArgumentKind::Choice(&["smart", "sensitive", "insensitive"]),
            default: DefaultValue::Text("smart"),
            description: "Whether capitals matter; smart: they do when the pattern has any.",
        },
        Argument {
            name: "word",
            kind: ArgumentKind::Flag,
            default: DefaultValue::Flag(false),
            description: "Whether only whole words match.",
        },
        PATH,
        GLOB,
        LIMIT,
    ],
};

/// What `workspace.search` found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SearchResult {
    pub pattern: String,
    /// Matching lines by path and line; `column` is that of the first match in the line.
    pub findings: Vec<Finding>,
    /// How many lines match, listed or not.
    pub total: u64,
    pub files_with_matches: u64,
    /// By the first two levels of folders; the twenty with most.
    pub by_folder: Vec<Count>,
    pub coverage: Coverage,
}

struct State {
    searcher: Searcher,
    matcher: RegexMatcher,
    found: Ranked<Finding>,
    by_folder: Counts,
    files: u64,
}

impl Native for Search {
    fn info(&self) -> Info {
        INFO
    }

    fn result_schema(&self) -> Schema {
        schema_for!(SearchResult)
    }

    fn run(&self, ctx: &Context<'_>) -> Result<Report, Stop> {
        let arguments = Arguments::read(INFO, ctx.with)?;
        let pattern = arguments.text("pattern").unwrap_or_default();
        let matcher = matcher(&arguments, pattern)?;
        let options = arguments.files(None);
        let start = || State {
            searcher: SearcherBuilder::new()
                .binary_detection(BinaryDetection::none())
                .line_number(false)
                .build(),
            matcher: matcher.clone(),
            found: Ranked::new(LISTED_ITEMS),
            by_folder: Counts::default(),
            files: 0,
        };
        let (states, coverage) = files::scan(ctx, &options, start, |state, file| {
            search_file(ctx, state, file);
        })?;
        let (mut found, mut by_folder, mut files) =
            (Ranked::new(LISTED_ITEMS), Counts::default(), 0);
        for state in states {
            found.merge(state.found);
            by_folder.merge(state.by_folder);
            files += state.files;
        }
        let mut result = SearchResult {
            pattern: pattern.to_owned(),
            total: found.total(),
            findings: found.into_sorted(),
            files_with_matches: files,
            by_folder: by_folder.top(GROUPS),
            coverage,
        };
        let files = vec![listing_file(ctx, "signals/search.json", &result)?];
        result.findings.truncate(arguments.count(LIMIT.name));
        let summary = format!(
            "{} in {} of {}",
            counted(result.total, "matching line", "matching lines"),
            counted(result.files_with_matches, "file", "files"),
            result.coverage.files
        );
        let result = to_result(result, |result| halve(&mut result.findings))?;
        Ok(Report { summary, result, files })
    }
}

fn matcher(arguments: &Arguments<'_>, pattern: &str) -> Result<RegexMatcher, Stop> {
    if pattern.is_empty() {
        return Err(Stop::work(
            "argument `pattern` of workspace.search is empty",
            "an empty pattern matches every line; say what to look for",
        ));
    }
    let case = arguments.text("case");
    RegexMatcherBuilder::new()
        .fixed_strings(arguments.flag("fixed"))
        .word(arguments.flag("word"))
        .case_smart(case == Some("smart"))
        .case_insensitive(case == Some("insensitive"))
        .line_terminator(Some(b'\n'))
        .build(pattern)
        .map_err(|error| {
            Stop::work(
                format!("pattern `{pattern}` does not parse: {error}"),
                "patterns match within single lines; for a plain text set `fixed: true`",
            )
        })
}

fn search_file(ctx: &Context<'_>, state: &mut State, file: &TextFile<'_>) {
    let State { searcher, matcher, found, by_folder, files } = state;
    let before = found.total();
    let mut lines = Lines {
        ctx,
        matcher,
        path: file.path,
        places: Places::new(file.text, ctx.cancelled),
        add: |finding: Finding| {
            by_folder.add(folder(&finding.path));
            found.push(finding);
        },
    };
    // A slice cannot fail to be read, and the sink has no errors of its own.
    let _: io::Result<()> = searcher.search_slice(&*matcher, file.text.as_bytes(), &mut lines);
    *files += u64::from(found.total() > before);
}

struct Lines<'a, F> {
    ctx: &'a Context<'a>,
    matcher: &'a RegexMatcher,
    path: &'a str,
    places: Places<'a>,
    add: F,
}

impl<F: FnMut(Finding)> Sink for Lines<'_, F> {
    type Error = io::Error;

    fn matched(&mut self, _: &Searcher, matched: &SinkMatch<'_>) -> io::Result<bool> {
        let start = usize::try_from(matched.absolute_byte_offset()).unwrap_or(usize::MAX);
        let first = self.matcher.find(matched.bytes()).ok().flatten();
        let place = self.places.find(start.saturating_add(first.map_or(0, |first| first.start())));
        (self.add)(Finding {
            severity: Severity::Low,
            path: self.path.to_owned(),
            line: place.line,
            column: place.column,
            kind: "match".to_owned(),
            message: String::new(),
            excerpt: place.quote,
            assignee: None,
        });
        Ok(!self.ctx.is_cancelled())
    }
}
