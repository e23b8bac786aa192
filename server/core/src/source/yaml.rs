//! YAML to nodes, within limits that keep a hostile file from taking time or memory.

use super::{At, Entry, Node, Source, Value, count, shortened};
use crate::diagnostic::{Diagnostic, Severity};
use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_saphyr::{
    Error, Location, Options, Spanned, budget::BudgetBreach, options::DuplicateKeyPolicy,
};
use std::fmt;

/// The longest list; a workflow has no more steps than this.
pub(crate) const MAX_LIST: usize = 20_000;
/// How many values one file may hold, those that aliases repeat included.
const MAX_VALUES: usize = 1_000_000;
/// How deep lists and mappings may nest. Each level costs about 40 KiB of stack in a debug build, and a
/// thread may have no more than 2 MiB.
const MAX_DEPTH: usize = 24;
/// How many values aliases may repeat, all together.
const MAX_REPEATED: usize = 200_000;
/// How many aliases one file may use.
const MAX_ALIASES: usize = 10_000;

/// Parses one document. An empty text is [`Value::Null`].
pub(crate) fn parse(source: Source<'_>) -> Result<Node, Box<Diagnostic>> {
    let parsed: Result<Spanned<Raw>, Error> =
        serde_saphyr::from_str_with_options(source.text, options());
    match parsed {
        Ok(root) => Ok(Converter { source }.node(root)),
        Err(error) => Err(Box::new(diagnostic(source, &error))),
    }
}

fn options() -> Options {
    serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_events: MAX_VALUES * 4,
            max_nodes: MAX_VALUES,
            max_depth: MAX_DEPTH,
            flow_nesting_limit: MAX_DEPTH,
            max_aliases: MAX_ALIASES,
            max_documents: 1,
        },
        alias_limits: serde_saphyr::alias_limits! { max_total_replayed_events: MAX_REPEATED },
        duplicate_keys: DuplicateKeyPolicy::Error,
        strict_booleans: true,
        with_snippet: false,
    }
}

/// A value as the parser gives it, before its position is that of the file.
enum Raw {
    Null,
    Bool(bool),
    Number(serde_json::Number),
    Text(String),
    List(Vec<Spanned<Raw>>),
    Map(Vec<(Spanned<String>, Spanned<Raw>)>),
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RawVisitor)
    }
}

struct RawVisitor;

impl<'de> Visitor<'de> for RawVisitor {
    type Value = Raw;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a YAML value")
    }

    fn visit_unit<E>(self) -> Result<Raw, E> {
        Ok(Raw::Null)
    }

    fn visit_none<E>(self) -> Result<Raw, E> {
        Ok(Raw::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Raw, D::Error> {
        Raw::deserialize(deserializer)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Raw, E> {
        Ok(Raw::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Raw, E> {
        Ok(Raw::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Raw, E> {
        Ok(Raw::Number(value.into()))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Raw, E> {
        serde_json::Number::from_f64(value)
            .map(Raw::Number)
            .ok_or_else(|| E::custom("infinity and not-a-number are no values here"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Raw, E> {
        Ok(Raw::Text(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Raw, E> {
        Ok(Raw::Text(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Raw, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = access.next_element()? {
            if items.len() == MAX_LIST {
                return Err(A::Error::custom(TOO_LONG));
            }
            items.push(item);
        }
        Ok(Raw::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Raw, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = access.next_entry()? {
            entries.push(entry);
        }
        Ok(Raw::Map(entries))
    }
}

const TOO_LONG: &str = "more than 20,000 entries in one list";

struct Converter<'a> {
    source: Source<'a>,
}

impl Converter<'_> {
    fn node(&self, raw: Spanned<Raw>) -> Node {
        let value = match raw.value {
            Raw::Null => Value::Null,
            Raw::Bool(value) => Value::Bool(value),
            Raw::Number(number) => Value::Number(number),
            Raw::Text(text) => Value::Text(text),
            Raw::List(items) => {
                Value::List(items.into_iter().map(|item| self.node(item)).collect())
            }
            Raw::Map(entries) => Value::Map(
                entries
                    .into_iter()
                    .map(|(key, value)| Entry {
                        key_at: self.at(key.defined),
                        key: key.value,
                        value: self.node(value),
                    })
                    .collect(),
            ),
        };
        Node { at: self.at(raw.defined), value }
    }

    fn at(&self, location: Location) -> At {
        let number = |value: u64| usize::try_from(value).unwrap_or(usize::MAX);
        let start = number(location.span().byte_offset().unwrap_or(0));
        At {
            line: count(number(location.line())).max(1) + self.source.lines_before,
            column: count(number(location.column())).max(1),
            start,
            end: start.saturating_add(number(location.span().byte_len().unwrap_or(0))),
        }
    }
}

fn diagnostic(source: Source<'_>, error: &Error) -> Diagnostic {
    let error = match error.without_snippet() {
        Error::AliasError { error, .. } => error,
        error => error,
    };
    let location = error.location().unwrap_or(Location::UNKNOWN);
    let at = Converter { source }.at(location);
    let (message, hint) = match error {
        Error::Unexpected { .. } if source.text[..at.start].ends_with('{') => (
            "a text that starts with `{{` is a mapping in YAML".to_owned(),
            "put all of it in quotes: \"{{ … }}\"".to_owned(),
        ),
        error => explain(error),
    };
    Diagnostic {
        file: source.file.to_owned(),
        line: at.line,
        column: at.column,
        severity: Severity::Error,
        message,
        hint,
    }
}

/// What went wrong and what to do about it, in words of the file and not of the parser's options.
fn explain(error: &Error) -> (String, String) {
    let (message, hint): (String, &str) = match error {
        Error::Message { msg, .. } if msg.contains(TOO_LONG) => (
            format!("{TOO_LONG}, which is the limit for steps and for every other list"),
            "split the work into several workflows",
        ),
        Error::Budget { breach, .. } => match breach {
            BudgetBreach::Depth { .. } => (too_deep(), "flatten the structure"),
            BudgetBreach::Documents { .. } => (
                "a second document starts here".to_owned(),
                "keep one document per file: remove `---` and what follows",
            ),
            BudgetBreach::Aliases { .. } | BudgetBreach::AliasAnchorRatio { .. } => {
                (too_many_aliases(), "write the values out")
            }
            _ => (
                format!("the file holds more than {MAX_VALUES} values"),
                "split the work into several workflows",
            ),
        },
        Error::AliasReplayLimitExceeded { .. }
        | Error::AliasReplayStackDepthExceeded { .. }
        | Error::AliasReplayCounterOverflow { .. } => (too_many_aliases(), "write the values out"),
        Error::UnknownAnchor { .. } => (
            "the alias names an anchor that is not defined above it".to_owned(),
            "define it with `&name`, or put the text in quotes if it is no alias",
        ),
        Error::RecursiveReferencesRequireWeakTypes { .. } => {
            ("the alias stands inside the value that it repeats".to_owned(), "write the value out")
        }
        Error::DuplicateMappingKey { key, .. } => (
            format!(
                "`{}` is given twice in one mapping",
                shortened(key.as_deref().unwrap_or("a key"))
            ),
            "remove one of the two",
        ),
        Error::NonFiniteFloat { value, .. } => (
            format!("`{value}` is no number that can be kept"),
            "put it in quotes to make it a text",
        ),
        Error::Unexpected { expected: "string scalar", .. } | Error::NullIntoString { .. } => {
            ("a key must be a plain text".to_owned(), "put the key in quotes")
        }
        Error::ExternalMessage { msg, .. } if msg.contains("recursion limit") => {
            (too_deep(), "flatten the structure")
        }
        Error::ExternalMessage { msg, .. } => (syntax(msg), syntax_hint(msg)),
        other => (syntax(&without_position(&other.to_string())), ""),
    };
    (message, hint.to_owned())
}

fn too_deep() -> String {
    format!("nested deeper than {MAX_DEPTH} levels")
}

fn too_many_aliases() -> String {
    format!("aliases repeat more than {MAX_REPEATED} values")
}

fn syntax(message: &str) -> String {
    format!("not valid YAML: {message}")
}

fn syntax_hint(message: &str) -> &'static str {
    if message.contains("mapping values are not allowed") {
        "put a text that contains `: ` in quotes"
    } else if message.contains("unexpected character") {
        "put a text that starts with a special character in quotes"
    } else if message.contains("escape character") {
        "use single quotes, in which a backslash is just a backslash"
    } else if message.contains("unclosed") || message.contains("closing") {
        "close the quote or bracket that was opened here"
    } else {
        "check the indentation (spaces, no tabs) and the quotes around here"
    }
}

/// The parser appends the position to its messages; the diagnostic has it already.
fn without_position(message: &str) -> String {
    message.rsplit_once(" at line ").map_or(message, |(before, _)| before).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text_at(text: &str, at: At) -> (u32, u32, &str) {
        (at.line, at.column, &text[at.start..at.end])
    }

    #[test]
    fn every_value_knows_where_it_stands() {
        let text = "ä: 'ü' \nb: |\n  one\n  two\nc: &x [1, yes]\nd: *x\n";
        let root = parse(Source::new("f", text)).unwrap();
        let Value::Map(entries) = &root.value else { panic!("{root:?}") };
        let places: Vec<_> = entries
            .iter()
            .map(|entry| (text_at(text, entry.key_at), text_at(text, entry.value.at)))
            .collect();
        assert_eq!(places[0], ((1, 1, "ä"), (1, 4, "'ü'")));
        assert_eq!(places[1], ((2, 1, "b"), (3, 3, "one\n  two\n")));
        assert_eq!(entries[2].value.to_json(), serde_json::json!([1, "yes"]));
        // What an alias repeats stands where it was written.
        assert_eq!(entries[3].value, entries[2].value);
    }

    #[test]
    fn front_matter_counts_the_lines_before_it() {
        let root = parse(Source { lines_before: 3, ..Source::new("f", "\na: 1") }).unwrap();
        let Value::Map(entries) = &root.value else { panic!("{root:?}") };
        assert_eq!(entries[0].key_at.line, 5);
    }

    #[test]
    fn hostile_files_are_refused_with_the_limit() {
        let bomb = (0..9).fold("a0: &a0 [x]\n".to_owned(), |text, level| {
            let repeated = vec![format!("*a{level}"); 10].join(",");
            format!("{text}a{next}: &a{next} [{repeated}]\n", next = level + 1)
        });
        let cases = [
            ("[".repeat(5_000), "f:1:25: error: nested deeper than 24 levels"),
            ((0..200).map(|depth| format!("{}a:\n", " ".repeat(depth))).collect(), "nested deeper"),
            (bomb, "aliases repeat more than 200000 values"),
            ("- x\n".repeat(200_000), "more than 20,000 entries in one list"),
            ("a: &a [*a]".to_owned(), "f:1:8: error: the alias stands inside the value"),
            ("a: 1\n---\nb: 1\n".to_owned(), "f:2:1: error: a second document"),
            ("a: 1\nb: 2\na: 3\n".to_owned(), "f:3:1: error: `a` is given twice"),
        ];
        for (text, expected) in cases {
            let shown = parse(Source::new("f", &text)).unwrap_err().to_string();
            assert!(shown.contains(expected), "{shown}\nshould contain: {expected}");
        }
    }
}
