//! The reports that a command writes into files: those that it names, and those in well-known places.

use std::{
    fs::{self, File},
    io::Read as _,
    path::{Path, PathBuf},
    time::SystemTime,
};

/// How large one report may be.
const MAX_FILE: u64 = 32 << 20;
/// How much of all reports together is read.
const MAX_TOTAL: usize = 128 << 20;
const MAX_FILES: usize = 2_000;
/// How many folders are looked through for reports.
const MAX_FOLDERS: usize = 20_000;
/// How deep a module of a build may lie.
const MAX_DEPTH: usize = 8;

/// The JUnit reports of the command.
pub(super) fn junit(command: &[String], directory: &Path, since: SystemTime) -> Vec<String> {
    let mut paths = named(command, directory, ".xml");
    if paths.is_empty() {
        if is_program(command, &["gradle", "gradlew", "mvn", "mvnw"]) {
            in_build_folders(directory, 0, &mut MAX_FOLDERS.clone(), &mut paths);
        }
        if is_program(command, &["cargo", "cargo-nextest"]) {
            let profiles = entries(&directory.join("target/nextest"));
            paths.extend(profiles.map(|profile| profile.join("junit.xml")));
        }
    }
    paths.sort();
    paths.truncate(MAX_FILES);
    let mut left = MAX_TOTAL;
    paths
        .iter()
        .filter_map(|path| {
            let text = fresh(path, directory, since)?;
            left = left.checked_sub(text.len())?;
            Some(text)
        })
        .collect()
}

/// The SARIF report of the command.
pub(super) fn sarif(command: &[String], directory: &Path, since: SystemTime) -> Option<String> {
    let paths = [".sarif", ".sarif.json"].map(|ending| named(command, directory, ending));
    paths.iter().flatten().find_map(|path| fresh(path, directory, since))
}

/// A log that may be a report as a whole.
pub(super) fn text(log: &Path) -> Option<String> {
    let text = read(log)?;
    // A package manager may have spoken before.
    let start = text.find('{').filter(|start| *start < 4_096)?;
    let end = text.rfind('}')?;
    text.get(start..=end).filter(|json| json.contains("\"runs\"")).map(str::to_owned)
}

/// Files with this ending among the arguments: `--junitxml=a.xml`, `--output a.xml`.
fn named(command: &[String], directory: &Path, ending: &str) -> Vec<PathBuf> {
    let values = command.iter().skip(1).map(|argument| match argument.split_once('=') {
        Some((_, value)) => value,
        None => argument,
    });
    values.filter(|value| value.ends_with(ending)).map(|value| directory.join(value)).collect()
}

fn is_program(command: &[String], names: &[&str]) -> bool {
    let program = command.first().and_then(|program| program.rsplit('/').next());
    program.is_some_and(|program| names.contains(&program))
}

/// Where Maven and Gradle put them, in each module.
fn in_build_folders(folder: &Path, depth: usize, left: &mut usize, found: &mut Vec<PathBuf>) {
    if depth > MAX_DEPTH || *left == 0 || found.len() > MAX_FILES {
        return;
    }
    *left -= 1;
    for path in entries(folder) {
        // Links may lead anywhere, and round in circles.
        let Ok(metadata) = fs::symlink_metadata(&path) else { continue };
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if metadata.is_dir() && !matches!(name.as_ref(), ".git" | "node_modules" | "src") {
            in_build_folders(&path, depth + 1, left, found);
        } else if metadata.is_file() && name.ends_with(".xml") && is_report(&path) {
            found.push(path);
        }
    }
}

fn is_report(path: &Path) -> bool {
    let folders = ["surefire-reports", "failsafe-reports", "test-results"];
    path.ancestors().skip(1).take(2).any(|folder| {
        folder.file_name().is_some_and(|name| folders.iter().any(|known| name == *known))
    })
}

fn entries(folder: &Path) -> impl Iterator<Item = PathBuf> + use<> {
    fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path())
}

/// A report that lies in the tree and was written by this run.
fn fresh(path: &Path, directory: &Path, since: SystemTime) -> Option<String> {
    let real = path.canonicalize().ok()?;
    let inside = real.starts_with(directory.canonicalize().ok()?);
    let written = fs::metadata(&real).ok()?.modified().ok()?;
    (inside && written >= since).then(|| read(&real)).flatten()
}

fn read(path: &Path) -> Option<String> {
    // Opening a pipe would wait for its other end.
    let metadata = fs::metadata(path).ok()?;
    if !metadata.is_file() || metadata.len() > MAX_FILE {
        return None;
    }
    let mut text = String::new();
    File::open(path).ok()?.take(MAX_FILE).read_to_string(&mut text).ok()?;
    Some(text)
}
