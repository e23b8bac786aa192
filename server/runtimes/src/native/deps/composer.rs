//! Composer, for PHP.

use super::{DependencyKind, Found, json};
use jsonc_parser::{ast::Value, common::Ranged};

/// `composer.json`. What the platform itself must bring (`php`, `ext-json`) is no package.
pub(super) fn manifest(text: &str) -> Result<Vec<Found>, String> {
    json::read(text, |top| {
        Ok([("require", DependencyKind::Normal), ("require-dev", DependencyKind::Dev)]
            .into_iter()
            .flat_map(|(key, kind)| json::versions(top, key, kind))
            .filter(|found| found.name.contains('/'))
            .collect())
    })
}

/// `composer.lock`.
pub(super) fn lock(text: &str) -> Result<Vec<Found>, String> {
    json::read(text, |top| {
        let packages = ["packages", "packages-dev"].into_iter().filter_map(|key| {
            json::get(top, key).and_then(Value::as_array).map(|array| &array.elements)
        });
        let package = |value: &Value<'_>| {
            let object = value.as_object()?;
            let name = json::get(object, "name")?.as_string_lit()?;
            Some(Found {
                name: name.value.clone().into_owned(),
                version: json::text(object, "version").unwrap_or_default().to_owned(),
                kind: DependencyKind::Locked,
                at: name.range().start,
            })
        };
        Ok(packages.flatten().filter_map(package).collect())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_are_read_and_the_platform_is_not() {
        let found = manifest(r#"{"require": {"php": ">=8", "a/b": "^1"}}"#).unwrap();
        assert_eq!((found.len(), found[0].name.as_str()), (1, "a/b"));
        let found = lock(r#"{"packages": [{"name": "a/b", "version": "v1.2"}]}"#).unwrap();
        assert_eq!((found[0].name.as_str(), found[0].version.as_str()), ("a/b", "v1.2"));
    }
}
