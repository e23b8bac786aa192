//! `git.diff`: what differs between two revisions, or between one and the files as they are.

use super::{
    super::{
        arguments::{Arguments, LIMIT},
        contract::{
            Argument, ArgumentKind, Context, DefaultValue, Info, Native, OutputFile, Report, Stop,
        },
        listing::{Count, Counts, GROUPS, counted, folder, grouped, halve, to_result},
    },
    comparison::{FILE_BYTES, FILES, FROM, Side, TO, compare, sides},
    patch,
};
use orchestra_core::{
    change::FileStatus,
    ports::{DiffContent, FileDiff},
};
use schemars::{JsonSchema, Schema, schema_for};
use serde::{Deserialize, Serialize};

pub(crate) struct Compare;

const CONTEXT: Argument = Argument {
    name: "context",
    kind: ArgumentKind::Count { min: 0, max: 100 },
    default: DefaultValue::Count(3),
    description: "How many lines around each change the patch shows.",
};

const PATCH_BYTES: Argument = Argument {
    name: "patch_bytes",
    kind: ArgumentKind::Count { min: 1, max: 256 * 1024 * 1024 },
    default: DefaultValue::Count(8 * 1024 * 1024),
    description: "How large the patch may become, in bytes; the files that do not fit are left out \
                  of it.",
};

const INFO: Info = Info {
    name: "git.diff",
    description: "Compares two revisions, or one with the files as they are, and writes a patch.",
    capabilities: &["git.diff", "changes"],
    inline: false,
    arguments: &[FROM, TO, CONTEXT, FILES, FILE_BYTES, PATCH_BYTES, LIMIT],
};

/// How many hunks of a file the result names.
const HUNKS: usize = 100;

/// What `git.diff` found. The lines themselves are in the patch, which may hold secrets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DiffResult {
    /// What was compared with.
    pub from: Side,
    /// What was compared.
    pub to: Side,
    /// By path. A renamed file is one that is gone and one that is new.
    pub files: Vec<ChangedFile>,
    /// How many files differ, listed or not.
    pub total: u64,
    /// Lines added in all files that were compared.
    pub added: u64,
    /// Lines removed in all files that were compared.
    pub removed: u64,
    /// Files by the first two levels of folders; the twenty with most.
    pub by_folder: Vec<Count>,
    /// Why not everything was compared; empty when all was.
    pub bounded: String,
    /// How many of the compared files did not fit into the patch.
    pub not_in_patch: u64,
}

/// One file that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ChangedFile {
    pub path: String,
    /// `added`, `modified`, `deleted`, `type-changed` or `mode-changed`.
    #[schemars(with = "String")]
    pub status: FileStatus,
    /// `text`, or why its lines were not compared: `binary`, `too-large`, `submodule`, `unreadable`,
    /// `missing` (in a partial clone).
    pub content: String,
    /// Lines.
    pub added: u64,
    /// Lines.
    pub removed: u64,
    /// The first hundred places at which it differs.
    pub hunks: Vec<HunkAt>,
}

/// Where lines changed, with the lines of context around them. Lines count from one; a side without
/// lines begins at the line before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HunkAt {
    pub old_start: u32,
    pub old_lines: u32,
    pub new_start: u32,
    pub new_lines: u32,
}

impl From<&FileDiff> for ChangedFile {
    fn from(file: &FileDiff) -> Self {
        let (content, hunks): (_, &[_]) = match &file.content {
            DiffContent::Text { hunks, .. } => ("text", hunks),
            DiffContent::Binary => ("binary", &[]),
            DiffContent::TooLarge => ("too-large", &[]),
            DiffContent::Submodule => ("submodule", &[]),
            DiffContent::Unreadable => ("unreadable", &[]),
            DiffContent::Missing => ("missing", &[]),
        };
        let (added, removed) = file.lines();
        let hunks = hunks.iter().take(HUNKS).map(|hunk| HunkAt {
            old_start: hunk.old_start,
            old_lines: hunk.old_lines,
            new_start: hunk.new_start,
            new_lines: hunk.new_lines,
        });
        Self {
            path: file.path.clone(),
            status: file.status(),
            content: content.to_owned(),
            added,
            removed,
            hunks: hunks.collect(),
        }
    }
}

impl Native for Compare {
    fn info(&self) -> Info {
        INFO
    }

    fn result_schema(&self) -> Schema {
        schema_for!(DiffResult)
    }

    fn run(&self, ctx: &Context<'_>) -> Result<Report, Stop> {
        let arguments = Arguments::read(INFO, ctx.with)?;
        let context = u32::try_from(arguments.count(CONTEXT.name)).unwrap_or(u32::MAX);
        let most_bytes = arguments.count(PATCH_BYTES.name);
        let (mut files, mut patch, mut by_folder) = (Vec::new(), Vec::new(), Counts::default());
        let mut not_in_patch = 0;
        let compared = compare(ctx, &arguments, context, &mut |file| {
            let before = patch.len();
            patch::write(&file, &mut patch);
            if patch.len() > most_bytes {
                patch.truncate(before);
                not_in_patch += 1;
            }
            by_folder.add(folder(&file.path));
            files.push(ChangedFile::from(&file));
        })?;
        let mut result = DiffResult {
            from: compared.from,
            to: compared.to,
            total: compared.total,
            added: files.iter().map(|file| file.added).sum(),
            removed: files.iter().map(|file| file.removed).sum(),
            files,
            by_folder: by_folder.top(GROUPS),
            bounded: compared.bounded,
            not_in_patch,
        };
        let path = ctx.output.unwrap_or("implementation/changes.diff").to_owned();
        let files = vec![OutputFile { path, content: patch }];
        result.files.truncate(arguments.count(LIMIT.name));
        let summary = summary(&result);
        let result = to_result(result, |result| halve(&mut result.files))?;
        Ok(Report { summary, result, files })
    }
}

fn summary(result: &DiffResult) -> String {
    if result.total == 0 {
        let why = &result.bounded;
        return if why.is_empty() {
            format!("nothing differs from {}", sides(&result.from, &result.to))
        } else {
            format!("nothing to compare: {why}")
        };
    }
    let bounded =
        if result.bounded.is_empty() { String::new() } else { format!(" ({})", result.bounded) };
    format!(
        "{}, {} added and {} removed, from {}{bounded}",
        counted(result.total, "file", "files"),
        counted(result.added, "line", "lines"),
        grouped(result.removed),
        sides(&result.from, &result.to)
    )
}
