//! One step of a workflow file, as it is written.

use super::{Commands, RetryKeys, commands, limits, mode};
use crate::{
    catalog::COMMANDS_ARGUMENT,
    plan::Mode,
    source::{At, Entry, Fields, Findings, Keys, Node, Text, Value, shortened},
    time::Millis,
};

const KEYS: Keys = Keys {
    of: "a step",
    known: &[
        "id",
        "agent",
        "action",
        "capability",
        "prompt",
        "with",
        "needs",
        "mode",
        "when",
        "timeout",
        "retry",
        "priority",
        "approve",
        "output",
        "verify",
        "accept",
        "allow_empty",
        "optional",
        "description",
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
        "output_schema",
        "report",
        "pattern",
    ],
};

/// A step. What could not be read is missing here and among the findings.
pub(crate) struct Step<'n> {
    /// Of its `id`, or of the step where it has none.
    pub(crate) at: At,
    /// `None`: it has no usable one, which is a finding already.
    pub(crate) id: Option<&'n str>,
    pub(crate) work: Option<Work<'n>>,
    pub(crate) prompt: Option<Text<'n>>,
    pub(crate) with: &'n [Entry],
    /// The commands among these arguments.
    pub(crate) commands: Option<Commands<'n>>,
    pub(crate) needs: Vec<Text<'n>>,
    pub(crate) mode: Option<Mode>,
    pub(crate) when: Option<Text<'n>>,
    pub(crate) timeout: Option<Millis>,
    pub(crate) retry: RetryKeys,
    pub(crate) priority: i32,
    pub(crate) approve: bool,
    pub(crate) output: Option<&'n str>,
    pub(crate) verify: Option<Commands<'n>>,
    pub(crate) accept: Option<Commands<'n>>,
    /// And where it is said.
    pub(crate) allow_empty: Option<(bool, At)>,
    /// Whether it is left out when nobody can do it.
    pub(crate) optional: bool,
}

/// Who is to do it.
pub(crate) enum Work<'n> {
    /// A native action, an agent, or one with the other standing in.
    Named { action: Option<Text<'n>>, agent: Option<Text<'n>> },
    /// Whoever has all of these.
    Capable { capabilities: Vec<Text<'n>>, at: At },
}

impl<'n> Step<'n> {
    /// `number` counts from one.
    pub(super) fn read(
        node: &'n Node,
        number: usize,
        run_timeout: Option<Millis>,
        findings: &mut Findings<'n>,
    ) -> Option<Self> {
        let fields = Fields::read(node, &KEYS, findings)?;
        let (id, at) = id(node, fields, number, findings);
        // Their text is for people; reading it finds what is no text.
        fields.text("description", findings);
        let timeout = fields.duration("timeout", findings);
        let timeout = timeout.and_then(|(span, at)| {
            let span = limits::timeout(span, at, findings)?;
            if let Some(run) = run_timeout.filter(|run| span > *run) {
                let message = format!("a timeout of {span} is longer than the whole run's, {run}");
                findings.error(at, message, "shorten it, or raise the workflow's `timeout`");
            }
            Some(span)
        });
        let priority = -limits::MAX_PRIORITY..=limits::MAX_PRIORITY;
        let work = work(at, fields, findings);
        let with = with(fields, findings);
        Some(Self {
            at,
            id,
            optional: optional(work.as_ref(), fields, findings),
            work,
            prompt: fields.filled("prompt", findings),
            with,
            commands: commands::read(COMMANDS_ARGUMENT, Fields::any(with), findings),
            needs: fields.texts("needs", findings),
            mode: mode(fields, findings),
            when: fields.filled("when", findings),
            timeout,
            retry: RetryKeys::read(fields, findings),
            priority: fields
                .integer("priority", priority, findings)
                .and_then(|number| i32::try_from(number).ok())
                .unwrap_or(0),
            approve: fields.flag("approve", findings).unwrap_or(false),
            output: output(fields, findings),
            verify: commands::read("verify", fields, findings),
            accept: commands::read("accept", fields, findings),
            allow_empty: fields
                .flag("allow_empty", findings)
                .zip(fields.get("allow_empty"))
                .map(|(flag, entry)| (flag, entry.key_at)),
        })
    }
}

/// Whom a step names is there, or its file is wrong; who has a capability differs from machine to machine.
fn optional<'n>(work: Option<&Work<'_>>, fields: Fields<'n>, findings: &mut Findings<'n>) -> bool {
    let optional = fields.flag("optional", findings).unwrap_or(false);
    if let (true, Some(Work::Named { .. }), Some(entry)) = (optional, work, fields.get("optional"))
    {
        let message = "`optional` goes with `capability`, but the step names somebody";
        findings.error(entry.key_at, message, "write `capability: …`, or take `optional` away");
    }
    optional
}

fn id<'n>(
    node: &'n Node,
    fields: Fields<'n>,
    number: usize,
    findings: &mut Findings<'n>,
) -> (Option<&'n str>, At) {
    let Some(entry) = fields.get("id") else {
        let hint = "add `id: …`; other steps and `orchestra show` name it by that";
        findings.error(node.at, format!("step {number} has no `id`"), hint);
        return (None, node.at);
    };
    let Some(text) = fields.filled("id", findings) else { return (None, entry.value.at) };
    if crate::ids::is_plain_word(text.value) {
        return (Some(text.value), text.at);
    }
    let message = format!("`{}` cannot be the id of a step", shortened(text.value));
    findings.error(text.at, message, super::plain_word_hint(text.value));
    (None, text.at)
}

fn work<'n>(at: At, fields: Fields<'n>, findings: &mut Findings<'n>) -> Option<Work<'n>> {
    let (agent, action) = (fields.get("agent"), fields.get("action"));
    match (fields.get("capability"), agent.or(action)) {
        (None, None) => {
            let hint = "add `action: …` (native), `agent: …`, or `capability: …`";
            findings.error(at, "the step says nobody who does it", hint);
            None
        }
        (Some(capability), Some(_)) => {
            let message = "`capability` chooses who does it, but the step names somebody, too";
            findings.error(capability.key_at, message, "keep one of the two");
            None
        }
        (Some(capability), None) => {
            let capabilities = fields.texts("capability", findings);
            if capabilities.is_empty() {
                let message = "`capability` is empty";
                findings.error(capability.key_at, message, "name what is needed");
                return None;
            }
            Some(Work::Capable { capabilities, at: capability.value.at })
        }
        (None, Some(_)) => {
            let action = fields.filled("action", findings);
            let agent = fields.filled("agent", findings);
            // What is unreadable is a finding already.
            (action.is_some() || agent.is_some()).then_some(Work::Named { action, agent })
        }
    }
}

fn with<'n>(fields: Fields<'n>, findings: &mut Findings<'n>) -> &'n [Entry] {
    match fields.value("with").map(|node| (&node.value, node)) {
        None | Some((Value::Null, _)) => &[],
        Some((Value::Map(entries), _)) => entries,
        Some((_, node)) => {
            let message = format!("`with` is a mapping, but this is {}", node.kind());
            findings.error(node.at, message, "write `with: { name: value }`");
            &[]
        }
    }
}

/// A path that stays below `.orchestra/workspace/`.
fn output<'n>(fields: Fields<'n>, findings: &mut Findings<'n>) -> Option<&'n str> {
    let text = fields.filled("output", findings)?;
    let path = text.value;
    let wrong = if path.starts_with('/') {
        "is absolute"
    } else if path.contains('\\') {
        "contains a backslash"
    } else if path.chars().any(char::is_control) {
        "contains a control character"
    } else if path.len() > 200 {
        "is longer than 200 bytes"
    } else if path.split('/').any(|part| matches!(part, "" | "." | "..")) {
        "leaves the folder or has an empty part"
    } else if path.contains("{{") || path.contains("{%") {
        "contains a template"
    } else {
        return Some(path);
    };
    let message = format!("`output` {wrong}: `{}`", shortened(path));
    let hint = "name a file below `.orchestra/workspace/`, such as `documentation/report.md`";
    findings.error(text.at, message, hint);
    None
}
