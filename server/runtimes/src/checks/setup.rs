//! When a tree that was prepared once has to be prepared again.

use ignore::gitignore::{Gitignore, GitignoreBuilder};
use orchestra_core::plan::TreePlan;
use sha2::{Digest as _, Sha256};

/// What the setup commands of the usual package managers read.
const USUAL_INPUTS: [&str; 31] = [
    "Cargo.lock",
    "Cargo.toml",
    "rust-toolchain",
    "rust-toolchain.toml",
    "package.json",
    "package-lock.json",
    "npm-shrinkwrap.json",
    "pnpm-lock.yaml",
    "pnpm-workspace.yaml",
    "yarn.lock",
    ".yarnrc.yml",
    ".npmrc",
    "bun.lock",
    "bun.lockb",
    "pyproject.toml",
    "poetry.lock",
    "uv.lock",
    "Pipfile.lock",
    "pdm.lock",
    "requirements*.txt",
    "setup.py",
    "setup.cfg",
    "go.mod",
    "go.sum",
    "pom.xml",
    "build.gradle",
    "build.gradle.kts",
    "gradle.lockfile",
    "gradle-wrapper.properties",
    "Gemfile.lock",
    "composer.lock",
];

/// Which files of a tree the setup depends on.
#[derive(Debug, Clone)]
pub struct SetupInputs(Gitignore);

impl SetupInputs {
    /// Those that the plan names, else what is usual. A pattern without a slash is of any folder.
    pub fn of(plan: &TreePlan) -> Result<Self, ignore::Error> {
        let mut builder = GitignoreBuilder::new("");
        if plan.setup_inputs.is_empty() {
            for pattern in USUAL_INPUTS {
                builder.add_line(None, pattern)?;
            }
        }
        for pattern in &plan.setup_inputs {
            // As a name, not as what takes another pattern back.
            builder.add_line(
                None,
                &pattern.replacen('!', "\\!", usize::from(pattern.starts_with('!'))),
            )?;
        }
        builder.build().map(Self)
    }

    /// Whether the file at `path`, relative to the workspace's root, is one.
    pub fn contains(&self, path: &str) -> bool {
        self.0.matched_path_or_any_parents(path.trim_start_matches('/'), false).is_ignore()
    }
}

/// What the preparation of a tree depends on: the commands, and the path and blob id of each of
/// [`SetupInputs`] in the tree, in any order.
pub fn setup_key<'f>(
    setup: &[Vec<String>],
    inputs: impl IntoIterator<Item = (&'f str, &'f str)>,
) -> String {
    let mut inputs: Vec<(&str, &str)> = inputs.into_iter().collect();
    inputs.sort_unstable();
    let mut hasher = Sha256::new();
    // Lengths keep `ab c` apart from `a bc`.
    let mut add = |text: &str| {
        hasher.update(text.len().to_le_bytes());
        hasher.update(text.as_bytes());
    };
    for command in setup {
        add("command");
        command.iter().for_each(|word| add(word));
    }
    for (path, blob) in inputs {
        add("input");
        add(path);
        add(blob);
    }
    hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inputs(patterns: &[&str]) -> SetupInputs {
        let setup_inputs = patterns.iter().map(|&pattern| pattern.to_owned()).collect();
        SetupInputs::of(&TreePlan { setup_inputs, ..TreePlan::default() }).unwrap()
    }

    #[test]
    fn lock_files_are_inputs_wherever_they_lie() {
        let usual = inputs(&[]);
        for path in ["Cargo.lock", "web/package-lock.json", "requirements-dev.txt", "a/b/go.sum"] {
            assert!(usual.contains(path), "{path}");
        }
        for path in ["src/main.rs", "Cargo.lock.orig", "README.md"] {
            assert!(!usual.contains(path), "{path}");
        }
        let own = inputs(&["tools/*.lock", "!odd"]);
        assert!(own.contains("tools/a.lock") && own.contains("!odd"));
        assert!(!own.contains("Cargo.lock") && !own.contains("other/tools/a.lock"));
    }

    #[test]
    fn the_key_changes_with_every_part() {
        let command = |words: &[&str]| vec![words.iter().map(|&word| word.to_owned()).collect()];
        let npm: Vec<Vec<String>> = command(&["npm", "ci"]);
        let key = |setup: &[Vec<String>], inputs: &[(&'static str, &'static str)]| {
            setup_key(setup, inputs.iter().copied())
        };
        let base = key(&npm, &[("a", "1"), ("b", "2")]);
        assert_eq!(key(&npm, &[("b", "2"), ("a", "1")]), base);
        for other in [
            key(&npm, &[("a", "1"), ("b", "3")]),
            key(&npm, &[("a", "1")]),
            key(&command(&["npmci"]), &[("a", "1"), ("b", "2")]),
            key(&[npm.clone(), npm.clone()].concat(), &[("a", "1"), ("b", "2")]),
        ] {
            assert_ne!(other, base);
        }
    }
}
