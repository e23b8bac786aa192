//! `docs.outline`: which documents there are, how they are built, and which of their links lead nowhere.

mod links;
mod markdown;
mod plain;

use super::{
    arguments::{Arguments, GLOB, LIMIT, PATH},
    contract::{Context, Info, Native, Report, Stop},
    files::{self, Coverage, TextFile},
    finding::{Finding, Severity},
    languages::{self, LanguageKind},
    listing::{LISTED_ITEMS, counted, halve, listing_file, to_result},
    places::Places,
    ranked::Ranked,
};
use schemars::{JsonSchema, Schema, schema_for};
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
};

pub(crate) struct OutlineDocs;

const INFO: Info = Info {
    name: "docs.outline",
    description: "Lists documents with their headings, relative links that lead nowhere, and folders of \
                  code that no document speaks of.",
    capabilities: &["docs.outline"],
    inline: false,
    arguments: &[PATH, GLOB, LIMIT],
};

/// What `docs.outline` found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DocsResult {
    /// By path.
    pub documents: Vec<Document>,
    /// How many there are, listed or not.
    pub total: u64,
    /// The upper levels first, then by place.
    pub headings: Vec<Heading>,
    /// How many there are, listed or not.
    pub headings_total: u64,
    /// By place; `kind` is `broken-link`, `message` the target.
    pub broken_links: Vec<Finding>,
    /// How many there are, listed or not.
    pub broken_links_total: u64,
    /// How many relative links lead to something.
    pub good_links: u64,
    /// Folders at the root that hold code, have no document in them and are named in none elsewhere.
    pub undocumented_folders: Vec<String>,
    pub coverage: Coverage,
}

/// One document.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Document {
    pub path: String,
    /// `markdown`, `restructuredtext` or `asciidoc`.
    pub format: String,
    /// Its first heading of the uppermost level; empty when it has none.
    pub title: String,
    pub headings: u64,
    pub words: u64,
}

/// One heading. Sorts by its level, then by its place.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Heading {
    /// From one, the uppermost.
    pub level: u8,
    pub path: String,
    /// From one.
    pub line: u64,
    /// The text as it is read, without marks.
    pub text: String,
    /// A part of that line, exactly.
    pub excerpt: String,
}

/// What a reader of one format found, in the order of the text.
#[derive(Debug, Default, PartialEq, Eq)]
struct Parsed {
    headings: Vec<ParsedHeading>,
    /// Targets of links, with their places.
    links: Vec<(Range<usize>, String)>,
}

#[derive(Debug, PartialEq, Eq)]
struct ParsedHeading {
    level: u8,
    text: String,
    at: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Markdown,
    ReStructuredText,
    AsciiDoc,
}

impl Format {
    fn of(path: &str) -> Option<Self> {
        let (_, ending) = path.rsplit_once('.')?;
        Some(match ending.to_ascii_lowercase().as_str() {
            "md" | "markdown" | "mdx" | "mkd" => Self::Markdown,
            "rst" => Self::ReStructuredText,
            "adoc" | "asciidoc" => Self::AsciiDoc,
            _ => return None,
        })
    }

    fn as_str(self) -> &'static str {
        match self {
            Self::Markdown => "markdown",
            Self::ReStructuredText => "restructuredtext",
            Self::AsciiDoc => "asciidoc",
        }
    }

    fn parse(self, text: &str) -> Parsed {
        match self {
            Self::Markdown => markdown::parse(text),
            Self::ReStructuredText => plain::restructuredtext(text),
            Self::AsciiDoc => plain::asciidoc(text),
        }
    }
}

struct State {
    documents: Ranked<Document>,
    headings: Ranked<Heading>,
    broken_links: Ranked<Finding>,
    good_links: u64,
    /// Folders at the root, with whether a document lies in them.
    folders: BTreeMap<String, bool>,
    /// Words of documents that lie elsewhere, as far as they may name a folder.
    named: BTreeSet<String>,
}

impl State {
    fn new() -> Self {
        Self {
            documents: Ranked::new(LISTED_ITEMS),
            headings: Ranked::new(LISTED_ITEMS),
            broken_links: Ranked::new(LISTED_ITEMS),
            good_links: 0,
            folders: BTreeMap::new(),
            named: BTreeSet::new(),
        }
    }

    fn add(&mut self, ctx: &Context<'_>, folders: &BTreeSet<String>, file: &TextFile<'_>) {
        let format = Format::of(file.path);
        if let Some((folder, _)) = file.path.split_once('/') {
            let is_code = languages::of(file.path, file.text).kind == LanguageKind::Programming;
            if is_code || format.is_some() {
                let entry = self.folders.entry(folder.to_owned()).or_default();
                *entry |= format.is_some();
            }
        }
        if let Some(format) = format {
            self.document(ctx, folders, file, format);
        }
    }

    fn document(
        &mut self,
        ctx: &Context<'_>,
        folders: &BTreeSet<String>,
        file: &TextFile<'_>,
        format: Format,
    ) {
        let parsed = format.parse(file.text);
        let is_word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.');
        let words = file.text.split(|c| !is_word(c)).map(|word| word.trim_matches('.'));
        self.named.extend(words.filter(|word| folders.contains(*word)).map(str::to_owned));
        let title = parsed.headings.iter().min_by_key(|heading| (heading.level, heading.at));
        self.documents.push(Document {
            path: file.path.to_owned(),
            format: format.as_str().to_owned(),
            title: title.map_or_else(String::new, |heading| heading.text.clone()),
            headings: parsed.headings.len() as u64,
            words: file.text.split_whitespace().count() as u64,
        });
        let mut places = Places::new(file.text, ctx.cancelled);
        for heading in parsed.headings {
            if ctx.is_cancelled() {
                return;
            }
            let place = places.find(heading.at);
            self.headings.push(Heading {
                level: heading.level,
                path: file.path.to_owned(),
                line: place.line,
                text: heading.text,
                excerpt: place.quote,
            });
        }
        let mut places = Places::new(file.text, ctx.cancelled);
        for (at, target) in parsed.links {
            if ctx.is_cancelled() {
                return;
            }
            match links::check(ctx.root, file.path, &target) {
                links::Link::Elsewhere => {}
                links::Link::Good => self.good_links += 1,
                links::Link::Broken => {
                    let place = places.find(at.start);
                    self.broken_links.push(Finding {
                        severity: Severity::Medium,
                        path: file.path.to_owned(),
                        line: place.line,
                        column: place.column,
                        kind: "broken-link".to_owned(),
                        message: shown(&target),
                        excerpt: place.quote,
                        assignee: None,
                    });
                }
            }
        }
    }

    fn merge(mut self, other: Self) -> Self {
        self.documents.merge(other.documents);
        self.headings.merge(other.headings);
        self.broken_links.merge(other.broken_links);
        self.good_links += other.good_links;
        for (folder, has_document) in other.folders {
            *self.folders.entry(folder).or_default() |= has_document;
        }
        self.named.extend(other.named);
        self
    }

    fn finish(self, coverage: Coverage) -> DocsResult {
        let named = self.named;
        let undocumented = |(folder, has_document): (String, bool)| {
            (!has_document && !named.contains(&folder)).then_some(folder)
        };
        DocsResult {
            total: self.documents.total(),
            documents: self.documents.into_sorted(),
            headings_total: self.headings.total(),
            headings: self.headings.into_sorted(),
            broken_links_total: self.broken_links.total(),
            broken_links: self.broken_links.into_sorted(),
            good_links: self.good_links,
            undocumented_folders: self.folders.into_iter().filter_map(undocumented).collect(),
            coverage,
        }
    }
}

impl Native for OutlineDocs {
    fn info(&self) -> Info {
        INFO
    }

    fn result_schema(&self) -> Schema {
        schema_for!(DocsResult)
    }

    fn run(&self, ctx: &Context<'_>) -> Result<Report, Stop> {
        let arguments = Arguments::read(INFO, ctx.with)?;
        let folders = folders_of(ctx);
        let options = arguments.files(None);
        let (states, coverage) =
            files::scan(ctx, &options, State::new, |state, file| state.add(ctx, &folders, file))?;
        let mut result = states.into_iter().fold(State::new(), State::merge).finish(coverage);
        let files = vec![listing_file(ctx, "documentation/documents.json", &result)?];
        let limit = arguments.count(LIMIT.name);
        result.documents.truncate(limit);
        result.headings.truncate(limit);
        result.broken_links.truncate(limit);
        let summary = summary(&result);
        let result = to_result(result, |result| {
            halve(&mut result.headings);
            halve(&mut result.documents);
            halve(&mut result.broken_links);
            halve(&mut result.undocumented_folders);
        })?;
        Ok(Report { summary, result, files })
    }
}

/// The names of the folders at the root: words of documents are looked up among them.
fn folders_of(ctx: &Context<'_>) -> BTreeSet<String> {
    let entries = ctx.root.read_dir().into_iter().flatten().flatten();
    entries
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
        .filter_map(|entry| entry.file_name().into_string().ok())
        .collect()
}

fn summary(result: &DocsResult) -> String {
    if result.total == 0 {
        return "no documents".to_owned();
    }
    format!(
        "{} with {}; {}, {} without documentation",
        counted(result.total, "document", "documents"),
        counted(result.headings_total, "heading", "headings"),
        counted(result.broken_links_total, "broken link", "broken links"),
        counted(result.undocumented_folders.len() as u64, "folder", "folders")
    )
}

/// A text for people, in one line of bearable length.
fn shown(text: &str) -> String {
    const MOST: usize = 200;
    text.trim().chars().take(MOST).map(|c| if c.is_control() { ' ' } else { c }).collect()
}
