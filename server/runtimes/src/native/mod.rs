//! Native actions: what Orchestra does itself, with no model and no process, bounded and repeatable.

mod arguments;
mod comments;
mod contract;
mod deps;
mod files;
mod finding;
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
pub use contract::{
    Argument, ArgumentKind, Context, DefaultValue, Info, Native, OutputFile, Progress, Report, Stop,
};
pub use deps::{Dependency, DependencyKind, DepsResult, Manifest, SeveralVersions, VersionAt};
pub use files::{Coverage, LeftOut, Skipped};
pub use finding::{Finding, Severity};
pub use hotspots::{Hotspot, HotspotsResult};
pub use languages::LanguageKind;
pub use listing::Count;
pub use metrics::{FileSize, FolderLines, LanguageLines, MetricsResult};
pub use outline::{LanguageSymbols, OutlineResult, Symbol, SymbolKind};
pub use registry::{all, find};
pub use report::ReportResult;
pub use search::SearchResult;
pub use secrets::{SecretsResult, certain_secret};
pub use todo::TodoResult;
