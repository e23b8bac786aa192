//! What actions that compare have in common: their arguments, and the way to the repository.

use super::super::{
    arguments::Arguments,
    contract::{Argument, ArgumentKind, Context, DefaultValue, Progress, Stop},
    files::MAX_FILE_BYTES,
    listing::grouped,
};
use orchestra_core::ports::{DiffQuery, DiffSide, FileDiff};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::ops::ControlFlow;

pub(super) const FROM: Argument = Argument {
    name: "from",
    kind: ArgumentKind::Text,
    default: DefaultValue::Absent,
    description: "The revision to compare with; when it is not given, where the branch left its \
                  upstream, else HEAD when something is uncommitted, else the commit before.",
};

pub(super) const TO: Argument = Argument {
    name: "to",
    kind: ArgumentKind::Text,
    default: DefaultValue::Absent,
    description: "The revision that is compared; when it is not given, the files as they are, with \
                  what is uncommitted and what is new and not ignored.",
};

pub(super) const FILES: Argument = Argument {
    name: "files",
    kind: ArgumentKind::Count { min: 1, max: 100_000 },
    default: DefaultValue::Count(2_000),
    description: "How many changed files are compared; the others are counted.",
};

pub(super) const FILE_BYTES: Argument = Argument {
    name: "file_bytes",
    kind: ArgumentKind::Count { min: 1, max: MAX_FILE_BYTES },
    default: DefaultValue::Count(1024 * 1024),
    description: "How large a file may be for its lines to be compared, in bytes.",
};

/// One side of a comparison.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Side {
    /// For people: the revision, or what stands for it.
    pub name: String,
    /// Lowercase hex; absent for the files as they are, and for nothing at all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
}

impl From<DiffSide> for Side {
    fn from(side: DiffSide) -> Self {
        Self { name: side.name, commit: side.commit }
    }
}

/// What was compared, and what was not.
pub(super) struct Compared {
    pub(super) from: Side,
    pub(super) to: Side,
    pub(super) total: u64,
    /// Why not everything was compared; empty when all was.
    pub(super) bounded: String,
}

/// Shows `visit` every file that differs, with the arguments [`FROM`], [`TO`], [`FILES`] and
/// [`FILE_BYTES`]. Outside of git nothing differs, and what needs this step can still go on.
pub(super) fn compare(
    ctx: &Context<'_>,
    arguments: &Arguments<'_>,
    context: u32,
    visit: &mut dyn FnMut(FileDiff),
) -> Result<Compared, Stop> {
    let Some(repo) = ctx.repo else {
        return Ok(Compared {
            from: Side::default(),
            to: Side::default(),
            total: 0,
            bounded: "the workspace is not a git repository".to_owned(),
        });
    };
    let query = DiffQuery {
        from: arguments.filled(FROM.name),
        to: arguments.filled(TO.name),
        context,
        max_files: arguments.count(FILES.name),
        max_file_bytes: arguments.count(FILE_BYTES.name) as u64,
    };
    let mut done = 0;
    let diff = repo.diff(&query, &mut |file| {
        done += 1;
        (ctx.progress)(Progress { done, total: None, unit: "files" });
        visit(file);
        if ctx.is_cancelled() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    ctx.check_cancelled()?;
    let diff =
        diff.map_err(|error| Stop::environment(error.to_string(), "check it with `git diff`"))?;
    let bounded = if diff.files > done {
        format!("only {} of {} changed files were compared", grouped(done), grouped(diff.files))
    } else {
        String::new()
    };
    Ok(Compared { from: diff.from.into(), to: diff.to.into(), total: diff.files, bounded })
}

/// `HEAD to the files as they are`.
pub(super) fn sides(from: &Side, to: &Side) -> String {
    format!("{} to {}", from.name, to.name)
}
