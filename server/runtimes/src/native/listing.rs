//! Bringing what an action found into its two forms: the bounded result and the full listing.

use super::contract::{Context, OutputFile, Stop};
use orchestra_core::outcome::Output;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// How many items a result holds unless an argument says otherwise.
pub(crate) const RESULT_ITEMS: u64 = 500;

/// How many items a full listing holds at most.
pub(crate) const LISTED_ITEMS: usize = 50_000;

/// How many groups a table of counts holds.
pub(crate) const GROUPS: usize = 20;

/// How often something occurs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Count {
    pub name: String,
    pub count: u64,
}

/// Counts by name.
#[derive(Default)]
pub(crate) struct Counts(BTreeMap<String, u64>);

impl Counts {
    pub(crate) fn add(&mut self, name: &str) {
        match self.0.get_mut(name) {
            Some(count) => *count += 1,
            None => {
                self.0.insert(name.to_owned(), 1);
            }
        }
    }

    pub(crate) fn merge(&mut self, other: Self) {
        for (name, count) in other.0 {
            *self.0.entry(name).or_default() += count;
        }
    }

    /// The most frequent first, `limit` of them.
    pub(crate) fn top(self, limit: usize) -> Vec<Count> {
        let mut counts: Vec<Count> =
            self.0.into_iter().map(|(name, count)| Count { name, count }).collect();
        counts.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.name.cmp(&b.name)));
        counts.truncate(limit);
        counts
    }
}

/// The folder by which a path is grouped: its first two levels.
pub(crate) fn folder(path: &str) -> &str {
    let Some((folder, _)) = path.rsplit_once('/') else { return "." };
    match folder.match_indices('/').nth(1) {
        Some((end, _)) => &folder[..end],
        None => folder,
    }
}

/// The result as JSON, made shorter with `shorten` until it may go through the journal.
pub(crate) fn to_result<R: Serialize>(
    mut result: R,
    shorten: impl Fn(&mut R),
) -> Result<Value, Stop> {
    /// More halvings than this leave nothing of any list.
    const HALVINGS: usize = 24;
    for _ in 0..HALVINGS {
        let value = to_value(&result)?;
        // The rest of the event needs some room, too.
        if value.to_string().len() <= Output::MAX_RESULT_BYTES / 2 {
            return Ok(value);
        }
        shorten(&mut result);
    }
    to_value(&result)
}

pub(crate) fn halve<T>(items: &mut Vec<T>) {
    items.truncate(items.len() / 2);
}

/// The full listing as a file: at the step's `output`, else at `path`.
pub(crate) fn listing_file<L: Serialize>(
    ctx: &Context<'_>,
    path: &str,
    listing: &L,
) -> Result<OutputFile, Stop> {
    let mut content = serde_json::to_vec_pretty(listing).map_err(unserialisable)?;
    content.push(b'\n');
    Ok(OutputFile { path: ctx.output.unwrap_or(path).to_owned(), content })
}

fn to_value<R: Serialize>(result: &R) -> Result<Value, Stop> {
    serde_json::to_value(result).map_err(unserialisable)
}

fn unserialisable(error: serde_json::Error) -> Stop {
    Stop::defect(format!("the result cannot be written as JSON: {error}"))
}

/// `1 file`, `2 files`, `12,345 files`.
pub(crate) fn counted(number: u64, singular: &str, plural: &str) -> String {
    format!("{} {}", grouped(number), if number == 1 { singular } else { plural })
}

/// `12,345`.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_group_by_two_levels() {
        assert_eq!(folder("README.md"), ".");
        assert_eq!(folder("src/a.rs"), "src");
        assert_eq!(folder("server/core/src/a.rs"), "server/core");
    }

    #[test]
    fn numbers_are_grouped() {
        assert_eq!([0, 999, 1_000, 1_234_567].map(grouped), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!(counted(1, "file", "files"), "1 file");
    }

    #[test]
    fn a_result_shrinks_until_it_fits() {
        let items = vec!["x".repeat(1_000); 10_000];
        let value = to_result(items, halve).ok().unwrap();
        assert!(value.to_string().len() <= Output::MAX_RESULT_BYTES / 2);
        assert_eq!(value.as_array().map(Vec::len), Some(312));
    }
}
