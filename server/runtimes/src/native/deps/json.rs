//! JSON with the places of its keys.

use super::{DependencyKind, Found};
use jsonc_parser::{
    ParseOptions,
    ast::{Object, Value},
    common::Ranged,
    parse_to_ast,
};

/// Reads a document whose top is an object.
pub(super) fn read<T>(
    text: &str,
    use_it: impl FnOnce(&Object<'_>) -> Result<T, String>,
) -> Result<T, String> {
    let parsed = parse_to_ast(text, &Default::default(), &ParseOptions::default())
        .map_err(|error| error.to_string())?;
    match &parsed.value {
        Some(Value::Object(object)) => use_it(object),
        _ => Err("the top is not an object".to_owned()),
    }
}

/// The value of a key.
pub(super) fn get<'v, 'a>(object: &'v Object<'a>, key: &str) -> Option<&'v Value<'a>> {
    let property = object.properties.iter().find(|property| property.name.as_str() == key)?;
    Some(&property.value)
}

pub(super) fn text<'v>(object: &'v Object<'_>, key: &str) -> Option<&'v str> {
    get(object, key)?.as_string_lit().map(|text| text.value.as_ref())
}

/// The entries `name: "version"` of the object below `key`.
pub(super) fn versions(object: &Object<'_>, key: &str, kind: DependencyKind) -> Vec<Found> {
    let Some(table) = get(object, key).and_then(Value::as_object) else { return Vec::new() };
    let entry = |property: &jsonc_parser::ast::ObjectProp<'_>| Found {
        name: property.name.as_str().to_owned(),
        version: property
            .value
            .as_string_lit()
            .map_or_else(String::new, |version| version.value.clone().into_owned()),
        kind,
        at: property.range().start,
    };
    table.properties.iter().map(entry).collect()
}
