//! `workspace.outline`: what is defined where, read from syntax trees.

mod comments;
mod grammar;
mod parse;
mod symbols;
mod visibility;

use super::{
    arguments::{Arguments, GLOB, LIMIT, PATH},
    contract::{Argument, ArgumentKind, Context, DefaultValue, Info, Native, Report, Stop},
    files::{self, Coverage, MAX_FILE_BYTES, Skipped, TextFile},
    listing::{
        Count, Counts, GROUPS, LISTED_ITEMS, counted, grouped, halve, listing_file, to_result,
    },
    ranked::Ranked,
};
pub(crate) use parse::{NoOutline, Outliner};
use schemars::{JsonSchema, Schema, schema_for};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, time::Duration};
pub use symbols::{Symbol, SymbolKind};

pub(crate) struct Outline;

/// How deep symbols may lie in one another.
const DEPTH: Argument = Argument {
    name: "depth",
    kind: ArgumentKind::Count { min: 0, max: 100 },
    default: DefaultValue::Count(5),
    description: "How many modules, types and the like a listed symbol may lie in.",
};

/// How long one file may take.
pub(crate) const PARSE_TIME: Argument = Argument {
    name: "parse_time",
    kind: ArgumentKind::Count { min: 1, max: 600_000 },
    default: DefaultValue::Count(2_000),
    description: "How long parsing one file may take, in milliseconds; then it is left out.",
};

/// How large a file may be.
pub(crate) const PARSE_BYTES: Argument = Argument {
    name: "parse_bytes",
    kind: ArgumentKind::Count { min: 1, max: MAX_FILE_BYTES },
    default: DefaultValue::Count(1024 * 1024),
    description: "How large a file may be to be parsed, in bytes; larger ones are left out.",
};

const INFO: Info = Info {
    name: "workspace.outline",
    description: "Lists what is defined where in Rust, TypeScript, JavaScript, Python, Go, Java, C \
                  and C++.",
    capabilities: &["workspace.outline", "outline"],
    inline: false,
    arguments: &[PATH, GLOB, LIMIT, DEPTH, PARSE_TIME, PARSE_BYTES],
};

/// What `workspace.outline` found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OutlineResult {
    /// Public ones first, then those that lie in fewer others, then by place. What is defined inside
    /// of functions is not listed.
    pub symbols: Vec<Symbol>,
    /// How many there are, listed or not.
    pub total: u64,
    /// How many files were outlined.
    pub files: u64,
    /// The language with most symbols first.
    pub languages: Vec<LanguageSymbols>,
    /// The most frequent kind first.
    pub by_kind: Vec<Count>,
    /// Outlined files of which a part did not parse.
    pub with_errors: u64,
    /// Files larger than `parse_bytes`.
    pub too_large: Skipped,
    /// Files that took longer than `parse_time`.
    pub out_of_time: Skipped,
    pub coverage: Coverage,
}

/// The symbols of one language.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct LanguageSymbols {
    pub name: String,
    pub files: u64,
    pub symbols: u64,
    /// Symbols that other files or packages can use.
    pub public: u64,
    /// Public symbols with documentation.
    pub documented: u64,
}

/// A symbol in the order of importance.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Rank {
    is_private: bool,
    depth: usize,
    symbol: Symbol,
}

struct State<'a> {
    outliner: Outliner<'a>,
    found: Ranked<Rank>,
    languages: BTreeMap<&'static str, LanguageSymbols>,
    by_kind: Counts,
    files: u64,
    with_errors: u64,
    too_large: Ranked<String>,
    out_of_time: Ranked<String>,
    defect: Option<String>,
}

impl<'a> State<'a> {
    fn new(outliner: Outliner<'a>) -> Self {
        Self {
            outliner,
            found: Ranked::new(LISTED_ITEMS),
            languages: BTreeMap::new(),
            by_kind: Counts::default(),
            files: 0,
            with_errors: 0,
            too_large: Skipped::collector(),
            out_of_time: Skipped::collector(),
            defect: None,
        }
    }

    fn add(&mut self, file: &TextFile<'_>, most_bytes: usize) {
        if file.text.len() > most_bytes && Outliner::knows(file.path, file.text) {
            return self.too_large.push(file.path.to_owned());
        }
        let outlined = match self.outliner.read(file.path, file.text) {
            Ok(outlined) => outlined,
            Err(NoOutline::Language) => return,
            Err(NoOutline::Stopped) => return self.out_of_time.push(file.path.to_owned()),
            Err(NoOutline::Defect(defect)) => {
                self.defect = Some(defect);
                return;
            }
        };
        self.files += 1;
        self.with_errors += u64::from(outlined.has_errors);
        let language = self.languages.entry(outlined.language).or_default();
        language.files += 1;
        for (depth, symbol) in outlined.symbols {
            language.symbols += 1;
            language.public += u64::from(symbol.public);
            language.documented += u64::from(symbol.public && !symbol.doc.is_empty());
            self.by_kind.add(symbol.kind.as_str());
            self.found.push(Rank { is_private: !symbol.public, depth, symbol });
        }
    }

    fn merge(mut self, other: Self) -> Self {
        self.found.merge(other.found);
        for (name, more) in other.languages {
            let language = self.languages.entry(name).or_default();
            language.files += more.files;
            language.symbols += more.symbols;
            language.public += more.public;
            language.documented += more.documented;
        }
        self.by_kind.merge(other.by_kind);
        self.files += other.files;
        self.with_errors += other.with_errors;
        self.too_large.merge(other.too_large);
        self.out_of_time.merge(other.out_of_time);
        self.defect = self.defect.or(other.defect);
        self
    }

    fn finish(self, coverage: Coverage) -> OutlineResult {
        let named = |(name, language): (&str, LanguageSymbols)| LanguageSymbols {
            name: name.to_owned(),
            ..language
        };
        let mut languages: Vec<_> = self.languages.into_iter().map(named).collect();
        languages.sort_by(|a, b| b.symbols.cmp(&a.symbols).then_with(|| a.name.cmp(&b.name)));
        OutlineResult {
            total: self.found.total(),
            symbols: self.found.into_sorted().into_iter().map(|rank| rank.symbol).collect(),
            files: self.files,
            languages,
            by_kind: self.by_kind.top(GROUPS),
            with_errors: self.with_errors,
            too_large: self.too_large.into(),
            out_of_time: self.out_of_time.into(),
            coverage,
        }
    }
}

impl Native for Outline {
    fn info(&self) -> Info {
        INFO
    }

    fn result_schema(&self) -> Schema {
        schema_for!(OutlineResult)
    }

    fn run(&self, ctx: &Context<'_>) -> Result<Report, Stop> {
        let arguments = Arguments::read(INFO, ctx.with)?;
        let depth = arguments.count(DEPTH.name);
        let start = || State::new(outliner(ctx, &arguments, depth));
        let most_bytes = arguments.count(PARSE_BYTES.name);
        let options = arguments.files(Some(may_be_outlined));
        let (states, coverage) =
            files::scan(ctx, &options, start, |state, file| state.add(file, most_bytes))?;
        let mut state = states.into_iter().fold(start(), State::merge);
        if let Some(defect) = state.defect.take() {
            return Err(Stop::defect(defect));
        }
        let mut result = state.finish(coverage);
        let files = vec![listing_file(ctx, "documentation/outline.json", &result)?];
        result.symbols.truncate(arguments.count(LIMIT.name));
        let summary = summary(&result);
        let result = to_result(result, |result| halve(&mut result.symbols))?;
        Ok(Report { summary, result, files })
    }
}

/// An outliner within the limits of the arguments.
pub(crate) fn outliner<'a>(
    ctx: &Context<'a>,
    arguments: &Arguments<'_>,
    depth: usize,
) -> Outliner<'a> {
    let time = Duration::from_millis(arguments.count(PARSE_TIME.name) as u64);
    Outliner::new(ctx.cancelled, time, depth)
}

/// Whether a file may be of a language that can be outlined: what has no ending tells by its `#!` line.
fn may_be_outlined(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    !name.contains('.') || Outliner::knows(path, "")
}

fn summary(result: &OutlineResult) -> String {
    if result.total == 0 {
        return "no symbols in languages that can be outlined".to_owned();
    }
    let sum = |count: fn(&LanguageSymbols) -> u64| result.languages.iter().map(count).sum::<u64>();
    format!(
        "{} in {}; {} public, {} of them documented",
        counted(result.total, "symbol", "symbols"),
        counted(result.files, "file", "files"),
        grouped(sum(|language| language.public)),
        grouped(sum(|language| language.documented)),
    )
}
