//! Workflows: the files of the workspace and of the user, and the built-in ones.

use super::places;
use orchestra_core::{agent::Origin, diagnostic::Diagnostic, ids::is_plain_word, workflow};
use std::path::Path;

/// One workflow file, unchecked: that is the planner's work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkflowSource {
    /// The name of its file without the ending.
    pub name: String,
    pub origin: Origin,
    /// As the user would type it.
    pub file: String,
    pub text: String,
}

impl WorkflowSource {
    /// What its `name` says, as far as that can be seen without parsing a file that may be broken.
    pub fn declared_name(&self) -> Option<&str> {
        self.text
            .lines()
            .find_map(|line| line.strip_prefix("name:"))
            .map(|name| name.trim().trim_matches(['"', '\'']))
    }
}

const BUILT_IN: [(&str, &str); 5] = [
    ("audit", include_str!("builtin/audit.yaml")),
    ("code-review", include_str!("builtin/code-review.yaml")),
    ("develop", include_str!("builtin/develop.yaml")),
    ("document", include_str!("builtin/document.yaml")),
    ("fix", include_str!("builtin/fix.yaml")),
];
const ENDINGS: [&str; 2] = [".yaml", ".yml"];

/// Each name once, sorted: the workspace's shadow the user's, and these the built-in ones.
pub(super) fn load(
    root: &Path,
    config_dir: &Path,
    diagnostics: &mut Vec<Diagnostic>,
) -> Vec<WorkflowSource> {
    let mut workflows: Vec<WorkflowSource> = Vec::new();
    for place in places::of_workflows(root, config_dir) {
        let (origin, folder) = (place.origin, place.folder(root));
        for file in folder.read(&ENDINGS, workflow::MAX_FILE_BYTES, diagnostics) {
            let stem = file.path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            let source = WorkflowSource { name: stem, origin, file: file.shown, text: file.text };
            add(source, &mut workflows, diagnostics);
        }
    }
    for (name, text) in BUILT_IN {
        let shadowing = workflows.iter().find(|workflow| workflow.name == name);
        if let Some(workflow) = shadowing {
            let message = format!("this takes the place of the built-in workflow `{name}`");
            let hint = "rename the file if that is not what you want";
            diagnostics.push(Diagnostic::warning(&workflow.file, message, hint));
            continue;
        }
        workflows.push(WorkflowSource {
            name: name.to_owned(),
            origin: Origin::BuiltIn,
            file: format!("built-in {name}"),
            text: text.to_owned(),
        });
    }
    workflows.sort_by(|a, b| a.name.cmp(&b.name));
    workflows
}

fn add(
    source: WorkflowSource,
    workflows: &mut Vec<WorkflowSource>,
    diagnostics: &mut Vec<Diagnostic>,
) {
    if !is_plain_word(&source.name) {
        let message = format!("`{}` cannot be the name of a workflow", source.name);
        let hint = "rename the file: a letter, then letters, digits, `_` or `-`";
        diagnostics.push(Diagnostic::warning(&source.file, message, hint));
        return;
    }
    match workflows.iter().find(|known| known.name == source.name) {
        None => workflows.push(source),
        // A user's workflow that the workspace has its own version of is as it should be.
        Some(known) if known.origin != source.origin => {}
        Some(known) => {
            let message =
                format!("workflow `{}` is defined in {} already", source.name, known.file);
            let hint = "remove one of the two; this one is not used";
            diagnostics.push(Diagnostic::warning(&source.file, message, hint));
        }
    }
}
