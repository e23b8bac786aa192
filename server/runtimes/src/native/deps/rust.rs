//! Cargo.

use super::{DependencyKind, Found, toml_text};
use toml::de::{DeTable, DeValue};

const SECTIONS: [(&str, DependencyKind); 3] = [
    ("dependencies", DependencyKind::Normal),
    ("dev-dependencies", DependencyKind::Dev),
    ("build-dependencies", DependencyKind::Build),
];

/// `Cargo.toml`, with the dependencies of its workspace and of single targets. Packages of the same
/// workspace are no dependencies.
pub(super) fn manifest(text: &str) -> Result<Vec<Found>, String> {
    let top = toml_text::read(text)?;
    let top = top.get_ref();
    let mut found = Vec::new();
    sections(top, &mut found);
    if let Some(workspace) = toml_text::table(top, &["workspace"]) {
        sections(workspace, &mut found);
    }
    for target in toml_text::table(top, &["target"]).into_iter().flat_map(DeTable::values) {
        if let Some(target) = target.get_ref().as_table() {
            sections(target, &mut found);
        }
    }
    Ok(found)
}

fn sections(table: &DeTable<'_>, found: &mut Vec<Found>) {
    for (section, kind) in SECTIONS {
        for (name, value) in toml_text::table(table, &[section]).into_iter().flatten() {
            let name_at = name.span().start;
            let (name, version) = match value.get_ref() {
                DeValue::Table(spec) => {
                    let inherited = spec.get("workspace").is_some();
                    let version = toml_text::text(spec, "version")
                        .or_else(|| toml_text::text(spec, "git"))
                        .unwrap_or(if inherited { "workspace" } else { "" });
                    if version.is_empty() && spec.get("path").is_some() {
                        continue;
                    }
                    let name = toml_text::text(spec, "package").unwrap_or(name.get_ref());
                    (name, version)
                }
                DeValue::String(version) => (name.get_ref().as_ref(), version.as_ref()),
                _ => continue,
            };
            let (name, version) = (name.to_owned(), version.to_owned());
            found.push(Found { name, version, kind, at: name_at });
        }
    }
}

/// `Cargo.lock`. Packages without a source are the workspace's own.
pub(super) fn lock(text: &str) -> Result<Vec<Found>, String> {
    let top = toml_text::read(text)?;
    let packages = toml_text::array(top.get_ref(), "package").iter();
    Ok(packages
        .filter_map(|package| {
            let package = package.get_ref().as_table()?;
            package.get("source")?;
            let (key, name) = package.get_key_value("name")?;
            Some(Found {
                name: name.get_ref().as_str()?.to_owned(),
                version: toml_text::text(package, "version").unwrap_or_default().to_owned(),
                kind: DependencyKind::Locked,
                at: key.span().start,
            })
        })
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_section_is_read() {
        let text = "[package]\nname = \"x\"\n[dependencies]\na = \"1\"\nown = { path = \"../own\" }\nb = { workspace = true }\n[dev-dependencies.c]\nversion = \"2\"\n[target.'cfg(unix)'.build-dependencies]\nd = { git = \"https://example.org/d\", package = \"real\" }\n[workspace.dependencies]\ne = \"3\"\n";
        let mut found: Vec<_> = manifest(text)
            .unwrap()
            .into_iter()
            .map(|f| {
                (
                    text[..f.at].lines().count() as u64 + u64::from(text[..f.at].ends_with('\n')),
                    f.name,
                    f.version,
                    f.kind,
                )
            })
            .collect();
        found.sort();
        let expected = [
            (4, "a", "1", DependencyKind::Normal),
            (6, "b", "workspace", DependencyKind::Normal),
            (7, "c", "2", DependencyKind::Dev),
            (10, "real", "https://example.org/d", DependencyKind::Build),
            (12, "e", "3", DependencyKind::Normal),
        ];
        assert_eq!(found, expected.map(|(l, n, v, k)| (l, n.to_owned(), v.to_owned(), k)));
    }

    #[test]
    fn own_packages_are_not_locked_dependencies() {
        let text = "[[package]]\nname = \"own\"\nversion = \"0.1.0\"\n\n[[package]]\nname = \"a\"\nversion = \"1.0.0\"\nsource = \"registry\"\n";
        let found = lock(text).unwrap();
        assert_eq!(
            (found.len(), found[0].name.as_str(), &text[found[0].at..][..10]),
            (1, "a", "name = \"a\"")
        );
    }
}
