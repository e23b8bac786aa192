//! npm, yarn and pnpm.

use super::{DependencyKind, Found, json};
use jsonc_parser::{ast::Value, common::Ranged};

/// `package.json`.
pub(super) fn manifest(text: &str) -> Result<Vec<Found>, String> {
    json::read(text, |top| {
        Ok([
            ("dependencies", DependencyKind::Normal),
            ("devDependencies", DependencyKind::Dev),
            ("peerDependencies", DependencyKind::Peer),
            ("optionalDependencies", DependencyKind::Optional),
        ]
        .into_iter()
        .flat_map(|(key, kind)| json::versions(top, key, kind))
        .collect())
    })
}

/// `package-lock.json`: `packages` since version 2, `dependencies` before.
pub(super) fn package_lock(text: &str) -> Result<Vec<Found>, String> {
    json::read(text, |top| {
        let mut found = Vec::new();
        if let Some(packages) = json::get(top, "packages").and_then(Value::as_object) {
            for property in &packages.properties {
                // The key is where it is installed: `node_modules/a/node_modules/@b/c`.
                let Some((_, name)) = property.name.as_str().rsplit_once("node_modules/") else {
                    continue;
                };
                let version = property.value.as_object().and_then(|it| json::text(it, "version"));
                if let Some(version) = version {
                    found.push(locked(name, version, property.range().start));
                }
            }
        } else {
            nested(top, &mut found);
        }
        Ok(found)
    })
}

fn nested(object: &jsonc_parser::ast::Object<'_>, found: &mut Vec<Found>) {
    let Some(table) = json::get(object, "dependencies").and_then(Value::as_object) else { return };
    for property in &table.properties {
        if let Some(package) = property.value.as_object() {
            let version = json::text(package, "version").unwrap_or_default();
            found.push(locked(property.name.as_str(), version, property.range().start));
            nested(package, found);
        }
    }
}

fn locked(name: &str, version: &str, at: usize) -> Found {
    Found { name: name.to_owned(), version: version.to_owned(), kind: DependencyKind::Locked, at }
}

/// `yarn.lock`, of version 1 and later ones: an entry is a line of `name@range, …:` at the margin and,
/// below it, a line with its version.
pub(super) fn yarn_lock(text: &str) -> Result<Vec<Found>, String> {
    let mut found = Vec::new();
    let mut entry: Option<(&str, usize)> = None;
    for (at, line) in lines(text) {
        if !line.starts_with([' ', '#']) && line.ends_with(':') {
            let first = line.trim_start_matches('"');
            // The first character may be the `@` of a scope.
            let end = first.char_indices().skip(1).find(|(_, c)| *c == '@').map(|(i, _)| i);
            entry = end.map(|end| (&first[..end], at));
        } else if let Some((name, at)) = entry
            && let Some(version) = line.trim_start().strip_prefix("version")
        {
            let version = version.trim_start_matches([':', ' ']).trim_matches('"');
            if !version.starts_with("0.0.0-use.local") {
                found.push(locked(name, version, at));
            }
            entry = None;
        }
    }
    Ok(found)
}

/// `pnpm-lock.yaml`: the keys of `packages`, such as `/a@1.0.0(peer@2.0.0):`, `a@1.0.0:` and `/a/1.0.0:`.
pub(super) fn pnpm_lock(text: &str) -> Result<Vec<Found>, String> {
    let mut found = Vec::new();
    let mut in_packages = false;
    for (at, line) in lines(text) {
        if !line.starts_with(' ') && !line.is_empty() {
            in_packages = line == "packages:";
        } else if in_packages
            && let Some(key) = line.strip_prefix("  ").filter(|key| !key.starts_with(' '))
            && let Some(key) = key.trim_end().strip_suffix(':')
        {
            let key = key.trim_matches(['\'', '"']).trim_start_matches('/');
            let key = key.split('(').next().unwrap_or(key);
            let split = key.rfind('@').filter(|at| *at > 0).or_else(|| key.rfind('/'));
            if let Some(split) = split {
                found.push(locked(&key[..split], &key[split + 1..], at));
            }
        }
    }
    Ok(found)
}

/// The lines of a text with their offsets, without their ends.
pub(super) fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.split_inclusive('\n').scan(0, |at, line| {
        let start = *at;
        *at += line.len();
        Some((start, line.trim_end_matches(['\n', '\r'])))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(found: Result<Vec<Found>, String>) -> Vec<(String, String)> {
        found.unwrap().into_iter().map(|found| (found.name, found.version)).collect()
    }

    fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect()
    }

    #[test]
    fn lock_files_of_every_age_are_read() {
        let old = r#"{"dependencies": {"a": {"version": "1.0.0", "dependencies": {"b": {"version": "2.0.0"}}}}}"#;
        assert_eq!(names(package_lock(old)), pairs(&[("a", "1.0.0"), ("b", "2.0.0")]));
        let new = r#"{"packages": {"": {"version": "0"}, "node_modules/a": {"version": "1.0.0"},
            "node_modules/a/node_modules/@s/b": {"version": "2.0.0"}}}"#;
        assert_eq!(names(package_lock(new)), pairs(&[("a", "1.0.0"), ("@s/b", "2.0.0")]));
        let yarn = "# yarn\n\n\"@s/a@^1.0.0\", \"@s/a@^1.1\":\n  version \"1.2.0\"\n  dependencies:\n    version \"9\"\n\nb@^2:\n  version \"2.0.0\"\n";
        assert_eq!(names(yarn_lock(yarn)), pairs(&[("@s/a", "1.2.0"), ("b", "2.0.0")]));
        let berry = "\"c@npm:^3.0.0\":\n  version: 3.1.0\n";
        assert_eq!(names(yarn_lock(berry)), pairs(&[("c", "3.1.0")]));
        let pnpm = "lockfileVersion: '9.0'\npackages:\n\n  '@s/a@1.0.0(b@2.0.0)':\n    resolution: {}\n\n  /b@2.0.0:\n    dev: true\n  /c/3.0.0:\n    dev: true\nsnapshots:\n  d@1.0.0:\n";
        assert_eq!(
            names(pnpm_lock(pnpm)),
            pairs(&[("@s/a", "1.0.0"), ("b", "2.0.0"), ("c", "3.0.0")])
        );
    }

    #[test]
    fn a_broken_manifest_says_why() {
        assert!(manifest("{\"dependencies\": ").is_err());
        assert!(manifest("[]").is_err());
        assert!(manifest(&"[".repeat(100_000)).is_err());
    }
}
