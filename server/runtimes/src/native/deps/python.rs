//! Python: requirements files, `pyproject.toml`, and the lock files of poetry, uv and pdm.

use super::{DependencyKind, Found, npm::lines, toml_text};
use toml::{Spanned, de::DeValue};

/// `requirements*.txt`. Options, links and included files are not followed.
pub(super) fn requirements(text: &str) -> Result<Vec<Found>, String> {
    Ok(lines(text)
        .filter_map(|(at, line)| {
            let (name, version) = requirement(line.split(" #").next().unwrap_or(line))?;
            Some(Found { name, version, kind: DependencyKind::Normal, at })
        })
        .collect())
}

/// Splits `name[extra]>=1,<2 ; marker` into its name and its version.
fn requirement(text: &str) -> Option<(String, String)> {
    let text = text.trim();
    let end = text
        .find(|c: char| !(c.is_ascii_alphanumeric() || "-_.".contains(c)))
        .unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    let rest = rest.trim_start();
    let rest = match rest.strip_prefix('[') {
        Some(extras) => extras.split_once(']').map_or("", |(_, rest)| rest),
        None => rest,
    };
    let version = rest.split([';', '\\']).next().unwrap_or(rest).trim();
    let fits = version.is_empty() || version.starts_with(['=', '<', '>', '~', '!', '@', '(']);
    let first = name.chars().next()?;
    (first.is_ascii_alphanumeric() && fits).then(|| (name.to_owned(), version.to_owned()))
}

/// `pyproject.toml`: the standard's tables, dependency groups, and poetry's own.
pub(super) fn pyproject(text: &str) -> Result<Vec<Found>, String> {
    let top = toml_text::read(text)?;
    let top = top.get_ref();
    let mut found = Vec::new();
    if let Some(project) = toml_text::table(top, &["project"]) {
        listed(toml_text::array(project, "dependencies"), DependencyKind::Normal, &mut found);
        if let Some(extras) = toml_text::table(project, &["optional-dependencies"]) {
            for extra in extras.keys() {
                listed(
                    toml_text::array(extras, extra.get_ref()),
                    DependencyKind::Optional,
                    &mut found,
                );
            }
        }
    }
    if let Some(build) = toml_text::table(top, &["build-system"]) {
        listed(toml_text::array(build, "requires"), DependencyKind::Build, &mut found);
    }
    if let Some(groups) = toml_text::table(top, &["dependency-groups"]) {
        for group in groups.keys() {
            listed(toml_text::array(groups, group.get_ref()), DependencyKind::Dev, &mut found);
        }
    }
    if let Some(poetry) = toml_text::table(top, &["tool", "poetry"]) {
        mapped(poetry, "dependencies", DependencyKind::Normal, &mut found);
        mapped(poetry, "dev-dependencies", DependencyKind::Dev, &mut found);
        for group in
            toml_text::table(poetry, &["group"]).into_iter().flat_map(toml::de::DeTable::values)
        {
            if let Some(group) = group.get_ref().as_table() {
                mapped(group, "dependencies", DependencyKind::Dev, &mut found);
            }
        }
    }
    Ok(found)
}

fn listed(items: &[Spanned<DeValue<'_>>], kind: DependencyKind, found: &mut Vec<Found>) {
    found.extend(items.iter().filter_map(|item| {
        let (name, version) = requirement(item.get_ref().as_str()?)?;
        Some(Found { name, version, kind, at: item.span().start })
    }));
}

fn mapped(table: &toml::de::DeTable<'_>, key: &str, kind: DependencyKind, found: &mut Vec<Found>) {
    for (name, value) in toml_text::table(table, &[key]).into_iter().flatten() {
        if name.get_ref() == "python" {
            continue;
        }
        let version = match value.get_ref() {
            DeValue::String(version) => version.as_ref(),
            DeValue::Table(spec) => toml_text::text(spec, "version").unwrap_or_default(),
            _ => "",
        };
        found.push(Found {
            name: name.get_ref().clone().into_owned(),
            version: version.to_owned(),
            kind,
            at: name.span().start,
        });
    }
}

/// `poetry.lock`, `uv.lock` and `pdm.lock`.
pub(super) fn lock(text: &str) -> Result<Vec<Found>, String> {
    let top = toml_text::read(text)?;
    let packages = toml_text::array(top.get_ref(), "package").iter();
    Ok(packages
        .filter_map(|package| {
            let package = package.get_ref().as_table()?;
            let (key, name) = package.get_key_value("name")?;
            // uv lists the project itself, too.
            let source = toml_text::table(package, &["source"]);
            if source.is_some_and(|source| {
                source.contains_key("virtual") || source.contains_key("editable")
            }) {
                return None;
            }
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
    fn requirements_are_split() {
        let text = "# comment\n-r other.txt\nDjango[argon2]>=4,<5 ; python_version > '3'  # why\nflask\ngit+https://example.org/x\npkg @ https://example.org/p.whl\n./local\n";
        let found = requirements(text).unwrap();
        let pairs: Vec<_> = found.iter().map(|f| (f.name.as_str(), f.version.as_str())).collect();
        assert_eq!(
            pairs,
            [("Django", ">=4,<5"), ("flask", ""), ("pkg", "@ https://example.org/p.whl")]
        );
    }

    #[test]
    fn projects_are_read_by_the_standard_and_by_poetry() {
        let text = "[project]\ndependencies = [\n  \"a>=1\",\n]\n[project.optional-dependencies]\nx = [\"b\"]\n[build-system]\nrequires = [\"c\"]\n[tool.poetry.dependencies]\npython = \"^3\"\nd = { version = \"^2\" }\n[tool.poetry.group.dev.dependencies]\ne = \"*\"\n";
        let found = pyproject(text).unwrap();
        let all: Vec<_> =
            found.iter().map(|f| (f.name.as_str(), f.version.as_str(), f.kind)).collect();
        assert_eq!(
            all,
            [
                ("a", ">=1", DependencyKind::Normal),
                ("b", "", DependencyKind::Optional),
                ("c", "", DependencyKind::Build),
                ("d", "^2", DependencyKind::Normal),
                ("e", "*", DependencyKind::Dev),
            ]
        );
        assert!(text[found[0].at..].starts_with("\"a>=1\""));
    }
}
