//! Which capabilities a text mentions, for agents that do not say what they can do.

use crate::capability::CAPABILITIES;

/// How much of a text is looked at, in bytes: what an agent is for stands at the top.
const LOOKED_AT: usize = 4 << 10;
/// The most capabilities that a text can be taken to claim.
const MOST: usize = 5;

/// The capabilities that a text mentions, in the order in which it does.
pub(super) fn infer(text: &str) -> Vec<String> {
    let text = text[..text.floor_char_boundary(LOOKED_AT)].to_lowercase();
    let mut found: Vec<(usize, &str)> = CAPABILITIES
        .iter()
        .filter_map(|capability| {
            let first = capability.hints.iter().filter_map(|hint| word_start(&text, hint)).min()?;
            Some((first, capability.id))
        })
        .collect();
    found.sort_unstable();
    found.into_iter().take(MOST).map(|(_, capability)| capability.to_owned()).collect()
}

/// Where a word of `text` begins with `hint`.
fn word_start(text: &str, hint: &str) -> Option<usize> {
    text.match_indices(hint)
        .map(|(place, _)| place)
        .find(|&place| !text[..place].ends_with(char::is_alphanumeric))
}
