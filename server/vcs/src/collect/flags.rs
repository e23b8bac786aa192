//! Which changes a person should look at: what may run, or steer what runs, outside of the tree.

use super::{
    blobs,
    difference::{Difference, Side},
    names::leads_out,
};
use crate::{GitError, git::Git};
use orchestra_core::change::{Flag, FlagKind};
use std::collections::HashMap;

/// Larger manifests and links are taken for changed in what matters.
const READ_BYTES: u64 = 4 * 1024 * 1024;

/// Folders at any depth; everything below them counts.
const FOLDERS: [(&str, FlagKind); 21] = [
    (".orchestra", FlagKind::Orchestra),
    (".github/workflows", FlagKind::Ci),
    (".github/actions", FlagKind::Ci),
    (".gitlab/ci", FlagKind::Ci),
    (".circleci", FlagKind::Ci),
    (".buildkite", FlagKind::Ci),
    (".woodpecker", FlagKind::Ci),
    (".forgejo/workflows", FlagKind::Ci),
    (".gitea/workflows", FlagKind::Ci),
    (".githooks", FlagKind::Hook),
    (".husky", FlagKind::Hook),
    (".cargo", FlagKind::PackageScript),
    (".mvn", FlagKind::PackageScript),
    ("gradle/wrapper", FlagKind::PackageScript),
    (".devcontainer", FlagKind::EditorTask),
    (".claude", FlagKind::AgentInstructions),
    (".cursor", FlagKind::AgentInstructions),
    (".codex", FlagKind::AgentInstructions),
    (".gemini", FlagKind::AgentInstructions),
    (".opencode", FlagKind::AgentInstructions),
    (".github/agents", FlagKind::AgentInstructions),
];

/// Files in any folder, in lowercase; a name with a folder is matched with it.
const FILES: [(&str, FlagKind); 46] = [
    (".mcp.json", FlagKind::Mcp),
    (".vscode/mcp.json", FlagKind::Mcp),
    (".cursor/mcp.json", FlagKind::Mcp),
    (".gitlab-ci.yml", FlagKind::Ci),
    (".travis.yml", FlagKind::Ci),
    (".drone.yml", FlagKind::Ci),
    (".woodpecker.yml", FlagKind::Ci),
    (".appveyor.yml", FlagKind::Ci),
    ("appveyor.yml", FlagKind::Ci),
    ("azure-pipelines.yml", FlagKind::Ci),
    ("azure-pipelines.yaml", FlagKind::Ci),
    ("bitbucket-pipelines.yml", FlagKind::Ci),
    ("cloudbuild.yaml", FlagKind::Ci),
    ("jenkinsfile", FlagKind::Ci),
    (".pre-commit-config.yaml", FlagKind::Hook),
    (".pre-commit-hooks.yaml", FlagKind::Hook),
    ("lefthook.yml", FlagKind::Hook),
    ("lefthook.yaml", FlagKind::Hook),
    ("lefthook.toml", FlagKind::Hook),
    (".lefthook.yml", FlagKind::Hook),
    (".overcommit.yml", FlagKind::Hook),
    ("build.rs", FlagKind::PackageScript),
    ("setup.py", FlagKind::PackageScript),
    ("conftest.py", FlagKind::PackageScript),
    ("sitecustomize.py", FlagKind::PackageScript),
    ("binding.gyp", FlagKind::PackageScript),
    (".npmrc", FlagKind::PackageScript),
    (".yarnrc.yml", FlagKind::PackageScript),
    (".pnpmfile.cjs", FlagKind::PackageScript),
    ("gradlew", FlagKind::PackageScript),
    ("mvnw", FlagKind::PackageScript),
    (".envrc", FlagKind::PackageScript),
    (".vscode/tasks.json", FlagKind::EditorTask),
    (".vscode/launch.json", FlagKind::EditorTask),
    (".vscode/settings.json", FlagKind::EditorTask),
    (".nvim.lua", FlagKind::EditorTask),
    (".exrc", FlagKind::EditorTask),
    ("agents.md", FlagKind::AgentInstructions),
    ("claude.md", FlagKind::AgentInstructions),
    ("gemini.md", FlagKind::AgentInstructions),
    (".cursorrules", FlagKind::AgentInstructions),
    (".windsurfrules", FlagKind::AgentInstructions),
    (".aider.conf.yml", FlagKind::AgentInstructions),
    (".github/copilot-instructions.md", FlagKind::AgentInstructions),
    (".gitattributes", FlagKind::GitSettings),
    (".gitmodules", FlagKind::GitSettings),
];

/// The flags of all differences, in their order. `cat_file` is a call of it.
pub(crate) fn find(cat_file: Git, differences: &[Difference]) -> Result<Vec<Flag>, GitError> {
    let texts = texts(cat_file, differences)?;
    let text = |side: Option<&Side>| side.and_then(|side| texts.get(side.id.as_str()));
    let mut flags = Vec::new();
    for difference in differences {
        let path = difference.shown_path();
        let (old, new) = (difference.old.as_ref(), difference.new.as_ref());
        let mut flag = |kind| flags.push(Flag { path: path.clone(), kind });
        if let Some(kind) = by_path(&path) {
            flag(kind);
        }
        if is_manifest(&path)
            && scripts(text(old), old.is_some()) != scripts(text(new), new.is_some())
        {
            flag(FlagKind::PackageScript);
        }
        if [old, new].into_iter().flatten().any(Side::is_submodule) {
            flag(FlagKind::Submodule);
        }
        if new.is_some_and(Side::is_executable) && !old.is_some_and(Side::is_executable) {
            flag(FlagKind::ExecutableBit);
        }
        if new.is_some_and(Side::is_link)
            && text(new).is_none_or(|target| leads_out(&path, &String::from_utf8_lossy(target)))
        {
            flag(FlagKind::SymlinkOutside);
        }
    }
    Ok(flags)
}

/// By the name alone. Without regard to case, as some file systems open files.
fn by_path(path: &str) -> Option<FlagKind> {
    let path = path.to_ascii_lowercase();
    let is_edge = |rest: &str| rest.is_empty() || rest.ends_with('/');
    let is_file = |name: &str| path.strip_suffix(name).is_some_and(is_edge);
    let is_below = |folder: &str| {
        let mut places = path.match_indices(folder);
        places.any(|(at, _)| is_edge(&path[..at]) && path[at + folder.len()..].starts_with('/'))
    };
    let file = FILES.iter().find(|(name, _)| is_file(name));
    let found = file.or_else(|| FOLDERS.iter().find(|(name, _)| is_below(name)));
    found.map(|(_, kind)| *kind)
}

fn is_manifest(path: &str) -> bool {
    path.rsplit('/').next() == Some("package.json")
}

/// What a package manager runs by itself, as far as a `package.json` says.
#[derive(PartialEq)]
enum Scripts {
    None,
    /// Nobody can say what is in it; two of these may differ.
    Unknown,
    Known(serde_json::Value),
}

fn scripts(text: Option<&Vec<u8>>, is_there: bool) -> Scripts {
    let Some(text) = text else {
        return if is_there { Scripts::Unknown } else { Scripts::None };
    };
    match serde_json::from_slice::<serde_json::Value>(text) {
        Ok(mut manifest) => match manifest.get_mut("scripts").map(serde_json::Value::take) {
            Some(scripts) => Scripts::Known(scripts),
            None => Scripts::None,
        },
        Err(_) => Scripts::Unknown,
    }
}

/// The contents of manifests and links, by id.
fn texts(cat_file: Git, differences: &[Difference]) -> Result<HashMap<String, Vec<u8>>, GitError> {
    let mut ids: Vec<&str> = Vec::new();
    for difference in differences {
        let (old, new) = (difference.old.as_ref(), difference.new.as_ref());
        if is_manifest(&difference.shown_path()) {
            ids.extend(
                [old, new]
                    .into_iter()
                    .flatten()
                    .filter(|side| !side.is_submodule())
                    .map(|side| side.id.as_str()),
            );
        } else {
            ids.extend(new.filter(|side| side.is_link()).map(|side| side.id.as_str()));
        }
    }
    let mut texts = HashMap::new();
    blobs::contents(cat_file, &ids, READ_BYTES, |number, content| {
        texts.insert(ids[number].to_owned(), content.to_owned());
    })?;
    Ok(texts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_says_what_would_run() {
        for (path, kind) in [
            (".orchestra/agents/a.md", Some(FlagKind::Orchestra)),
            ("web/.orchestra/config.toml", Some(FlagKind::Orchestra)),
            (".mcp.json", Some(FlagKind::Mcp)),
            (".MCP.json", Some(FlagKind::Mcp)),
            (".cursor/mcp.json", Some(FlagKind::Mcp)),
            (".cursor/rules/a.mdc", Some(FlagKind::AgentInstructions)),
            (".github/workflows/ci.yml", Some(FlagKind::Ci)),
            ("Jenkinsfile", Some(FlagKind::Ci)),
            (".husky/pre-commit", Some(FlagKind::Hook)),
            ("crates/a/build.rs", Some(FlagKind::PackageScript)),
            (".vscode/tasks.json", Some(FlagKind::EditorTask)),
            ("docs/AGENTS.md", Some(FlagKind::AgentInstructions)),
            ("a/.gitattributes", Some(FlagKind::GitSettings)),
            ("rebuild.rs", None),
            ("src/orchestra/x", None),
            (".github/ISSUE_TEMPLATE/a.md", None),
        ] {
            assert_eq!(by_path(path), kind, "{path}");
        }
    }
}
