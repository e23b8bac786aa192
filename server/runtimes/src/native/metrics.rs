//! `workspace.metrics`: how large the workspace is, in which languages, and where its bulk lies.

use super::{
    arguments::{Arguments, GLOB, PATH},
    comments::{self, Lines},
    contract::{Argument, ArgumentKind, Context, DefaultValue, Info, Native, Report, Stop},
    files::{self, Coverage, TextFile},
    languages::{self, LanguageKind},
    listing::{counted, folder, grouped, halve, listing_file, to_result},
    ranked::Ranked,
};
use schemars::{JsonSchema, Schema, schema_for};
use serde::{Deserialize, Serialize};
use std::{cmp::Reverse, collections::BTreeMap};

pub(crate) struct Metrics;

const INFO: Info = Info {
    name: "workspace.metrics",
    description: "Counts files and lines by language, and names the largest files.",
    capabilities: &["workspace.metrics", "metrics"],
    inline: false,
    arguments: &[
        PATH,
        GLOB,
        Argument {
            name: "largest",
            kind: ArgumentKind::Count { min: 0, max: 1_000 },
            default: DefaultValue::Count(50),
            description: "How many of the largest files are named.",
        },
    ],
};

/// How many folders the result holds, the largest first.
const FOLDERS: usize = 200;

/// What `workspace.metrics` counted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MetricsResult {
    /// All text files together.
    pub files: u64,
    /// Lines of programming languages and markup.
    pub code: u64,
    /// Lines of data and of text of an unknown kind.
    pub data: u64,
    pub comment: u64,
    pub blank: u64,
    /// The one with most lines of code first.
    pub languages: Vec<LanguageLines>,
    /// By the first two levels of folders; the one with most lines of code first.
    pub folders: Vec<FolderLines>,
    /// The files with most lines of code first; data and prose are left out.
    pub largest: Vec<FileSize>,
    pub coverage: Coverage,
}

/// The lines of one language.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LanguageLines {
    pub name: String,
    pub kind: LanguageKind,
    pub files: u64,
    pub code: u64,
    /// Nothing but comment; the lines of prose count here.
    pub comment: u64,
    pub blank: u64,
}

/// The lines of one folder, with all below its second level.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FolderLines {
    pub path: String,
    pub files: u64,
    /// Of programming languages and markup.
    pub code: u64,
}

/// One large file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FileSize {
    pub path: String,
    pub language: String,
    pub code: u64,
    pub comment: u64,
    pub blank: u64,
    pub bytes: u64,
}

/// Sorts by code, the most first, then by path.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Large {
    code: Reverse<u64>,
    path: String,
    language: &'static str,
    comment: u64,
    blank: u64,
    bytes: u64,
}

struct State {
    languages: BTreeMap<&'static str, LanguageLines>,
    folders: BTreeMap<String, (u64, u64)>,
    largest: Ranked<Large>,
}

impl State {
    fn new(largest: usize) -> Self {
        Self { languages: BTreeMap::new(), folders: BTreeMap::new(), largest: Ranked::new(largest) }
    }

    fn add(&mut self, file: &TextFile<'_>) {
        let language = languages::of(file.path, file.text);
        let lines = comments::scan(file.text, language, |_| {});
        let entry = self.languages.entry(language.name).or_insert_with(|| LanguageLines {
            name: language.name.to_owned(),
            kind: language.kind,
            files: 0,
            code: 0,
            comment: 0,
            blank: 0,
        });
        let Lines { code, comment, blank } = lines;
        entry.files += 1;
        entry.code += code;
        entry.comment += comment;
        entry.blank += blank;

        let folder = self.folders.entry(folder(file.path).to_owned()).or_default();
        folder.0 += 1;
        if is_code(language.kind) {
            folder.1 += code;
            self.largest.push(Large {
                code: Reverse(code),
                path: file.path.to_owned(),
                language: language.name,
                comment,
                blank,
                bytes: file.text.len() as u64,
            });
        }
    }

    fn merge(mut self, other: Self) -> Self {
        for (name, lines) in other.languages {
            match self.languages.get_mut(name) {
                Some(entry) => {
                    entry.files += lines.files;
                    entry.code += lines.code;
                    entry.comment += lines.comment;
                    entry.blank += lines.blank;
                }
                None => {
                    self.languages.insert(name, lines);
                }
            }
        }
        for (path, (files, code)) in other.folders {
            let entry = self.folders.entry(path).or_default();
            entry.0 += files;
            entry.1 += code;
        }
        self.largest.merge(other.largest);
        self
    }

    fn finish(self, coverage: Coverage) -> MetricsResult {
        let mut languages: Vec<LanguageLines> = self.languages.into_values().collect();
        languages.sort_by(|a, b| b.code.cmp(&a.code).then_with(|| a.name.cmp(&b.name)));
        let mut folders: Vec<FolderLines> = self
            .folders
            .into_iter()
            .map(|(path, (files, code))| FolderLines { path, files, code })
            .collect();
        folders.sort_by(|a, b| b.code.cmp(&a.code).then_with(|| a.path.cmp(&b.path)));
        folders.truncate(FOLDERS);
        let sum = |count: fn(&LanguageLines) -> u64| languages.iter().map(count).sum();
        let (code, data): (Vec<_>, Vec<_>) =
            languages.iter().partition(|language| is_code(language.kind));
        let lines = |part: Vec<&LanguageLines>| part.iter().map(|language| language.code).sum();
        MetricsResult {
            files: sum(|language| language.files),
            code: lines(code),
            data: lines(data),
            comment: sum(|language| language.comment),
            blank: sum(|language| language.blank),
            largest: self.largest.into_sorted().into_iter().map(FileSize::from).collect(),
            languages,
            folders,
            coverage,
        }
    }
}

fn is_code(kind: LanguageKind) -> bool {
    matches!(kind, LanguageKind::Programming | LanguageKind::Markup)
}

impl From<Large> for FileSize {
    fn from(file: Large) -> Self {
        Self {
            path: file.path,
            language: file.language.to_owned(),
            code: file.code.0,
            comment: file.comment,
            blank: file.blank,
            bytes: file.bytes,
        }
    }
}

impl Native for Metrics {
    fn info(&self) -> Info {
        INFO
    }

    fn result_schema(&self) -> Schema {
        schema_for!(MetricsResult)
    }

    fn run(&self, ctx: &Context<'_>) -> Result<Report, Stop> {
        let arguments = Arguments::read(INFO, ctx.with)?;
        let options = arguments.files(None);
        let largest = arguments.count("largest");
        let (states, coverage) = files::scan(ctx, &options, || State::new(largest), State::add)?;
        let result = states.into_iter().fold(State::new(largest), State::merge).finish(coverage);
        let main: Vec<&str> = result
            .languages
            .iter()
            .filter(|language| language.kind == LanguageKind::Programming)
            .take(3)
            .map(|language| language.name.as_str())
            .collect();
        let mut summary = format!(
            "{} with {} of code",
            counted(result.files, "file", "files"),
            counted(result.code, "line", "lines")
        );
        if !main.is_empty() {
            summary = format!("{summary}, mostly {}", main.join(", "));
        }
        if result.comment > 0 {
            summary = format!("{summary}; {} of comment", grouped(result.comment));
        }
        let files = vec![listing_file(ctx, "documentation/metrics.json", &result)?];
        let result = to_result(result, |result| {
            halve(&mut result.folders);
            halve(&mut result.largest);
        })?;
        Ok(Report { summary, result, files })
    }
}
