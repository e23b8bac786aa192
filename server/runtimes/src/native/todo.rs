//! `todo.scan`: what people have left for later in comments.

mod marker;

use super::{
    arguments::{Arguments, GLOB, LIMIT, PATH},
    comments,
    contract::{Context, Info, Native, Report, Stop},
    files::{self, Coverage, TextFile},
    finding::Finding,
    languages,
    listing::{
        Count, Counts, GROUPS, LISTED_ITEMS, counted, folder, halve, listing_file, to_result,
    },
    places::Places,
    ranked::Ranked,
};
use schemars::{JsonSchema, Schema, schema_for};
use serde::{Deserialize, Serialize};

pub(crate) struct ScanTodo;

const INFO: Info = Info {
    name: "todo.scan",
    description: "Finds TODO, FIXME, HACK, XXX and BUG in comments.",
    capabilities: &["todo.scan", "signals"],
    inline: false,
    arguments: &[PATH, GLOB, LIMIT],
};

/// What `todo.scan` found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TodoResult {
    /// The most important ones first: FIXME and BUG are high, XXX and HACK medium, TODO low.
    /// `message` is what the comment says, `kind` the marker.
    pub findings: Vec<Finding>,
    /// How many there are, listed or not.
    pub total: u64,
    pub by_kind: Vec<Count>,
    /// By the first two levels of folders; the twenty with most.
    pub by_folder: Vec<Count>,
    /// Who is named most often.
    pub by_assignee: Vec<Count>,
    pub coverage: Coverage,
}

struct State {
    found: Ranked<Finding>,
    by_kind: Counts,
    by_folder: Counts,
    by_assignee: Counts,
}

impl State {
    fn new() -> Self {
        Self {
            found: Ranked::new(LISTED_ITEMS),
            by_kind: Counts::default(),
            by_folder: Counts::default(),
            by_assignee: Counts::default(),
        }
    }

    fn merge(mut self, other: Self) -> Self {
        self.found.merge(other.found);
        self.by_kind.merge(other.by_kind);
        self.by_folder.merge(other.by_folder);
        self.by_assignee.merge(other.by_assignee);
        self
    }

    fn add(&mut self, finding: Finding) {
        self.by_kind.add(&finding.kind);
        self.by_folder.add(folder(&finding.path));
        if let Some(assignee) = &finding.assignee {
            self.by_assignee.add(assignee);
        }
        self.found.push(finding);
    }
}

impl Native for ScanTodo {
    fn info(&self) -> Info {
        INFO
    }

    fn result_schema(&self) -> Schema {
        schema_for!(TodoResult)
    }

    fn run(&self, ctx: &Context<'_>) -> Result<Report, Stop> {
        let arguments = Arguments::read(INFO, ctx.with)?;
        ready()?;
        let options = arguments.files(None);
        let (states, coverage) = files::scan(ctx, &options, State::new, |state, file| {
            scan_file(ctx, file, &mut |finding| state.add(finding));
        })?;
        let state = states.into_iter().fold(State::new(), State::merge);
        let mut result = TodoResult {
            total: state.found.total(),
            findings: state.found.into_sorted(),
            by_kind: state.by_kind.top(GROUPS),
            by_folder: state.by_folder.top(GROUPS),
            by_assignee: state.by_assignee.top(GROUPS),
            coverage,
        };
        let files = vec![listing_file(ctx, "signals/todo.json", &result)?];
        result.findings.truncate(arguments.count(LIMIT.name));
        let kinds: Vec<String> =
            result.by_kind.iter().map(|kind| format!("{} {}", kind.count, kind.name)).collect();
        let summary = match result.total {
            0 => format!("no open points in {}", counted(result.coverage.files, "file", "files")),
            total => format!(
                "{} in {}: {}",
                counted(total, "open point", "open points"),
                counted(result.coverage.files, "file", "files"),
                kinds.join(", ")
            ),
        };
        let result = to_result(result, |result| halve(&mut result.findings))?;
        Ok(Report { summary, result, files })
    }
}

/// Whether markers can be looked for at all.
pub(super) fn ready() -> Result<(), Stop> {
    marker::ready().map_err(Stop::defect)
}

/// The open points of one file, in the order in which they stand there.
pub(super) fn scan_file(ctx: &Context<'_>, file: &TextFile<'_>, add: &mut dyn FnMut(Finding)) {
    if !marker::may_occur(file.text) {
        return;
    }
    let language = languages::of(file.path, file.text);
    let mut places = Places::new(file.text, ctx.cancelled);
    comments::scan(file.text, language, |range| {
        let mut start = range.start;
        for part in file.text[range].split('\n') {
            if let Some(marker) = marker::find(part) {
                // Cannot be broken off, but passed through quickly.
                if ctx.is_cancelled() {
                    return;
                }
                let place = places.find(start + marker.at);
                let said = start + marker.text_at..start + marker.text_at + marker.text.len();
                add(Finding {
                    severity: marker.kind.severity(),
                    path: file.path.to_owned(),
                    line: place.line,
                    column: place.column,
                    kind: marker.kind.as_str().to_owned(),
                    message: places.showable(said).replace(char::is_control, " "),
                    excerpt: place.quote,
                    assignee: marker.assignee.map(str::to_owned),
                });
            }
            start += part.len() + 1;
        }
    });
}
