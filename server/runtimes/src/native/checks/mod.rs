//! `checks.detect` and `checks.run`: the project's own tests, linters and formatters.

mod detect;
mod makefile;
mod package_json;
mod projects;
mod run;

pub(crate) use detect::DetectChecks;
pub use detect::{CheckKind, ChecksResult, DetectedCheck, MissingProgram, Proposal};
pub use run::{
    ChecksRunResult, RUN_INFO, RanCheck, RanFinding, commands_to_run, none_ran, run_report,
    run_schema,
};
