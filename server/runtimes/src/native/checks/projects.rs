//! What each kind of project file says about checks.

use super::{
    detect::{CheckKind, Found},
    makefile, package_json,
};
use std::collections::BTreeMap;

/// Files that say something.
const WANTED: [&str; 32] = [
    "Cargo.toml",
    "nextest.toml",
    "package.json",
    "package-lock.json",
    "pnpm-lock.yaml",
    "yarn.lock",
    ".yarnrc.yml",
    "bun.lock",
    "pyproject.toml",
    "pytest.ini",
    "setup.cfg",
    "tox.ini",
    "ruff.toml",
    ".ruff.toml",
    "mypy.ini",
    "uv.lock",
    "poetry.lock",
    "requirements.txt",
    "requirements-dev.txt",
    "go.mod",
    "pom.xml",
    "mvnw",
    "build.gradle",
    "build.gradle.kts",
    "settings.gradle",
    "settings.gradle.kts",
    "gradlew",
    "Makefile",
    "makefile",
    "GNUmakefile",
    "conftest.py",
    "noxfile.py",
];

/// Folders whose projects are not this one's.
const FOREIGN: [&str; 7] =
    ["node_modules", "vendor", "third_party", "fixtures", "testdata", "target", ".venv"];

/// Whether a file is worth reading.
pub(super) fn is_wanted(path: &str) -> bool {
    let (folder, name) = split(path);
    WANTED.contains(&name) && !folder.split('/').any(|part| FOREIGN.contains(&part))
}

/// All such files of a workspace.
pub(super) struct Project<'f> {
    files: &'f BTreeMap<String, String>,
}

impl<'f> Project<'f> {
    pub(super) fn new(files: &'f BTreeMap<String, String>) -> Self {
        Self { files }
    }

    pub(super) fn read(&self, path: &str, text: &str) -> Vec<Found> {
        let (folder, name) = split(path);
        match name {
            "Cargo.toml" if self.is_outermost(folder, &["Cargo.toml"]) => self.cargo(folder),
            "package.json" if self.is_outermost(folder, &["package.json"]) => {
                package_json::read(text, &self.package_manager(folder))
            }
            "pyproject.toml" | "pytest.ini" | "setup.cfg" | "tox.ini" | "ruff.toml"
            | ".ruff.toml" | "mypy.ini" => self.python(folder, name, text),
            "go.mod" => go(folder),
            "pom.xml" if self.is_outermost(folder, &["pom.xml"]) => self.maven(folder),
            "build.gradle" | "build.gradle.kts" | "settings.gradle" | "settings.gradle.kts"
                if self.is_outermost(folder, &["build.gradle", "build.gradle.kts"]) =>
            {
                self.gradle(folder)
            }
            "Makefile" | "makefile" | "GNUmakefile" if folder.is_empty() => makefile::read(text),
            _ => Vec::new(),
        }
    }

    /// What makes a tree ready in which nothing is installed.
    pub(super) fn setup(&self) -> Vec<Vec<String>> {
        let mut setup = Vec::new();
        for path in self.files.keys() {
            let (folder, name) = split(path);
            match name {
                "package.json" if self.is_outermost(folder, &["package.json"]) => {
                    setup.extend(self.package_manager(folder).install());
                }
                "uv.lock" => {
                    let place = if folder.is_empty() { vec![] } else { vec!["--project", folder] };
                    setup.push(command(&[&["uv", "sync", "--frozen"], place.as_slice()].concat()));
                }
                "poetry.lock" => {
                    let place = if folder.is_empty() { vec![] } else { vec!["-C", folder] };
                    setup.push(command(&[&["poetry"], place.as_slice(), &["install"]].concat()));
                }
                _ => {}
            }
        }
        setup
    }

    /// What takes long to make again.
    pub(super) fn keep(&self) -> Vec<String> {
        let mut keep = Vec::new();
        for path in self.files.keys() {
            let (folder, name) = split(path);
            let kept = match name {
                "Cargo.toml" if self.is_outermost(folder, &["Cargo.toml"]) => "target",
                "package.json" if self.is_outermost(folder, &["package.json"]) => "node_modules",
                "uv.lock" => ".venv",
                _ => continue,
            };
            keep.push(if folder.is_empty() { kept.to_owned() } else { format!("{folder}/{kept}") });
        }
        keep
    }

    fn has(&self, folder: &str, name: &str) -> bool {
        let path = if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") };
        self.files.contains_key(&path)
    }

    /// Whether no folder above has one of these files: what is above checks what is below, too.
    fn is_outermost(&self, folder: &str, names: &[&str]) -> bool {
        let mut above = folder;
        while !above.is_empty() {
            above = split(above).0;
            if names.iter().any(|name| self.has(above, name)) {
                return false;
            }
        }
        true
    }

    fn cargo(&self, folder: &str) -> Vec<Found> {
        let manifest = format!("{folder}/Cargo.toml");
        let place = if folder.is_empty() { vec![] } else { vec!["--manifest-path", &manifest] };
        let found = |kind, subcommand: &[&str], rest: &[&str], why: &str| Found {
            kind,
            ecosystem: "cargo",
            command: command(&[&["cargo"], subcommand, place.as_slice(), rest].concat()),
            why: why.to_owned(),
            at: 0,
        };
        let test = if self.has(&join(folder, ".config"), "nextest.toml") {
            let why = "a Rust project with settings for nextest";
            found(CheckKind::Test, &["nextest", "run"], &["--no-fail-fast"], why)
        } else {
            found(CheckKind::Test, &["test"], &["--no-fail-fast"], "a Rust project")
        };
        vec![
            test,
            found(CheckKind::Lint, &["clippy"], &["--all-targets"], "the linter of Rust"),
            found(CheckKind::Format, &["fmt"], &["--check"], "the formatter of Rust"),
        ]
    }

    fn package_manager(&self, folder: &str) -> package_json::Manager {
        let program = [("pnpm-lock.yaml", "pnpm"), ("yarn.lock", "yarn"), ("bun.lock", "bun")]
            .iter()
            .find(|(lock, _)| self.has(folder, lock))
            .map_or("npm", |(_, program)| program);
        package_json::Manager {
            program,
            folder: folder.to_owned(),
            has_lock: program != "npm" || self.has(folder, "package-lock.json"),
            is_berry: self.has(folder, ".yarnrc.yml"),
        }
    }

    fn python(&self, folder: &str, file: &str, text: &str) -> Vec<Found> {
        let runner: &[&str] = if self.has(folder, "uv.lock") {
            &["uv", "run"]
        } else if self.has(folder, "poetry.lock") {
            &["poetry", "run"]
        } else {
            &[]
        };
        let here = if folder.is_empty() { "." } else { folder };
        let below = if folder.is_empty() { vec![] } else { vec![folder] };
        let mut found = Vec::new();
        let mut add = |kind, words: &[&str], at: Option<usize>, why: &str| {
            if let Some(at) = at {
                let command = command(&[runner, words].concat());
                found.push(Found { kind, ecosystem: "python", command, why: why.to_owned(), at });
            }
        };
        let pytest = [&["pytest"], below.as_slice()].concat();
        let ruff = [&["ruff", "check"], below.as_slice()].concat();
        let section = |name: &str| header(text, name);
        match file {
            "pytest.ini" => add(CheckKind::Test, &pytest, Some(0), "settings of pytest"),
            "ruff.toml" | ".ruff.toml" => {
                add(CheckKind::Lint, &ruff, Some(0), "settings of ruff");
            }
            "mypy.ini" => {
                add(CheckKind::Types, &["mypy", here], Some(0), "settings of mypy");
            }
            "tox.ini" if folder.is_empty() => {
                add(CheckKind::Test, &["tox"], section("[tox"), "environments of tox");
                if section("[tox").is_none() {
                    add(CheckKind::Test, &pytest, section("[pytest]"), "settings of pytest");
                }
            }
            "setup.cfg" => {
                add(CheckKind::Test, &pytest, section("[tool:pytest]"), "settings of pytest");
                add(CheckKind::Types, &["mypy", here], section("[mypy]"), "settings of mypy");
            }
            "pyproject.toml" => {
                add(CheckKind::Test, &pytest, section("[tool.pytest"), "settings of pytest");
                add(CheckKind::Lint, &ruff, section("[tool.ruff"), "settings of ruff");
                add(CheckKind::Types, &["mypy", here], section("[tool.mypy"), "settings of mypy");
            }
            _ => {}
        }
        found
    }

    fn maven(&self, folder: &str) -> Vec<Found> {
        let wrapper = self.has(folder, "mvnw").then(|| wrapper(folder, "mvnw"));
        let program = wrapper.as_deref().unwrap_or("mvn");
        let pom = format!("{folder}/pom.xml");
        let place = if folder.is_empty() { vec![] } else { vec!["-f", &pom] };
        let words = [&[program], place.as_slice(), &["test"]].concat();
        one(CheckKind::Test, "maven", command(&words), "a Maven project")
    }

    fn gradle(&self, folder: &str) -> Vec<Found> {
        let wrapper = self.has(folder, "gradlew").then(|| wrapper(folder, "gradlew"));
        let program = wrapper.as_deref().unwrap_or("gradle");
        let place = if folder.is_empty() { vec![] } else { vec!["-p", folder] };
        let words = [&[program], place.as_slice(), &["check"]].concat();
        one(CheckKind::Test, "gradle", command(&words), "a Gradle project")
    }
}

fn go(folder: &str) -> Vec<Found> {
    let place = if folder.is_empty() { vec![] } else { vec!["-C", folder] };
    let words = |subcommand| command(&[&["go"], place.as_slice(), &[subcommand, "./..."]].concat());
    let mut found = one(CheckKind::Test, "go", words("test"), "a Go module");
    found.extend(one(CheckKind::Lint, "go", words("vet"), "Go's own linter"));
    found
}

fn one(kind: CheckKind, ecosystem: &'static str, command: Vec<String>, why: &str) -> Vec<Found> {
    vec![Found { kind, ecosystem, command, why: why.to_owned(), at: 0 }]
}

/// A program of the workspace, named so that it is not looked up on PATH.
fn wrapper(folder: &str, name: &str) -> String {
    format!("./{}", join(folder, name))
}

fn join(folder: &str, name: &str) -> String {
    if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") }
}

fn split(path: &str) -> (&str, &str) {
    path.rsplit_once('/').unwrap_or(("", path))
}

pub(super) fn command(words: &[&str]) -> Vec<String> {
    words.iter().map(|&word| word.to_owned()).collect()
}

/// Where a line begins with this.
fn header(text: &str, start: &str) -> Option<usize> {
    if text.starts_with(start) {
        return Some(0);
    }
    text.match_indices(start).map(|(at, _)| at).find(|at| text[..*at].ends_with('\n'))
}
