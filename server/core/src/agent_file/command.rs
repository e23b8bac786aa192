//! Command lines of agents: lists of arguments with placeholders, never a shell string.

use crate::source::{At, Fields, Findings, Text, Value, shortened};

const PLACEHOLDERS: [&str; 7] =
    ["prompt", "prompt_file", "task_id", "model", "tree", "mcp_config", "mcp_command"];
const SHELLS: [&str; 7] = ["sh", "bash", "dash", "zsh", "fish", "ksh", "ash"];

/// The arguments, when there are any that can be used.
pub(super) fn read<'n>(
    fields: Fields<'n>,
    has_model: bool,
    findings: &mut Findings<'n>,
) -> Option<Vec<String>> {
    let entry = fields.get("command")?;
    if let Value::Text(line) = &entry.value.value {
        let words: Vec<String> = line.split_whitespace().map(|word| format!("{word:?}")).collect();
        let message = "`command` is a list of arguments, and no shell reads it";
        let hint = format!("write `command: [{}]`", shortened(&words.join(", ")));
        findings.error(entry.value.at, message, hint);
        return None;
    }
    let arguments = fields.texts("command", findings);
    let Some((program, rest)) = arguments.split_first() else {
        if !findings.has_errors() {
            let hint = "write `command: [program, \"{prompt}\"]`";
            findings.error(entry.key_at, "`command` is empty", hint);
        }
        return None;
    };
    if program.value.contains(' ') && rest.is_empty() {
        let words: Vec<String> =
            program.value.split_whitespace().map(|word| format!("{word:?}")).collect();
        let message = "`command` has one argument, which looks like a whole command line";
        let hint = format!("write `command: [{}]`", shortened(&words.join(", ")));
        findings.error(program.at, message, hint);
        return None;
    }
    if program.value.trim().is_empty() || program.value.contains('{') {
        let message = "the first argument of `command` names the program";
        findings.error(program.at, message, "write a program on PATH, or a path such as `./agent`");
    }
    let mut used = Vec::new();
    for argument in &arguments {
        placeholders(argument, has_model, &mut used, findings);
    }
    if !findings.has_errors() && !used.iter().any(|name| matches!(*name, "prompt" | "prompt_file"))
    {
        let hint = "add `\"{prompt}\"` or `\"{prompt_file}\"` to its arguments";
        findings.warning(entry.key_at, "`command` never gets the prompt", hint);
    }
    shell_strings(program, rest, findings);
    Some(arguments.iter().map(|argument| argument.value.to_owned()).collect())
}

/// `{prompt}` in the text of a shell command would be run as code.
fn shell_strings(program: &Text<'_>, rest: &[Text<'_>], findings: &mut Findings<'_>) {
    let name = program.value.rsplit('/').next().unwrap_or_default();
    let script = rest.iter().position(|argument| {
        argument.value.starts_with('-')
            && !argument.value.starts_with("--")
            && argument.value.contains('c')
    });
    if let (true, Some(script)) = (SHELLS.contains(&name), script.and_then(|at| rest.get(at + 1)))
        && PLACEHOLDERS.iter().any(|name| script.value.contains(&format!("{{{name}}}")))
    {
        let hint = format!("[{name}, -c, 'agent \"$1\"', {name}, \"{{prompt}}\"]");
        let message = "a prompt inside a shell command would be run as code";
        findings.error(script.at, message, format!("hand it over as an argument: {hint}"));
    }
}

fn placeholders(
    argument: &Text<'_>,
    has_model: bool,
    used: &mut Vec<&'static str>,
    findings: &mut Findings<'_>,
) {
    // `{{` and `}}` stand for the braces themselves.
    let text = argument.value.replace("{{", "  ").replace("}}", "  ");
    for (start, _) in text.match_indices('{') {
        let Some(length) = text[start + 1..].find('}') else { continue };
        let name = &text[start + 1..start + 1 + length];
        if let Some(known) = PLACEHOLDERS.iter().find(|known| **known == name) {
            used.push(known);
            if *known == "model" && !has_model {
                let at = argument.place(start, findings);
                let hint = "add `model: …`, or remove the placeholder";
                findings.error(at, "`{model}` has no value, because no `model` is named", hint);
            }
        } else if is_word(name) {
            unknown(name, argument.place(start, findings), findings);
        }
    }
}

/// Anything else in braces, such as JSON, is no placeholder.
fn is_word(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'))
}

fn unknown(name: &str, at: At, findings: &mut Findings<'_>) {
    let hint = match findings.nearest(name, PLACEHOLDERS).as_slice() {
        [near, ..] => format!("did you mean `{{{near}}}`?"),
        [] => format!("write `{{{{{}}}}}` for the text in braces itself", shortened(name)),
    };
    findings.error(at, format!("there is no placeholder `{{{}}}`", shortened(name)), hint);
}
