//! TOML with the places of its keys.

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

/// Reads a document.
pub(super) fn read(text: &str) -> Result<Spanned<DeTable<'_>>, String> {
    DeTable::parse(text).map_err(|error| error.message().to_owned())
}

/// The table that the keys lead to.
pub(super) fn table<'v, 'i>(top: &'v DeTable<'i>, keys: &[&str]) -> Option<&'v DeTable<'i>> {
    keys.iter().try_fold(top, |table, key| table.get(*key)?.get_ref().as_table())
}

pub(super) fn text<'v>(table: &'v DeTable<'_>, key: &str) -> Option<&'v str> {
    table.get(key)?.get_ref().as_str()
}

pub(super) fn array<'v, 'i>(table: &'v DeTable<'i>, key: &str) -> &'v [Spanned<DeValue<'i>>] {
    table.get(key).and_then(|value| value.get_ref().as_array()).map_or(&[], |array| array)
}
