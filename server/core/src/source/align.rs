//! Where a place in a YAML scalar's value stands in the file, whatever the scalar's style.

use super::{At, Source};

/// The position of the byte `offset` of `value`, which is what the scalar at `at` means.
///
/// Walks what is written and what it means side by side. White space is skipped on both sides, because
/// block and multi-line scalars indent and fold it; everything else must agree, apart from the
/// escapes of quoted scalars. Where the two part ways, the place of parting is the best answer.
pub(crate) fn position(source: Source<'_>, at: At, value: &str, offset: usize) -> At {
    let Some(written) = source.text.get(at.start..at.end) else { return at };
    let quote = quote(written, value);
    let mut rest = written.char_indices().peekable();
    if quote.is_some() {
        rest.next();
    }
    for (index, meant) in value.char_indices() {
        if meant.is_whitespace() {
            continue;
        }
        while rest.next_if(|(_, c)| c.is_whitespace()).is_some() {}
        if quote == Some('"') {
            while skip_white_escape(written, &mut rest) {}
        }
        let Some(&(place, c)) = rest.peek() else { break };
        if index >= offset {
            return source.at(at.start + place);
        }
        rest.next();
        let agrees = match (quote, c) {
            (Some('"'), '\\') => read_escape(&mut rest) == Some(meant),
            (Some('\''), '\'') => rest.next().is_some_and(|(_, c)| c == '\'') && meant == '\'',
            _ => c == meant,
        };
        if !agrees {
            return source.at(at.start + place);
        }
    }
    at
}

/// The quote that encloses the scalar. The text of a block scalar may start with a quote, too; then
/// its value does as well.
fn quote(written: &str, value: &str) -> Option<char> {
    let quote = written.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let inside = &written[1..];
    let escaped = inside.starts_with('\\') || inside.starts_with(quote);
    (!value.starts_with(quote) || escaped).then_some(quote)
}

type Rest<'a> = std::iter::Peekable<std::str::CharIndices<'a>>;

/// Escapes that mean white space, and an escaped end of line.
fn skip_white_escape(written: &str, rest: &mut Rest<'_>) -> bool {
    let Some(&(place, '\\')) = rest.peek() else { return false };
    let white = written[place + 1..]
        .chars()
        .next()
        .is_some_and(|c| matches!(c, 'n' | 't' | 'r' | ' ' | '\n' | '\t' | 'v' | 'f' | 'N' | '_'));
    if white {
        rest.next();
        rest.next();
        while rest.next_if(|(_, c)| c.is_whitespace()).is_some() {}
    }
    white
}

fn read_escape(rest: &mut Rest<'_>) -> Option<char> {
    let (_, kind) = rest.next()?;
    let digits = match kind {
        'x' => 2,
        'u' => 4,
        'U' => 8,
        other => return Some(other),
    };
    let hex: String = rest.by_ref().take(digits).map(|(_, c)| c).collect();
    char::from_u32(u32::from_str_radix(&hex, 16).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::{Value, parse};

    fn find(yaml: &str, needle: &str) -> (u32, u32) {
        let source = Source::new("f", yaml);
        let root = parse(source).unwrap();
        let Value::Map(entries) = &root.value else { panic!("{root:?}") };
        let node = &entries.last().unwrap().value;
        let Value::Text(value) = &node.value else { panic!("{node:?}") };
        let at = position(source, node.at, value, value.find(needle).unwrap());
        (at.line, at.column)
    }

    #[test]
    fn a_place_is_found_in_every_style() {
        assert_eq!(find("a: one {{ x }}", "x"), (1, 11));
        assert_eq!(find("a: one\n  two {{ x }}", "x"), (2, 10));
        assert_eq!(find("a: \"ä\\t\\\"b\\\" \\u00e4 {{ x }}\"", "x"), (1, 24));
        assert_eq!(find("a: 'it''s {{ x }}'", "x"), (1, 14));
        assert_eq!(find("k: 1\na: |\n  one\n\n   two {{ x }}\n", "x"), (5, 11));
        assert_eq!(find("a: >-\n  one\n  two {{ x }}\n", "x"), (3, 10));
        assert_eq!(find("a: |\n  \"quoted\" {{ x }}\n", "x"), (2, 15));
    }
}
