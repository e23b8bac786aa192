//! Placeholders in the arguments of an agent's command.

/// A piece of an argument.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Part<'a> {
    Text(&'a str),
    Placeholder(&'a str),
}

/// Takes an argument apart. `{{` and `}}` stand for the braces themselves; braces around anything but a
/// word, as in JSON, are text.
pub(super) fn parse(argument: &str) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    let mut rest = argument;
    while let Some(at) = rest.find(['{', '}']) {
        let (before, braces) = rest.split_at(at);
        parts.push(Part::Text(before));
        let brace = &braces[..1];
        if braces[1..].starts_with(brace) {
            parts.push(Part::Text(brace));
            rest = &braces[2..];
        } else if let Some(name) = word(braces) {
            parts.push(Part::Placeholder(name));
            rest = &braces[name.len() + 2..];
        } else {
            parts.push(Part::Text(brace));
            rest = &braces[1..];
        }
    }
    parts.push(Part::Text(rest));
    parts
}

/// The word in braces that the text begins with.
fn word(text: &str) -> Option<&str> {
    let (name, _) = text.strip_prefix('{')?.split_once('}')?;
    let is_word = !name.is_empty()
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
    is_word.then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(argument: &str) -> String {
        let show = |part: &Part<'_>| match part {
            Part::Text(text) => (*text).to_owned(),
            Part::Placeholder(name) => format!("<{name}>"),
        };
        parse(argument).iter().map(show).collect()
    }

    #[test]
    fn words_in_braces_are_placeholders_and_nothing_else_is() {
        for (argument, expected) in [
            ("--prompt={prompt}", "--prompt=<prompt>"),
            ("{tree}/{task_id}", "<tree>/<task_id>"),
            ("{{prompt}}", "{prompt}"),
            ("{{{prompt}}}", "{<prompt>}"),
            (r#"{"a": 1}"#, r#"{"a": 1}"#),
            ("{", "{"),
            ("}{", "}{"),
            ("{}", "{}"),
            ("a{{", "a{"),
            ("ä{ö}{model}", "ä{ö}<model>"),
        ] {
            assert_eq!(shown(argument), expected, "{argument}");
        }
    }
}
