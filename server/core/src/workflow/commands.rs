//! The commands of a workflow file: `verify`, `accept`, and the argument `commands` of an action.

use crate::{
    command::{self, CommandError},
    source::{At, Fields, Findings, Node, Text, Value, shortened},
    template,
};
use serde_json::{Map, Value as Json};

/// The commands of a key, and where the key is.
pub(crate) struct Commands<'n> {
    pub(crate) at: At,
    key: &'static str,
    list: Vec<Command<'n>>,
}

/// A command as it is written.
enum Command<'n> {
    Words(Vec<String>),
    /// Whoever starts the run says the whole command, by the parameter of this name.
    Param(Text<'n>),
}

impl Commands<'_> {
    pub(crate) fn has_params(&self) -> bool {
        self.list.iter().any(|command| matches!(command, Command::Param(_)))
    }

    /// The programs with their arguments. A parameter that is empty is no command.
    pub(crate) fn resolve(
        &self,
        params: &Map<String, Json>,
        findings: &mut Findings<'_>,
    ) -> Vec<Vec<String>> {
        let resolved = self.list.iter().filter_map(|command| match command {
            Command::Words(words) => Some(words.clone()),
            Command::Param(name) => self.of_param(*name, params, findings),
        });
        resolved.collect()
    }

    fn of_param(
        &self,
        name: Text<'_>,
        params: &Map<String, Json>,
        findings: &mut Findings<'_>,
    ) -> Option<Vec<String>> {
        let param = shortened(name.value);
        match params.get(name.value) {
            None => {
                let hint = findings.near(name.value, params.keys().map(String::as_str));
                let hint = hint.unwrap_or_else(|| "declare it below `params:`".to_owned());
                findings.error(name.at, format!("there is no parameter `{param}`"), hint);
                None
            }
            Some(Json::Null) => None,
            Some(Json::String(text)) if text.trim().is_empty() => None,
            Some(Json::String(text)) => match command::split(text) {
                Ok(words) => Some(words),
                Err(error) => {
                    let message = format!("`{}` is the parameter `{param}`: {error}", self.key);
                    findings.error(name.at, message, error.hint());
                    None
                }
            },
            Some(_) => {
                let message =
                    format!("`{}` is the parameter `{param}`, which is no text", self.key);
                findings.error(name.at, message, "give it a command as one text");
                None
            }
        }
    }
}

/// One command as a text, or a list of commands, each a text or a list of arguments. An empty list is
/// a value, too: there shall be none.
pub(super) fn read<'n>(
    key: &'static str,
    fields: Fields<'n>,
    findings: &mut Findings<'n>,
) -> Option<Commands<'n>> {
    let entry = fields.get(key)?;
    let node = &entry.value;
    let list = match &node.value {
        Value::Null => Vec::new(),
        Value::List(items) => {
            one_command_as_list(key, node, items, findings);
            items.iter().filter_map(|item| command(key, item, findings)).collect()
        }
        _ => command(key, node, findings).into_iter().collect(),
    };
    Some(Commands { at: entry.key_at, key, list })
}

fn command<'n>(
    key: &'static str,
    node: &'n Node,
    findings: &mut Findings<'n>,
) -> Option<Command<'n>> {
    if let Value::Text(text) = &node.value
        && let Some(name) = template::sole_parameter(text)
    {
        return Some(Command::Param(Text { value: name, at: node.at }));
    }
    let what = format!("a command of `{key}`");
    let read = match &node.value {
        Value::List(items) => {
            let words = items.iter().map(|item| Text::read(item, &what, findings));
            let words: Option<Vec<Text<'_>>> = words.collect();
            let words: Vec<String> = words?.iter().map(|word| word.value.to_owned()).collect();
            command::from_arguments(words)
        }
        _ => command::split(Text::read(node, &what, findings)?.value),
    };
    match read {
        Ok(words) => {
            if let Some(word) = words.iter().find(|word| word.contains("{{")) {
                let message = format!("`{}` is taken as it is, not as a template", shortened(word));
                let hint =
                    "write out what the command is to be; only a whole command can be a parameter";
                findings.error(node.at, message, hint);
            }
            Some(Command::Words(words))
        }
        Err(error) => {
            say(key, node, &error, findings);
            None
        }
    }
}

fn say<'n>(key: &str, node: &'n Node, error: &CommandError, findings: &mut Findings<'n>) {
    findings.error(node.at, format!("`{key}`: {error}"), error.hint());
}

/// `verify: [cargo, test]` would be two commands, of which the first is green and does nothing.
fn one_command_as_list<'n>(
    key: &str,
    node: &'n Node,
    items: &'n [Node],
    findings: &mut Findings<'n>,
) {
    let word = |item: &'n Node| match &item.value {
        Value::Text(text) if template::sole_parameter(text).is_some() => None,
        Value::Text(text) if !text.contains(char::is_whitespace) => Some(text.as_str()),
        _ => None,
    };
    let words: Option<Vec<&str>> = items.iter().map(word).collect();
    if let Some(words) = words
        && words.len() > 1
    {
        let line = shortened(&words.join(" "));
        let message = format!("`{key}` is a list of commands, and these look like one command");
        let several: Vec<String> = words.iter().map(|word| format!("[{word}]")).collect();
        let hint = format!(
            "write `{key}: {line}`, or `{key}: [{}]` for several",
            shortened(&several.join(", "))
        );
        findings.error(node.at, message, hint);
    }
}
