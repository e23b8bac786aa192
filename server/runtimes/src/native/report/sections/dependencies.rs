//! What the workspace depends on.

use super::{
    super::{
        super::{
            deps::{Dependency, DependencyKind, DepsResult, SeveralVersions},
            listing::{counted, grouped},
        },
        markdown::{
            Align::{Left, Right},
            citation, code, text,
        },
    },
    Section, listing,
};
use orchestra_core::ports::StepInput;

pub(super) fn deps(input: &StepInput, result: &DepsResult, top: usize) -> Section {
    let mut section = Section::new("Dependencies");
    if result.manifests_total == 0 {
        section.paragraph("No manifest or lock file of a known kind was found.");
        return section;
    }
    section.paragraph(&format!(
        "{} and {} locked in {}; {} in more than one version.",
        counted(result.direct, "direct dependency", "direct dependencies"),
        grouped(result.locked),
        counted(result.manifests_total, "file", "files"),
        counted(result.several_versions_total, "package", "packages"),
    ));
    let mut manifests: Vec<_> = result.manifests.iter().collect();
    manifests.sort_by(|a, b| b.dependencies.cmp(&a.dependencies).then_with(|| a.path.cmp(&b.path)));
    let rows: Vec<Vec<String>> = manifests
        .iter()
        .take(top)
        .map(|manifest| {
            let kind = if manifest.is_lock { "lock file" } else { "manifest" };
            vec![
                code(&manifest.path),
                manifest.ecosystem.clone(),
                kind.to_owned(),
                grouped(manifest.dependencies),
            ]
        })
        .collect();
    section.table(
        "Files, by number of dependencies",
        &["file", "ecosystem", "kind", "dependencies"],
        &[Left, Left, Left, Right],
        &rows,
    );
    let more = result.manifests_total.saturating_sub(rows.len() as u64);
    if more > 0 {
        section.paragraph(&format!(
            "… and {} more{}.",
            counted(more, "file", "files"),
            listing(input)
        ));
    }
    several(&mut section, input, result, top);
    direct(&mut section, input, result, top);
    section
}

fn several(section: &mut Section, input: &StepInput, result: &DepsResult, top: usize) {
    if result.several_versions.is_empty() {
        return;
    }
    section.paragraph("**In several versions**");
    for package in result.several_versions.iter().take(top) {
        for at in &package.versions {
            let label = format!("{} {}", package.name, at.version);
            section.body.push_str(&citation(&at.path, at.line, &label, &at.excerpt));
            section.body.push('\n');
            section.quotes += 1;
        }
    }
    let more = result.several_versions_total.saturating_sub(top as u64);
    if more > 0 {
        let more = counted(more, "package", "packages");
        section.body.push_str(&format!("\n… and {more} more{}.\n", listing(input)));
    }
    section.body.push('\n');
    if let Some(package) = result.several_versions.first().filter(|it| it.versions.len() > 2) {
        section.highlights.push(highlight(package));
    }
}

fn highlight(package: &SeveralVersions) -> String {
    let versions: Vec<&str> = package.versions.iter().map(|at| at.version.as_str()).collect();
    format!(
        "- {} is locked in {} versions: {}",
        code(&package.name),
        versions.len(),
        text(&versions.join(", "))
    )
}

fn direct(section: &mut Section, input: &StepInput, result: &DepsResult, top: usize) {
    // What only points to the workspace's own table says nothing that the table does not.
    let says_something =
        |it: &&Dependency| it.kind != DependencyKind::Locked && it.version != "workspace";
    let direct: Vec<_> = result.dependencies.iter().filter(says_something).collect();
    if direct.is_empty() {
        return;
    }
    section.paragraph("**Direct dependencies**");
    for dependency in direct.iter().take(top) {
        let kind = match dependency.kind {
            DependencyKind::Normal | DependencyKind::Locked => "",
            DependencyKind::Dev => ", for development",
            DependencyKind::Build => ", for building",
            DependencyKind::Peer => ", as a peer",
            DependencyKind::Optional => ", optional",
        };
        let label = format!("{} ({}{kind})", dependency.name, dependency.ecosystem);
        let line = citation(&dependency.path, dependency.line, &label, &dependency.excerpt);
        section.body.push_str(&line);
        section.body.push('\n');
        section.quotes += 1;
    }
    let more = result.direct.saturating_sub(direct.len().min(top) as u64);
    if more > 0 {
        section.body.push_str(&format!("\n… and {} more{}.\n", grouped(more), listing(input)));
    }
    section.body.push('\n');
}
