//! The scripts of a `package.json` that check something.

use super::{
    detect::{CheckKind, Found},
    projects::command,
};
use jsonc_parser::{ParseOptions, ast::Value, common::Ranged as _, parse_to_ast};

/// Scripts by their usual names; further words behind a colon or a dash are variants.
const SCRIPTS: [(&str, CheckKind); 11] = [
    ("test", CheckKind::Test),
    ("typecheck", CheckKind::Types),
    ("type-check", CheckKind::Types),
    ("check-types", CheckKind::Types),
    ("tsc", CheckKind::Types),
    ("lint", CheckKind::Lint),
    ("eslint", CheckKind::Lint),
    ("build", CheckKind::Build),
    ("format:check", CheckKind::Format),
    ("check-format", CheckKind::Format),
    ("prettier:check", CheckKind::Format),
];

/// Who runs the scripts, and where.
pub(super) struct Manager {
    pub(super) program: &'static str,
    /// Relative to the root; empty: the root itself.
    pub(super) folder: String,
    pub(super) has_lock: bool,
    /// Whether yarn is of version 2 or later.
    pub(super) is_berry: bool,
}

impl Manager {
    fn words<'a>(&'a self, rest: &[&'a str]) -> Vec<String> {
        let flag = match self.program {
            "pnpm" => "--dir",
            "npm" => "--prefix",
            _ => "--cwd",
        };
        let place = if self.folder.is_empty() { vec![] } else { vec![flag, &self.folder] };
        command(&[&[self.program], place.as_slice(), rest].concat())
    }

    /// What installs exactly what the lock file names.
    pub(super) fn install(&self) -> Option<Vec<String>> {
        let words: &[&str] = match self.program {
            "npm" if self.has_lock => &["ci"],
            "npm" => return None,
            "yarn" if self.is_berry => &["install", "--immutable"],
            _ => &["install", "--frozen-lockfile"],
        };
        Some(self.words(words))
    }
}

/// A file that cannot be read has no scripts.
pub(super) fn read(text: &str, manager: &Manager) -> Vec<Found> {
    let Ok(parsed) = parse_to_ast(text, &Default::default(), &ParseOptions::default()) else {
        return Vec::new();
    };
    let Some(Value::Object(root)) = &parsed.value else { return Vec::new() };
    let scripts = root.properties.iter().find(|property| property.name.as_str() == "scripts");
    let Some(scripts) = scripts.and_then(|scripts| scripts.value.as_object()) else {
        return Vec::new();
    };
    scripts
        .properties
        .iter()
        .filter_map(|property| {
            let name = property.name.as_str();
            let (_, kind) = SCRIPTS.iter().find(|(known, _)| *known == name)?;
            let script = property.value.as_string_lit()?.value.as_ref();
            // What `npm init` writes.
            let is_empty = script.trim().is_empty() || script.contains("no test specified");
            (!is_empty).then(|| Found {
                kind: *kind,
                ecosystem: manager.program,
                command: manager.words(&["run", name]),
                why: format!("the script `{name}`"),
                at: property.range().start,
            })
        })
        .collect()
}
