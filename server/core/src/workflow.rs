//! Workflow files: what is written in them, with positions, before anything is resolved.

mod commands;
mod limits;
mod step;

pub(crate) use commands::Commands;
pub use limits::MAX_FILE_BYTES;
pub(crate) use limits::MAX_STEPS;
pub(crate) use step::{Step, Work};

use crate::{
    plan::{ApplyPolicy, Mode, Pattern},
    source::{self, At, Entry, Fields, Findings, Keys, Node, Source, Text, Value, shortened},
    time::Millis,
};
use limits::MAX_PARALLEL;

const KEYS: Keys = Keys {
    of: "a workflow",
    known: &[
        "name",
        "description",
        "mode",
        "pattern",
        "timeout",
        "retry",
        "params",
        "max_parallel",
        "approve",
        "apply",
        "verify",
        "resolve",
        "steps",
    ],
    later: &[
        "max_cost",
        "until",
        "max_iterations",
        "tiers",
        "domains",
        "replicas",
        "select",
        "quorum",
        "accept",
        "allow_empty",
        "output_schema",
        "report",
    ],
};

const PARAM_KEYS: Keys =
    Keys { of: "a parameter", known: &["default", "description", "required"], later: &[] };

const MODES: &[(&str, Mode)] =
    &[("intelligent", Mode::Intelligent), ("speed", Mode::Speed), ("strategic", Mode::Strategic)];
const LATER_MODES: &[&str] = &["redundant", "consensus"];

const PATTERNS: &[(&str, Pattern)] = &[("dag", Pattern::Dag), ("sequential", Pattern::Sequential)];
const LATER_PATTERNS: &[&str] = &["cascade", "swarm", "conditional", "iterative"];

/// A workflow as it is written. What could not be read is missing here and among the findings.
pub(crate) struct Workflow<'n> {
    pub(crate) name: Option<&'n str>,
    pub(crate) description: &'n str,
    pub(crate) mode: Option<Mode>,
    pub(crate) pattern: Pattern,
    pub(crate) timeout: Option<Millis>,
    pub(crate) retry: RetryKeys,
    pub(crate) params: Vec<Param<'n>>,
    /// Where parameters are declared, or would be.
    pub(crate) params_at: At,
    pub(crate) max_parallel: Option<u32>,
    pub(crate) approve: bool,
    /// What becomes of the result.
    pub(crate) apply: Option<ApplyPolicy>,
    /// For every step that says nothing itself.
    pub(crate) verify: Option<Commands<'n>>,
    pub(crate) resolve: Option<Resolve<'n>>,
    pub(crate) steps: Vec<Step<'n>>,
}

/// Who puts right what does not fit together.
pub(crate) struct Resolve<'n> {
    pub(crate) by: Resolver<'n>,
    pub(crate) at: At,
}

/// Named as steps name who does them.
pub(crate) enum Resolver<'n> {
    Agent(Text<'n>),
    /// Whoever has all of these.
    Capable(Vec<Text<'n>>),
}

/// A parameter as it is declared.
pub(crate) struct Param<'n> {
    pub(crate) name: &'n str,
    pub(crate) at: At,
    pub(crate) default: Option<serde_json::Value>,
    pub(crate) required: bool,
    pub(crate) description: &'n str,
}

/// What `retry` says; what it leaves out comes from the workflow, then from the defaults.
#[derive(Clone, Copy, Default)]
pub(crate) struct RetryKeys {
    pub(crate) max: Option<u32>,
    pub(crate) backoff: Option<Millis>,
}

impl<'n> Workflow<'n> {
    pub(crate) fn read(root: &'n Node, findings: &mut Findings<'n>) -> Option<Self> {
        if root.value == Value::Null {
            let hint = "a workflow has a name and steps; see the built-in `audit` for one";
            findings.error(root.at, "the file is empty", hint);
            return None;
        }
        let fields = Fields::read(root, &KEYS, findings)?;
        let timeout = fields.duration("timeout", findings);
        let timeout = timeout.and_then(|(span, at)| limits::timeout(span, at, findings));
        Some(Self {
            name: name(fields, findings),
            description: fields.text("description", findings).map_or("", |text| text.value),
            mode: mode(fields, findings),
            pattern: fields
                .choice("pattern", PATTERNS, LATER_PATTERNS, findings)
                .unwrap_or_default(),
            retry: RetryKeys::read(fields, findings),
            params: params(fields, findings),
            params_at: fields.get("params").map_or(root.at, |entry| entry.key_at),
            max_parallel: fields
                .integer("max_parallel", 1..=i64::from(MAX_PARALLEL), findings)
                .and_then(|number| u32::try_from(number).ok()),
            approve: fields.flag("approve", findings).unwrap_or(false),
            apply: fields.choice("apply", &ApplyPolicy::WORDS, &[], findings),
            verify: commands::read("verify", fields, findings),
            resolve: resolve(fields, findings),
            steps: steps(root, fields, timeout, findings),
            timeout,
        })
    }
}

/// Every command that the file names for checks, whether the rest of it is right or not: what a file
/// brings is looked at before it is trusted. Those that whoever starts a run gives are not among them.
pub fn check_commands(text: &str, file: &str) -> Vec<Vec<String>> {
    let source = Source::new(file, text);
    let mut findings = Findings::new(source);
    let Ok(root) = source::parse(source) else { return Vec::new() };
    let Some(workflow) = Workflow::read(&root, &mut findings) else { return Vec::new() };
    let default = |param: &Param<'_>| Some((param.name.to_owned(), param.default.clone()?));
    let defaults = workflow.params.iter().filter_map(default).collect();
    let of_steps =
        workflow.steps.iter().flat_map(|step| [&step.verify, &step.accept, &step.commands]);
    std::iter::once(&workflow.verify)
        .chain(of_steps)
        .flatten()
        .flat_map(|commands| commands.resolve(&defaults, &mut findings))
        .collect()
}

impl RetryKeys {
    const KEYS: Keys = Keys { of: "`retry`", known: &["max", "backoff"], later: &[] };

    fn read<'n>(fields: Fields<'n>, findings: &mut Findings<'n>) -> Self {
        let Some(node) = fields.value("retry") else { return Self::default() };
        let Some(fields) = Fields::read(node, &Self::KEYS, findings) else {
            return Self::default();
        };
        let max = fields
            .integer("max", 0..=i64::from(limits::MAX_RETRIES), findings)
            .and_then(|number| u32::try_from(number).ok());
        let backoff = fields
            .duration("backoff", findings)
            .and_then(|(span, at)| limits::backoff(span, at, findings));
        if let (Some(0), Some(entry)) = (max, fields.get("backoff")) {
            let hint = "remove `backoff`, or raise `max`";
            findings.warning(entry.key_at, "`backoff` is not used, because `max` is 0", hint);
        }
        Self { max, backoff }
    }
}

fn name<'n>(fields: Fields<'n>, findings: &mut Findings<'n>) -> Option<&'n str> {
    let text = fields.filled("name", findings)?;
    if crate::ids::is_plain_word(text.value) {
        return Some(text.value);
    }
    let name = shortened(text.value);
    let message = format!("`{name}` cannot be the name of a workflow");
    findings.error(text.at, message, plain_word_hint(text.value));
    None
}

/// How to write a name that is none.
pub(crate) fn plain_word_hint(text: &str) -> String {
    let mut word: String = text
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || c == '_' { c.to_ascii_lowercase() } else { '-' })
        .skip_while(|c| !c.is_ascii_alphabetic())
        .take(64)
        .collect();
    while word.contains("--") {
        word = word.replace("--", "-");
    }
    let word = word.trim_end_matches('-');
    let rule = "a letter, then letters, digits, `_` or `-`; 64 characters at most";
    if word.is_empty() { format!("use {rule}") } else { format!("use {rule}: `{word}`") }
}

fn mode<'n>(fields: Fields<'n>, findings: &mut Findings<'n>) -> Option<Mode> {
    fields.choice("mode", MODES, LATER_MODES, findings)
}

fn resolve<'n>(fields: Fields<'n>, findings: &mut Findings<'n>) -> Option<Resolve<'n>> {
    let entry = fields.get("resolve")?;
    let by = match &entry.value.value {
        Value::List(_) => {
            let capabilities = fields.texts("resolve", findings);
            if capabilities.is_empty() {
                let hint = "name an agent, or the capabilities that one needs";
                findings.error(entry.key_at, "`resolve` is empty", hint);
                return None;
            }
            Resolver::Capable(capabilities)
        }
        _ => Resolver::Agent(fields.filled("resolve", findings)?),
    };
    Some(Resolve { by, at: entry.value.at })
}

fn params<'n>(fields: Fields<'n>, findings: &mut Findings<'n>) -> Vec<Param<'n>> {
    let Some(node) = fields.value("params") else { return Vec::new() };
    match &node.value {
        Value::Null => Vec::new(),
        Value::Map(entries) => {
            entries.iter().filter_map(|entry| Param::read(entry, findings)).collect()
        }
        _ => {
            let message = format!("`params` is a mapping, but this is {}", node.kind());
            findings.error(node.at, message, "write `params: { scope: { default: full } }`");
            Vec::new()
        }
    }
}

impl<'n> Param<'n> {
    fn read(entry: &'n Entry, findings: &mut Findings<'n>) -> Option<Self> {
        let name = entry.key.as_str();
        if !is_identifier(name) {
            let message = format!("`{}` cannot be the name of a parameter", shortened(name));
            let hint = "use a letter, then letters, digits or `_`, so that templates can name it";
            findings.error(entry.key_at, message, hint);
            return None;
        }
        let mut param =
            Self { name, at: entry.key_at, default: None, required: true, description: "" };
        if entry.value.value == Value::Null {
            return Some(param);
        }
        let fields = Fields::read(&entry.value, &PARAM_KEYS, findings)?;
        param.default = fields.value("default").map(Node::to_json);
        param.description = fields.text("description", findings).map_or("", |text| text.value);
        let required = fields.flag("required", findings);
        param.required = required.unwrap_or(param.default.is_none());
        if let (Some(true), Some(entry)) = (required, fields.get("default")) {
            let hint = "remove `default`, or `required`";
            let message = format!("the default of `{name}` is not used, because it is required");
            findings.warning(entry.key_at, message, hint);
        }
        Some(param)
    }
}

/// What templates can name behind a dot.
fn is_identifier(text: &str) -> bool {
    crate::ids::is_plain_word(text) && !text.contains('-')
}

fn steps<'n>(
    root: &'n Node,
    fields: Fields<'n>,
    run_timeout: Option<Millis>,
    findings: &mut Findings<'n>,
) -> Vec<Step<'n>> {
    let Some(entry) = fields.get("steps") else {
        findings.error(root.at, "the workflow has no `steps`", "add a list of steps");
        return Vec::new();
    };
    match &entry.value.value {
        Value::List(items) if !items.is_empty() => items
            .iter()
            .zip(1..)
            .filter_map(|(item, number)| Step::read(item, number, run_timeout, findings))
            .collect(),
        Value::List(_) | Value::Null => {
            findings.error(entry.key_at, "`steps` is empty", "add a step");
            Vec::new()
        }
        _ => {
            let message = format!("`steps` is a list, but this is {}", entry.value.kind());
            findings.error(entry.value.at, message, "start each step with `- id: …`");
            Vec::new()
        }
    }
}
