//! Lists of commands, and of paths in a workspace.

use super::{Bounds, Given, Item, Kind, NONE, wrong};
use crate::command;
use std::fmt::Write as _;

/// Commands, each a list of arguments.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CommandLines(pub Vec<Vec<String>>);

impl Kind for CommandLines {
    fn describe(_: &Bounds) -> String {
        "a list of commands such as `[\"cargo test\", [\"cargo\", \"clippy\"]]`, each a text that is \
         split into words or a list of arguments; in a variable one on each line, or `none`"
            .to_owned()
    }

    fn read(given: Given<'_>, bounds: &Bounds) -> Result<Self, String> {
        let commands: Result<Vec<_>, String> = match given {
            Given::Text(text) if text.trim() == NONE => Ok(Vec::new()),
            Given::Text(text) => {
                text.lines().filter(|line| !line.trim().is_empty()).map(split).collect()
            }
            Given::List(texts) => texts.iter().map(|text| split(text)).collect(),
            Given::Nested(items) => items.iter().map(of_item).collect(),
            Given::Integer(_) | Given::Bool(_) | Given::Other(_) => {
                Err(wrong::<Self>(given, bounds))
            }
        };
        commands.map(Self)
    }

    fn to_toml(&self) -> String {
        let commands: Vec<String> = self.0.iter().map(|command| texts_to_toml(command)).collect();
        format!("[{}]", commands.join(", "))
    }
}

fn of_item(item: &Item<'_>) -> Result<Vec<String>, String> {
    match item {
        Item::Text(text) => split(text),
        Item::List(words) => {
            let words = words.iter().map(|&word| word.to_owned()).collect();
            command::from_arguments(words).map_err(|error| explained("[…]", &error))
        }
    }
}

fn split(text: &str) -> Result<Vec<String>, String> {
    command::split(text).map_err(|error| explained(text.trim(), &error))
}

fn explained(text: &str, error: &command::CommandError) -> String {
    format!("wrong at `{}`: {error}; {}", crate::source::shortened(text), error.hint())
}

/// Paths and patterns below the workspace's root.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Paths(pub Vec<String>);

impl Kind for Paths {
    fn describe(_: &Bounds) -> String {
        "a list of paths below the root such as `[\"node_modules\", \".env\"]`; in a variable one on each \
         line, or `none`"
            .to_owned()
    }

    fn read(given: Given<'_>, bounds: &Bounds) -> Result<Self, String> {
        let paths: Vec<&str> = match given {
            Given::Text(text) if text.trim() == NONE => Vec::new(),
            Given::Text(text) => {
                text.lines().map(str::trim).filter(|line| !line.is_empty()).collect()
            }
            Given::List(paths) => paths.to_vec(),
            Given::Integer(_) | Given::Bool(_) | Given::Nested(_) | Given::Other(_) => {
                return Err(wrong::<Self>(given, bounds));
            }
        };
        match paths.iter().find(|path| !stays_inside(path)) {
            None => Ok(Self(paths.into_iter().map(str::to_owned).collect())),
            Some(path) => Err(format!(
                "wrong at `{}`: it is no path below the root",
                crate::source::shortened(path)
            )),
        }
    }

    fn to_toml(&self) -> String {
        texts_to_toml(&self.0)
    }
}

fn stays_inside(path: &str) -> bool {
    !path.trim().is_empty()
        && !path.starts_with(['/', '~'])
        && !path.chars().any(char::is_control)
        && path.split(['/', '\\']).all(|part| part != "..")
}

fn texts_to_toml(texts: &[String]) -> String {
    let mut toml = String::from("[");
    for (position, text) in texts.iter().enumerate() {
        let comma = if position == 0 { "" } else { ", " };
        // The strings of JSON are strings of TOML; writing into a string cannot fail.
        let _ = write!(toml, "{comma}{}", serde_json::Value::from(text.as_str()));
    }
    toml + "]"
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOUNDS: Bounds = 0..=0;

    #[test]
    fn commands_are_texts_or_lists_of_arguments() {
        let read = |given| CommandLines::read(given, &BOUNDS);
        let toml = |given| read(given).unwrap().to_toml();
        let nested = [Item::Text("cargo test"), Item::List(vec!["grep", "a\"b", "|"])];
        assert_eq!(toml(Given::Nested(&nested)), r#"[["cargo", "test"], ["grep", "a\"b", "|"]]"#);
        assert_eq!(toml(Given::List(&["make", "npm test"])), r#"[["make"], ["npm", "test"]]"#);
        assert_eq!(toml(Given::Text("make\n\n npm test\n")), r#"[["make"], ["npm", "test"]]"#);
        assert_eq!((toml(Given::Text("none")), toml(Given::List(&[]))), ("[]".into(), "[]".into()));
        assert_eq!(
            read(Given::List(&["make", "pytest 'a"])).unwrap_err(),
            "wrong at `pytest 'a`: a quote is opened and not closed; \
             close it, or write a list: [\"program\", \"it's\"]"
        );
        let empty = [Item::List(Vec::new())];
        assert!(read(Given::Nested(&empty)).unwrap_err().contains("the command is empty"));
        assert!(read(Given::Bool(true)).unwrap_err().starts_with("not a list of commands"));
    }

    #[test]
    fn paths_stay_in_the_workspace() {
        let read = |given| Paths::read(given, &BOUNDS);
        let paths = ["node_modules", "apps/*/.env"];
        assert_eq!(read(Given::List(&paths)).unwrap().0, paths);
        assert_eq!(read(Given::Text("a b\nc")).unwrap().0, ["a b", "c"]);
        for path in ["/etc", "../x", "a/../../b", "~/x", "", "a\nb"] {
            let read = Paths::read(Given::List(&[path]), &BOUNDS);
            assert!(read.is_err(), "{path:?}");
        }
    }
}
