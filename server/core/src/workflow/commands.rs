//! The commands of a workflow file: `verify`, `accept`, and the argument `commands` of an action.

use crate::{
    command::{self, CommandError},
    source::{At, Fields, Findings, Node, Text, Value, shortened},
};

/// The commands of a key, and where the key is.
pub(crate) struct Commands {
    pub(crate) at: At,
    pub(crate) list: Vec<Vec<String>>,
}

/// One command as a text, or a list of commands, each a text or a list of arguments. An empty list is
/// a value, too: there shall be none.
pub(super) fn read<'n>(
    key: &'static str,
    fields: Fields<'n>,
    findings: &mut Findings<'n>,
) -> Option<Commands> {
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
    Some(Commands { at: entry.key_at, list })
}

fn command<'n>(
    key: &'static str,
    node: &'n Node,
    findings: &mut Findings<'n>,
) -> Option<Vec<String>> {
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
                findings.error(node.at, message, "write out what the command is to be");
            }
            Some(words)
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
