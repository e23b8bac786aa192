//! `deps.list`: what the workspace depends on, from manifests and lock files of the common ecosystems.

mod composer;
mod go;
mod json;
mod maven;
mod npm;
mod python;
mod ruby;
mod rust;
mod toml_text;

use super::{
    arguments::{Arguments, LIMIT, PATH},
    contract::{Context, Info, Native, Report, Stop},
    files::{self, Coverage, TextFile},
    listing::{
        Count, Counts, GROUPS, LISTED_ITEMS, counted, grouped, halve, listing_file, to_result,
    },
    places::Places,
    ranked::Ranked,
};
use schemars::{JsonSchema, Schema, schema_for};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

pub(crate) struct ListDependencies;

const INFO: Info = Info {
    name: "deps.list",
    description: "Lists dependencies from manifests and lock files, and flags several versions of one.",
    capabilities: &["deps.list", "dependencies"],
    inline: false,
    arguments: &[PATH, LIMIT],
};

/// What a dependency is needed for.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum DependencyKind {
    Normal,
    Dev,
    Build,
    Peer,
    Optional,
    /// Fixed by a lock file, whether asked for or needed by another.
    Locked,
}

/// One dependency in one file. What people wrote sorts before what a tool has fixed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Dependency {
    pub kind: DependencyKind,
    /// `cargo`, `npm`, `pypi`, `go`, `maven`, `rubygems` or `composer`.
    pub ecosystem: String,
    pub name: String,
    /// The requirement as written, or the version of a lock file; empty when none is given.
    pub version: String,
    pub path: String,
    /// From one.
    pub line: u64,
    /// A part of that line, exactly.
    pub excerpt: String,
}

/// One file that was read.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Manifest {
    pub path: String,
    pub ecosystem: String,
    pub is_lock: bool,
    pub dependencies: u64,
    /// Why it could not be understood; empty when it could.
    pub problem: String,
}

/// A package of which one lock file holds several versions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SeveralVersions {
    pub ecosystem: String,
    pub name: String,
    pub versions: Vec<VersionAt>,
}

/// Where a version is fixed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct VersionAt {
    pub version: String,
    pub path: String,
    pub line: u64,
    pub excerpt: String,
}

/// What `deps.list` found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DepsResult {
    pub manifests: Vec<Manifest>,
    pub manifests_total: u64,
    /// What manifests ask for first, then what lock files fix.
    pub dependencies: Vec<Dependency>,
    /// How many there are, listed or not.
    pub total: u64,
    pub direct: u64,
    pub locked: u64,
    /// Direct dependencies by ecosystem.
    pub by_ecosystem: Vec<Count>,
    /// Those with most versions first.
    pub several_versions: Vec<SeveralVersions>,
    pub several_versions_total: u64,
    pub coverage: Coverage,
}

/// How many manifests and packages with several versions are listed.
const MANIFESTS: usize = 2_000;
const SEVERAL: usize = 500;

/// What a reader found in one file.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Found {
    name: String,
    version: String,
    kind: DependencyKind,
    /// The byte in the file where its name stands.
    at: usize,
}

/// Understands one kind of file; the error says why it could not.
type Read = fn(&str) -> Result<Vec<Found>, String>;

/// The ecosystem of a file, whether it is a lock file, and who reads it.
fn reader(path: &str) -> Option<(&'static str, bool, Read)> {
    // Installed copies are not what the workspace asks for.
    if path.split('/').any(|part| part == "node_modules") {
        return None;
    }
    let name = path.rsplit('/').next().unwrap_or(path);
    Some(match name {
        "Cargo.toml" => ("cargo", false, rust::manifest),
        "Cargo.lock" => ("cargo", true, rust::lock),
        "package.json" => ("npm", false, npm::manifest),
        "package-lock.json" | "npm-shrinkwrap.json" => ("npm", true, npm::package_lock),
        "yarn.lock" => ("npm", true, npm::yarn_lock),
        "pnpm-lock.yaml" => ("npm", true, npm::pnpm_lock),
        "pyproject.toml" => ("pypi", false, python::pyproject),
        "poetry.lock" | "uv.lock" | "pdm.lock" => ("pypi", true, python::lock),
        "go.mod" => ("go", false, go::module),
        "pom.xml" => ("maven", false, maven::pom),
        "Gemfile.lock" => ("rubygems", true, ruby::lock),
        "composer.json" => ("composer", false, composer::manifest),
        "composer.lock" => ("composer", true, composer::lock),
        _ if name.starts_with("requirements") && name.ends_with(".txt") => {
            ("pypi", false, python::requirements)
        }
        _ => return None,
    })
}

struct State {
    manifests: Ranked<Manifest>,
    dependencies: Ranked<Dependency>,
    direct: u64,
    by_ecosystem: Counts,
    several: Vec<SeveralVersions>,
}

impl State {
    fn new() -> Self {
        Self {
            manifests: Ranked::new(MANIFESTS),
            dependencies: Ranked::new(LISTED_ITEMS),
            direct: 0,
            by_ecosystem: Counts::default(),
            several: Vec::new(),
        }
    }

    fn merge(mut self, other: Self) -> Self {
        self.manifests.merge(other.manifests);
        self.dependencies.merge(other.dependencies);
        self.direct += other.direct;
        self.by_ecosystem.merge(other.by_ecosystem);
        self.several.extend(other.several);
        self
    }

    fn add(&mut self, ctx: &Context<'_>, file: &TextFile<'_>) {
        let Some((ecosystem, is_lock, read)) = reader(file.path) else { return };
        let (mut found, problem) = match read(file.text) {
            Ok(found) => (found, String::new()),
            Err(problem) => (Vec::new(), problem.lines().next().unwrap_or_default().to_owned()),
        };
        found.sort_by_key(|found| found.at);
        self.manifests.push(Manifest {
            path: file.path.to_owned(),
            ecosystem: ecosystem.to_owned(),
            is_lock,
            dependencies: found.len() as u64,
            problem,
        });
        let mut places = Places::new(file.text, ctx.cancelled);
        let mut versions: BTreeMap<String, BTreeMap<String, VersionAt>> = BTreeMap::new();
        for found in found {
            if ctx.is_cancelled() {
                return;
            }
            let place = places.find(found.at.min(file.text.len()));
            let dependency = Dependency {
                kind: found.kind,
                ecosystem: ecosystem.to_owned(),
                name: found.name,
                version: found.version,
                path: file.path.to_owned(),
                line: place.line,
                excerpt: place.quote,
            };
            if dependency.kind == DependencyKind::Locked {
                let VersionAt { version, path, line, excerpt } = VersionAt {
                    version: dependency.version.clone(),
                    path: dependency.path.clone(),
                    line: dependency.line,
                    excerpt: dependency.excerpt.clone(),
                };
                versions
                    .entry(dependency.name.clone())
                    .or_default()
                    .entry(version.clone())
                    .or_insert(VersionAt { version, path, line, excerpt });
            } else {
                self.direct += 1;
                self.by_ecosystem.add(ecosystem);
            }
            self.dependencies.push(dependency);
        }
        let several = versions.into_iter().filter(|(_, versions)| versions.len() > 1);
        self.several.extend(several.map(|(name, versions)| SeveralVersions {
            ecosystem: ecosystem.to_owned(),
            name,
            versions: versions.into_values().collect(),
        }));
    }
}

impl Native for ListDependencies {
    fn info(&self) -> Info {
        INFO
    }

    fn result_schema(&self) -> Schema {
        schema_for!(DepsResult)
    }

    fn run(&self, ctx: &Context<'_>) -> Result<Report, Stop> {
        let arguments = Arguments::read(INFO, ctx.with)?;
        let options = arguments.files(Some(|path| reader(path).is_some()));
        let (states, coverage) =
            files::scan(ctx, &options, State::new, |state, file| state.add(ctx, file))?;
        let mut state = states.into_iter().fold(State::new(), State::merge);
        state.several.sort_by(|a, b| {
            let key = |several: &SeveralVersions| {
                let first = several.versions.first().map(|at| (at.path.clone(), at.line));
                (several.ecosystem.clone(), several.name.clone(), first)
            };
            b.versions.len().cmp(&a.versions.len()).then_with(|| key(a).cmp(&key(b)))
        });
        let mut result = DepsResult {
            manifests_total: state.manifests.total(),
            manifests: state.manifests.into_sorted(),
            total: state.dependencies.total(),
            direct: state.direct,
            locked: state.dependencies.total() - state.direct,
            dependencies: state.dependencies.into_sorted(),
            by_ecosystem: state.by_ecosystem.top(GROUPS),
            several_versions_total: state.several.len() as u64,
            several_versions: state.several,
            coverage,
        };
        let files = vec![listing_file(ctx, "signals/dependencies.json", &result)?];
        result.dependencies.truncate(arguments.count(LIMIT.name));
        result.several_versions.truncate(SEVERAL);
        let summary = summary(&result);
        let result = to_result(result, |result| {
            halve(&mut result.dependencies);
            halve(&mut result.several_versions);
            halve(&mut result.manifests);
        })?;
        Ok(Report { summary, result, files })
    }
}

fn summary(result: &DepsResult) -> String {
    if result.manifests_total == 0 {
        return "no manifests or lock files found".to_owned();
    }
    format!(
        "{} and {} locked in {}; {} in several versions",
        counted(result.direct, "direct dependency", "direct dependencies"),
        grouped(result.locked),
        counted(result.manifests_total, "file", "files"),
        counted(result.several_versions_total, "package", "packages")
    )
}
