//! Reading the fields of a mapping: unknown keys are named, wrong types are findings.

use super::{At, Entry, Findings, Node, Value, align};
use crate::time::Millis;
use std::ops::RangeInclusive;

/// The keys that a mapping may have.
pub(crate) struct Keys {
    /// With an article, for messages: `a step`.
    pub(crate) of: &'static str,
    pub(crate) known: &'static [&'static str],
    /// Keys of the format that this version does not act upon, so it must not accept them either.
    pub(crate) later: &'static [&'static str],
}

/// A mapping whose keys have been checked.
#[derive(Clone, Copy)]
pub(crate) struct Fields<'n> {
    entries: &'n [Entry],
}

impl<'n> Fields<'n> {
    /// `None`, with a finding, when `node` is no mapping.
    pub(crate) fn read(node: &'n Node, keys: &Keys, findings: &mut Findings<'n>) -> Option<Self> {
        let Value::Map(entries) = &node.value else {
            let message = format!("{} is a mapping, but this is {}", keys.of, node.kind());
            findings.error(node.at, message, format!("keys: {}", keys.known.join(", ")));
            return None;
        };
        for entry in entries {
            let key = entry.key.as_str();
            if keys.known.contains(&key) {
                continue;
            }
            if keys.later.contains(&key) {
                let message = format!("`{key}` is not supported by this version");
                findings.error(entry.key_at, message, "remove it, or upgrade orchestra");
                continue;
            }
            let near = findings.near(key, keys.known.iter().copied());
            let hint = near.unwrap_or_else(|| format!("keys: {}", keys.known.join(", ")));
            let key = shortened(key);
            findings.error(entry.key_at, format!("{} has no key `{key}`", keys.of), hint);
        }
        Some(Self { entries })
    }

    /// The same, for mappings whose unknown keys are the caller's affair.
    pub(crate) fn any(entries: &'n [Entry]) -> Self {
        Self { entries }
    }

    pub(crate) fn get(&self, key: &str) -> Option<&'n Entry> {
        self.entries.iter().find(|entry| entry.key == key)
    }

    pub(crate) fn value(&self, key: &str) -> Option<&'n Node> {
        self.get(key).map(|entry| &entry.value)
    }

    /// A text; numbers and the like are taken as they are written.
    pub(crate) fn text(&self, key: &str, findings: &mut Findings<'n>) -> Option<Text<'n>> {
        let entry = self.get(key)?;
        Text::read(&entry.value, &format!("`{key}`"), findings)
    }

    /// A text that says something.
    pub(crate) fn filled(&self, key: &str, findings: &mut Findings<'n>) -> Option<Text<'n>> {
        let text = self.text(key, findings)?;
        if text.value.trim().is_empty() {
            findings.error(text.at, format!("`{key}` is empty"), "fill it in or remove it");
            return None;
        }
        Some(text)
    }

    /// One text or a list of texts.
    pub(crate) fn texts(&self, key: &str, findings: &mut Findings<'n>) -> Vec<Text<'n>> {
        let Some(node) = self.value(key) else { return Vec::new() };
        let what = format!("`{key}`");
        match &node.value {
            Value::Null => Vec::new(),
            Value::List(items) => {
                items.iter().filter_map(|item| Text::read(item, &what, findings)).collect()
            }
            _ => Text::read(node, &what, findings).into_iter().collect(),
        }
    }

    pub(crate) fn flag(&self, key: &str, findings: &mut Findings<'n>) -> Option<bool> {
        let node = self.value(key)?;
        if let Value::Bool(value) = node.value {
            return Some(value);
        }
        let message = format!("`{key}` is true or false, but this is {}", node.kind());
        findings.error(node.at, message, "write `true` or `false`");
        None
    }

    /// A whole number within `range`.
    pub(crate) fn integer(
        &self,
        key: &str,
        range: RangeInclusive<i64>,
        findings: &mut Findings<'n>,
    ) -> Option<i64> {
        let node = self.value(key)?;
        let number = match &node.value {
            Value::Number(number) => number.as_i64(),
            _ => None,
        };
        if let Some(number) = number
            && range.contains(&number)
        {
            return Some(number);
        }
        let written = shortened(findings.written(node.at));
        let (low, high) = (range.start(), range.end());
        let message = format!("`{key}` is a whole number from {low} to {high}, not `{written}`");
        findings.error(node.at, message, format!("write, for example, `{key}: {}`", low.max(&1)));
        None
    }

    /// A span of time, and where it is written.
    pub(crate) fn duration(&self, key: &str, findings: &mut Findings<'n>) -> Option<(Millis, At)> {
        let text = self.text(key, findings)?;
        match text.value.parse::<Millis>() {
            Ok(span) => Some((span, text.at)),
            Err(error) => {
                findings.error(text.at, format!("`{key}`: {error}"), format!("{key}: 30m"));
                None
            }
        }
    }

    /// One of a few words.
    pub(crate) fn choice<T: Copy>(
        &self,
        key: &str,
        choices: &[(&'static str, T)],
        later: &[&str],
        findings: &mut Findings<'n>,
    ) -> Option<T> {
        let text = self.text(key, findings)?;
        if let Some((_, choice)) = choices.iter().find(|(word, _)| *word == text.value) {
            return Some(*choice);
        }
        let words: Vec<&str> = choices.iter().map(|(word, _)| *word).collect();
        let word = shortened(text.value);
        if later.contains(&text.value) {
            let message = format!("{key} `{word}` is not supported by this version");
            findings.error(text.at, message, format!("use one of: {}", words.join(", ")));
            return None;
        }
        let near = findings.near(text.value, words.iter().copied());
        let hint = near.unwrap_or_else(|| format!("use one of: {}", words.join(", ")));
        findings.error(text.at, format!("there is no {key} `{word}`"), hint);
        None
    }
}

/// A scalar read as a text.
#[derive(Clone, Copy)]
pub(crate) struct Text<'n> {
    pub(crate) value: &'n str,
    pub(crate) at: At,
}

impl<'n> Text<'n> {
    /// `what` is for the message.
    pub(crate) fn read(node: &'n Node, what: &str, findings: &mut Findings<'n>) -> Option<Self> {
        let value = match &node.value {
            Value::Text(text) => text,
            // People write `model: 5` or `default: true` and mean the word.
            Value::Number(_) | Value::Bool(_) => findings.written(node.at),
            Value::Null => {
                findings.error(node.at, format!("{what} has no value"), "fill it in or remove it");
                return None;
            }
            Value::List(_) | Value::Map(_) => {
                let message = format!("{what} is a text, but this is {}", node.kind());
                // `[agent, {prompt}]` is what people write first, and a mapping in YAML.
                let hint = if findings.written(node.at).starts_with('{') {
                    "put a text with braces in quotes: \"{…}\""
                } else {
                    "write one text here"
                };
                findings.error(node.at, message, hint);
                return None;
            }
        };
        Some(Self { value, at: node.at })
    }

    /// Where the byte `offset` of the text stands in the file.
    pub(crate) fn place(&self, offset: usize, findings: &Findings<'_>) -> At {
        align::position(findings.source, self.at, self.value, offset)
    }
}

/// What people wrote may be a document; a message quotes the start of it.
pub(crate) fn shortened(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default();
    let mut short: String = line.chars().take(60).collect();
    if short.len() < text.trim_end().len() {
        short.push('…');
    }
    // A terminal would obey them.
    short.replace(char::is_control, "\u{fffd}")
}
