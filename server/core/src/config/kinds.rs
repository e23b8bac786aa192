//! The types that a setting can have, and how each is written.

mod commands;

pub use commands::{CommandLines, Paths};

use crate::{
    confinement::SandboxChoice,
    ids::is_plain_word,
    plan::{ApplyPolicy, Clean},
    selection::{Criterion, Order},
    time::Millis,
};
use serde::{Deserialize, Serialize};
use std::{fmt, ops::RangeInclusive, str::FromStr};

/// A value as a layer gives it.
#[derive(Debug, Clone, Copy)]
pub(super) enum Given<'a> {
    Text(&'a str),
    Integer(i64),
    Bool(bool),
    /// Of texts only.
    List(&'a [&'a str]),
    /// Of texts and lists of texts.
    Nested(&'a [Item<'a>]),
    /// A TOML value that no setting has, by the name of its type.
    Other(&'static str),
}

/// One of several items that are not all texts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Item<'a> {
    Text(&'a str),
    List(Vec<&'a str>),
}

impl<'a> Item<'a> {
    pub(super) fn as_text(&self) -> Option<&'a str> {
        match self {
            Self::Text(text) => Some(text),
            Self::List(_) => None,
        }
    }
}

/// What a number may be; nothing to say for other types.
pub(super) type Bounds = RangeInclusive<u64>;

/// A type of settings.
pub(super) trait Kind: Sized {
    /// For the reference page, with an article.
    fn describe(bounds: &Bounds) -> String;

    /// The error reads after "`key` is ".
    fn read(given: Given<'_>, bounds: &Bounds) -> Result<Self, String>;

    /// How the value is written in TOML.
    fn to_toml(&self) -> String;
}

fn wrong<T: Kind>(given: Given<'_>, bounds: &Bounds) -> String {
    let expected = T::describe(bounds);
    match given {
        Given::List(_) | Given::Nested(_) => format!("a list, not {expected}"),
        Given::Other(kind) => format!("{kind}, not {expected}"),
        _ => format!("not {expected}"),
    }
}

/// A number of bytes. Written as `64MiB`, `10kB`, or a plain number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Bytes(pub u64);

impl Bytes {
    const UNITS: [(&'static str, u64); 8] = [
        ("GiB", 1 << 30),
        ("MiB", 1 << 20),
        ("KiB", 1 << 10),
        ("GB", 1_000_000_000),
        ("MB", 1_000_000),
        ("KB", 1_000),
        ("kB", 1_000),
        ("B", 1),
    ];

    pub const fn gibibytes(count: u64) -> Self {
        Self(count << 30)
    }

    pub const fn mebibytes(count: u64) -> Self {
        Self(count << 20)
    }
}

/// Why a text is not a number of bytes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a size; write a number and a unit, such as 64MiB")]
pub struct BytesError;

impl FromStr for Bytes {
    type Err = BytesError;

    fn from_str(text: &str) -> Result<Self, BytesError> {
        let text = text.trim();
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        let (number, unit) = text.split_at(digits);
        let number: u64 = number.parse().map_err(|_| BytesError)?;
        let factor = match unit.trim() {
            "" => 1,
            unit => Self::UNITS
                .iter()
                .find(|(name, _)| *name == unit)
                .map(|(_, factor)| *factor)
                .ok_or(BytesError)?,
        };
        number.checked_mul(factor).map(Self).ok_or(BytesError)
    }
}

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let binary = &Self::UNITS[..3];
        match binary.iter().find(|(_, size)| self.0 >= *size && self.0.is_multiple_of(*size)) {
            Some((unit, size)) => write!(f, "{}{unit}", self.0 / size),
            None => write!(f, "{}B", self.0),
        }
    }
}

impl Kind for Bytes {
    fn describe(_: &Bounds) -> String {
        "a size such as `64MiB`".to_owned()
    }

    fn read(given: Given<'_>, bounds: &Bounds) -> Result<Self, String> {
        match given {
            Given::Text(text) => text.parse().ok(),
            Given::Integer(number) => u64::try_from(number).ok().map(Self),
            Given::Bool(_) | Given::List(_) | Given::Nested(_) | Given::Other(_) => None,
        }
        .ok_or_else(|| wrong::<Self>(given, bounds))
    }

    fn to_toml(&self) -> String {
        format!("\"{self}\"")
    }
}

impl Kind for Millis {
    fn describe(_: &Bounds) -> String {
        "a duration such as `10m` or `1h 30m`".to_owned()
    }

    fn read(given: Given<'_>, bounds: &Bounds) -> Result<Self, String> {
        match given {
            Given::Text(text) => text.parse().ok(),
            Given::Integer(_)
            | Given::Bool(_)
            | Given::List(_)
            | Given::Nested(_)
            | Given::Other(_) => None,
        }
        .ok_or_else(|| wrong::<Self>(given, bounds))
    }

    fn to_toml(&self) -> String {
        let (number, unit) = match self.0 {
            0 => (0, "s"),
            ms if ms.is_multiple_of(3_600_000) => (ms / 3_600_000, "h"),
            ms if ms.is_multiple_of(60_000) => (ms / 60_000, "m"),
            ms if ms.is_multiple_of(1_000) => (ms / 1_000, "s"),
            ms => (ms, "ms"),
        };
        format!("\"{number}{unit}\"")
    }
}

impl Kind for bool {
    fn describe(_: &Bounds) -> String {
        "`true` or `false`".to_owned()
    }

    fn read(given: Given<'_>, bounds: &Bounds) -> Result<Self, String> {
        match given {
            Given::Bool(value) => Some(value),
            Given::Text("true" | "1" | "yes" | "on") => Some(true),
            Given::Text("false" | "0" | "no" | "off") => Some(false),
            Given::Text(_)
            | Given::Integer(_)
            | Given::List(_)
            | Given::Nested(_)
            | Given::Other(_) => None,
        }
        .ok_or_else(|| wrong::<Self>(given, bounds))
    }

    fn to_toml(&self) -> String {
        self.to_string()
    }
}

macro_rules! choice {
    ($($choice:ty),+) => {$(
        impl Kind for $choice {
            fn describe(_: &Bounds) -> String {
                let [words @ .., (last, _)] = Self::WORDS;
                let words = words.map(|(word, _)| format!("`{word}`")).join(", ");
                format!("one of {words} or `{last}`")
            }

            fn read(given: Given<'_>, bounds: &Bounds) -> Result<Self, String> {
                let chosen = match given {
                    Given::Text(text) => Self::WORDS.iter().find(|(word, _)| *word == text.trim()),
                    Given::Integer(_)
                    | Given::Bool(_)
                    | Given::List(_)
                    | Given::Nested(_)
                    | Given::Other(_) => None,
                };
                chosen.map(|(_, choice)| *choice).ok_or_else(|| wrong::<Self>(given, bounds))
            }

            fn to_toml(&self) -> String {
                format!("\"{self}\"")
            }
        }
    )+};
}

choice!(SandboxChoice, Clean, ApplyPolicy);

macro_rules! whole_number {
    ($($number:ty),+) => {$(
        impl Kind for $number {
            fn describe(bounds: &Bounds) -> String {
                format!("a whole number from {} to {}", bounds.start(), bounds.end())
            }

            fn read(given: Given<'_>, bounds: &Bounds) -> Result<Self, String> {
                match given {
                    Given::Text(text) => text.trim().parse::<u64>().ok(),
                    Given::Integer(number) => u64::try_from(number).ok(),
                    Given::Bool(_) | Given::List(_) | Given::Nested(_) | Given::Other(_) => None,
                }
                .filter(|number| bounds.contains(number))
                .and_then(|number| Self::try_from(number).ok())
                .ok_or_else(|| wrong::<Self>(given, bounds))
            }

            fn to_toml(&self) -> String {
                self.to_string()
            }
        }
    )+};
}

whole_number!(u32, usize);

/// How an empty list is written in a variable, where nothing at all means that it is not set.
const NONE: &str = "none";

/// The words of a list, or of a text with commas.
fn words(given: Given<'_>) -> Option<Vec<&str>> {
    match given {
        Given::Text(text) if text.trim() == NONE => Some(Vec::new()),
        Given::Text(text) => Some(text.split(',').map(str::trim).collect()),
        Given::List(words) => Some(words.to_vec()),
        Given::Integer(_) | Given::Bool(_) | Given::Nested(_) | Given::Other(_) => None,
    }
}

fn list_to_toml(words: impl Iterator<Item = impl fmt::Display>) -> String {
    let words: Vec<String> = words.map(|word| format!("\"{word}\"")).collect();
    format!("[{}]", words.join(", "))
}

impl Kind for Vec<String> {
    fn describe(_: &Bounds) -> String {
        "a list of names such as `[\"one\", \"two\"]`; in a variable `one,two`, or `none`"
            .to_owned()
    }

    fn read(given: Given<'_>, bounds: &Bounds) -> Result<Self, String> {
        words(given)
            .filter(|words| words.iter().all(|word| is_plain_word(word)))
            .map(|words| words.into_iter().map(str::to_owned).collect())
            .ok_or_else(|| wrong::<Self>(given, bounds))
    }

    fn to_toml(&self) -> String {
        list_to_toml(self.iter())
    }
}

impl Kind for Order {
    fn describe(_: &Bounds) -> String {
        let words: Vec<String> = Criterion::ALL.iter().map(|word| format!("`{word}`")).collect();
        format!("a list of {}; in a variable with commas between", words.join(", "))
    }

    fn read(given: Given<'_>, bounds: &Bounds) -> Result<Self, String> {
        words(given)
            .and_then(|words| words.into_iter().map(|word| word.parse().ok()).collect())
            .filter(|criteria: &Vec<Criterion>| {
                (1..).zip(criteria).all(|(next, one)| !criteria[next..].contains(one))
            })
            .map(Self)
            .ok_or_else(|| wrong::<Self>(given, bounds))
    }

    fn to_toml(&self) -> String {
        list_to_toml(self.0.iter())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_and_shown_with_units() {
        let read = |text: &str| text.parse::<Bytes>().map(|bytes| bytes.0).ok();
        assert_eq!(read("64MiB"), Some(64 << 20));
        assert_eq!(read("10 kB"), Some(10_000));
        assert_eq!(read("512"), Some(512));
        for text in ["", "MiB", "-1", "1.5GiB", "1 parsec", "99999999999GiB"] {
            assert_eq!(read(text), None, "{text}");
        }
        assert_eq!(Bytes::mebibytes(64).to_string(), "64MiB");
        assert_eq!(Bytes(1_000).to_string(), "1000B");
    }
    #[test]
    fn lists_are_read_from_files_and_variables() {
        let bounds = 0..=0;
        let read = |given| Vec::<String>::read(given, &bounds).ok();
        let names = |names: &[&str]| Some(names.iter().map(|&name| name.to_owned()).collect());
        assert_eq!(read(Given::List(&["codex", "mini"])), names(&["codex", "mini"]));
        assert_eq!(read(Given::Text("codex, mini")), names(&["codex", "mini"]));
        assert_eq!((read(Given::Text("none")), read(Given::List(&[]))), (names(&[]), names(&[])));
        assert_eq!((read(Given::Text("a,,b")), read(Given::Bool(true))), (None, None));
        assert_eq!(
            names(&["a", "b"]).map(|names: Vec<String>| names.to_toml()).unwrap(),
            r#"["a", "b"]"#
        );

        let order = |text| Order::read(Given::Text(text), &bounds).map(|order| order.0).ok();
        assert_eq!(order("name,load"), Some(vec![Criterion::Name, Criterion::Load]));
        assert_eq!((order("load,load"), order("speed")), (None, None));
    }
}
