//! Native actions: what Orchestra does itself, with no model and no process, bounded and repeatable.

mod arguments;
mod changes;
mod checks;
mod comments;
mod contract;
mod deps;
mod docs;
mod files;
mod finding;
mod history;
mod hotspots;
mod languages;
mod listing;
mod metrics;
mod outline;
mod places;
mod ranked;
mod registry;
mod report;
mod search;
mod secrets;
mod set_value;
mod todo;

pub use arguments::check_arguments;
pub use changes::{
    ChangedFile, DiffResult, HunkAt, ReviewResult, ReviewedFile, Side, TouchedSymbol,
};
pub use checks::{
    CheckKind, ChecksResult, ChecksRunResult, DetectedCheck, MissingProgram, Proposal, RUN_INFO,
    RanCheck, RanFinding, commands_to_run, none_ran, run_report, run_schema,
};
pub use contract::{
    Argument, ArgumentKind, Context, DefaultValue, Info, Native, OutputFile, Progress, Report, Stop,
};
pub use deps::{Dependency, DependencyKind, DepsResult, Manifest, SeveralVersions, VersionAt};
pub use docs::{DocsResult, Document, Heading};
pub use files::{Coverage, LeftOut, Skipped};
pub use finding::{Finding, Severity};
pub use history::{AuthorSummary, CommitSummary, HistoryResult};
pub use hotspots::{Hotspot, HotspotsResult};
pub use languages::LanguageKind;
pub use listing::Count;
pub use metrics::{FileSize, FolderLines, LanguageLines, MetricsResult};
pub use outline::{LanguageSymbols, OutlineResult, Symbol, SymbolKind};
pub use registry::{Spawning, all, find, spawning};
pub use report::ReportResult;
pub use search::SearchResult;
pub use secrets::{SecretsResult, certain_secret};
pub use todo::TodoResult;
