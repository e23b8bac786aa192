//! The arguments of a native action, checked against what it declares.

use super::{
    contract::{Argument, ArgumentKind, DefaultValue, Info, Stop},
    files,
    listing::RESULT_ITEMS,
};
use orchestra_core::outcome::{Failure, FailureKind};
use serde_json::{Map, Value};

/// Where to look.
pub(super) const PATH: Argument = Argument {
    name: "path",
    kind: ArgumentKind::Text,
    default: DefaultValue::Text(""),
    description: "A folder or a file to look into; everything when it is empty.",
};

/// At which files to look there.
pub(super) const GLOB: Argument = Argument {
    name: "glob",
    kind: ArgumentKind::Texts,
    default: DefaultValue::Absent,
    description: "Which files to read, as in .gitignore, such as `src/**/*.rs` or `!vendor`.",
};

/// How long the main list of a result may be.
pub(super) const LIMIT: Argument = Argument {
    name: "limit",
    kind: ArgumentKind::Count { min: 1, max: 5_000 },
    default: DefaultValue::Count(RESULT_ITEMS),
    description: "How many items the main list of the result holds at most; the file holds more.",
};

/// Checks `with` against the declared arguments: no unknown key, every required one, and the right
/// types. Texts that hold a template (`{{`, `{%`) are accepted for any type, so this can be used before
/// they are rendered; running the action checks again.
pub fn check_arguments(info: &Info, with: &Map<String, Value>) -> Result<(), Failure> {
    check(info, with, Templates::Accepted)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Templates {
    Accepted,
    Rendered,
}

fn check(info: &Info, with: &Map<String, Value>, templates: Templates) -> Result<(), Failure> {
    for (name, value) in with {
        let Some(argument) = info.arguments.iter().find(|argument| argument.name == name) else {
            return Err(failure(format!("{} has no argument `{name}`", info.name), known(info)));
        };
        let is_template = templates == Templates::Accepted && holds_template(value);
        if !is_template && !fits(argument.kind, value) {
            return Err(failure(
                format!("argument `{name}` of {} must be {}", info.name, describe(argument.kind)),
                argument.description.to_owned(),
            ));
        }
    }
    let missing = |argument: &&Argument| {
        argument.default == DefaultValue::Required && !with.contains_key(argument.name)
    };
    match info.arguments.iter().find(missing) {
        Some(argument) => Err(failure(
            format!("{} needs the argument `{}`", info.name, argument.name),
            format!("add it below `with:`; it must be {}", describe(argument.kind)),
        )),
        None => Ok(()),
    }
}

fn failure(message: String, hint: String) -> Failure {
    Failure { kind: FailureKind::Work, message, hint: Some(hint) }
}

fn known(info: &Info) -> String {
    if info.arguments.is_empty() {
        return format!("{} takes no arguments", info.name);
    }
    let names: Vec<&str> = info.arguments.iter().map(|argument| argument.name).collect();
    format!("known arguments: {}", names.join(", "))
}

fn holds_template(value: &Value) -> bool {
    value.as_str().is_some_and(|text| text.contains("{{") || text.contains("{%"))
}

fn fits(kind: ArgumentKind, value: &Value) -> bool {
    match kind {
        ArgumentKind::Text => value.is_string(),
        ArgumentKind::Choice(words) => value.as_str().is_some_and(|text| words.contains(&text)),
        ArgumentKind::Texts => texts(value).is_some(),
        ArgumentKind::Commands => commands(value).is_some(),
        ArgumentKind::Flag => flag(value).is_some(),
        ArgumentKind::Count { min, max } => {
            count(value).is_some_and(|number| (min..=max).contains(&number))
        }
        ArgumentKind::Any => true,
    }
}

fn describe(kind: ArgumentKind) -> String {
    match kind {
        ArgumentKind::Text => "a text".to_owned(),
        ArgumentKind::Choice(words) => format!("one of {}", words.join(", ")),
        ArgumentKind::Texts => "a text or a list of texts".to_owned(),
        ArgumentKind::Commands => "a command or a list of commands".to_owned(),
        ArgumentKind::Flag => "true or false".to_owned(),
        ArgumentKind::Count { min, max } => format!("a whole number from {min} to {max}"),
        ArgumentKind::Any => "a value".to_owned(),
    }
}

fn flag(value: &Value) -> Option<bool> {
    value.as_bool().or_else(|| value.as_str()?.parse().ok())
}

fn count(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.parse().ok())
}

fn texts(value: &Value) -> Option<Vec<String>> {
    match value {
        Value::String(text) => Some(vec![text.clone()]),
        Value::Array(items) => items.iter().map(|item| item.as_str().map(str::to_owned)).collect(),
        _ => None,
    }
}

/// Each as it is written: a text that is yet to be split, or the arguments themselves.
pub(super) enum WrittenCommand {
    Text(String),
    Arguments(Vec<String>),
}

pub(super) fn commands(value: &Value) -> Option<Vec<WrittenCommand>> {
    let command = |item: &Value| match item {
        Value::String(text) => Some(WrittenCommand::Text(text.clone())),
        _ => texts(item).map(WrittenCommand::Arguments),
    };
    match value {
        Value::Array(items) => items.iter().map(command).collect(),
        _ => command(value).map(|command| vec![command]),
    }
}

/// Arguments that were checked, with the declared defaults in place of what was not given.
pub(crate) struct Arguments<'a> {
    info: Info,
    with: &'a Map<String, Value>,
}

impl<'a> Arguments<'a> {
    pub(crate) fn read(info: Info, with: &'a Map<String, Value>) -> Result<Self, Stop> {
        check(&info, with, Templates::Rendered).map_err(Stop::Failed)?;
        Ok(Self { info, with })
    }

    fn default(&self, name: &str) -> DefaultValue {
        let argument = self.info.arguments.iter().find(|argument| argument.name == name);
        argument.map_or(DefaultValue::Absent, |argument| argument.default)
    }

    pub(crate) fn text(&self, name: &str) -> Option<&'a str> {
        match (self.with.get(name), self.default(name)) {
            (Some(value), _) => value.as_str(),
            (None, DefaultValue::Text(text)) => Some(text),
            (None, _) => None,
        }
    }

    pub(crate) fn texts(&self, name: &str) -> Vec<String> {
        self.with.get(name).and_then(texts).unwrap_or_default()
    }

    /// As [`Arguments::text`]; nothing when it is empty, which is how a workflow's parameter says so.
    pub(crate) fn filled(&self, name: &str) -> Option<&'a str> {
        self.text(name).filter(|text| !text.trim().is_empty())
    }

    /// What [`PATH`] and [`GLOB`] ask for, as far as they were declared.
    pub(crate) fn files(&self, wanted: Option<fn(&str) -> bool>) -> files::Options {
        files::Options {
            below: self.text(PATH.name).unwrap_or_default().to_owned(),
            globs: self.texts(GLOB.name),
            wanted,
        }
    }

    pub(crate) fn flag(&self, name: &str) -> bool {
        let default = matches!(self.default(name), DefaultValue::Flag(true));
        self.with.get(name).and_then(flag).unwrap_or(default)
    }

    /// Zero when the argument has no default and is not given.
    pub(crate) fn count(&self, name: &str) -> usize {
        let default = match self.default(name) {
            DefaultValue::Count(number) => number,
            _ => 0,
        };
        let number = self.with.get(name).and_then(count).unwrap_or(default);
        usize::try_from(number).unwrap_or(usize::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const INFO: Info = Info {
        name: "test.action",
        description: "For tests.",
        capabilities: &[],
        inline: true,
        arguments: &[
            Argument {
                name: "pattern",
                kind: ArgumentKind::Text,
                default: DefaultValue::Required,
                description: "What to look for.",
            },
            Argument {
                name: "limit",
                kind: ArgumentKind::Count { min: 1, max: 10 },
                default: DefaultValue::Count(5),
                description: "How many at most.",
            },
        ],
    };

    fn with(value: Value) -> Map<String, Value> {
        value.as_object().unwrap().clone()
    }

    fn error(value: Value) -> (String, String) {
        let failure = check_arguments(&INFO, &with(value)).unwrap_err();
        assert_eq!(failure.kind, FailureKind::Work);
        (failure.message, failure.hint.unwrap())
    }

    #[test]
    fn a_wrong_argument_is_named_with_what_it_should_be() {
        assert_eq!(
            error(json!({"patern": "x"})),
            (
                "test.action has no argument `patern`".into(),
                "known arguments: pattern, limit".into()
            )
        );
        assert_eq!(
            error(json!({"pattern": "x", "limit": 11})),
            (
                "argument `limit` of test.action must be a whole number from 1 to 10".into(),
                "How many at most.".into()
            )
        );
        assert_eq!(error(json!({"limit": 1})).0, "test.action needs the argument `pattern`");
        assert_eq!(
            error(json!({"pattern": 1})).0,
            "argument `pattern` of test.action must be a text"
        );
    }

    #[test]
    fn templates_pass_until_they_are_rendered() {
        let with = with(json!({"pattern": "x", "limit": "{{ params.n }}"}));
        assert_eq!(check_arguments(&INFO, &with), Ok(()));
        assert!(Arguments::read(INFO, &with).is_err());
    }

    #[test]
    fn numbers_from_a_command_line_are_text() {
        let with = with(json!({"pattern": "x", "limit": "7"}));
        let arguments = Arguments::read(INFO, &with).ok().unwrap();
        assert_eq!((arguments.text("pattern"), arguments.count("limit")), (Some("x"), 7));
    }
}
