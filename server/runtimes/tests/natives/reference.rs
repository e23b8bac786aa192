//! `docs/natives.md`: every native action with its arguments, the shape of its result and an example, made
//! from the registry. The examples are what the actions find in a small workspace.

use crate::support::{Bench, History, file_diff};
use orchestra_core::{
    evidence::{CheckOutcome, TestCounts},
    ports::LogEnd,
    time::Millis,
};
use orchestra_runtimes::{
    checks::Ran,
    native::{self, ArgumentKind, DefaultValue, Info, Report},
};
use serde_json::{Map, Value, json};
use std::{collections::BTreeMap, fmt::Write as _, fs, path::Path};

const HEAD: &str = "\
<!-- Generated from the registry of native actions; `UPDATE=1 cargo test -p orchestra-runtimes --test natives \
reference` writes it anew. -->
# Native actions

What Orchestra does itself, with no model: bounded, and the same for the same files; only `checks.run` starts processes. A step asks for one by its name
(`action: todo.scan`) or by a capability. Its arguments go below `with:`; numbers and flags may also be text, because that
is what parameters of a command line are.

Later steps read a result as `steps.<id>.result`. It is bounded: where a list was cut, a number beside it says how many there
are, and the file that the action writes, an artifact of the step, holds up to 50,000 of them. The report of `report.write`
quotes from these results.

Paths are relative to the workspace's root, with `/` between the parts; bytes that are not UTF-8 and control characters
are shown as U+FFFD. Lines and columns count from one. Times are milliseconds since the Unix epoch. What git's rules ignore,
`.git` and `.orchestra` are never read, links never followed, and nothing that a repository configures (filters, hooks, diff
programs) is run. Where a quoted line holds what looks like a secret, the quote ends before it; the patch of `git.diff` is
exact and may hold one.

Shapes with names of their own are [at the end](#shapes). The examples are what the actions find in a small workspace.
";

/// A workspace that has something for every action.
fn example() -> Bench {
    let mut bench = Bench::new();
    bench.write("README.md", "# Shapes\n\nSee [the guide](docs/guide.md).\n");
    bench.write("Cargo.toml", "[dependencies]\nserde = \"1\"\n");
    bench.write(
        "src/lib.rs",
        "/// A shape.\npub struct Shape;\n\nimpl Shape {\n    pub fn area(&self) -> u8 {\n        2 // TODO(ada): units\n    }\n}\n",
    );
    let change = " /// A shape.\n pub struct Shape;\n \n impl Shape {\n     pub fn area(&self) -> u8 {\n-        1\n+        2 // TODO(ada): units\n     }\n }\n";
    bench.repo = Some(History {
        commits: vec![History::commit("Ada", 1_790_000_000, &[("src/lib.rs", 8, 0)])],
        end: Ok(LogEnd::Root),
        files: vec![file_diff("src/lib.rs", (0o100_644, 0o100_644), change)],
    });
    bench
}

/// What an action is given in its example.
fn arguments(action: &str) -> Value {
    match action {
        "workspace.search" => json!({ "pattern": "TODO" }),
        "value.set" => json!({ "value": [1, 2] }),
        _ => json!({}),
    }
}

/// What an action hands over in its example.
fn report(action: &str) -> Option<Report> {
    if action != native::RUN_INFO.name {
        return example().run_with(action, arguments(action), false).ok();
    }
    // It needs trees and shims, so this is what it would make of these.
    let command = |line: &str| line.split(' ').map(str::to_owned).collect::<Vec<_>>();
    let mut red = Ran::not_started(CheckOutcome::Red { code: 101 });
    red.run.took = Millis(1_840);
    red.run.last_lines = vec!["test result: FAILED. 11 passed; 1 failed".to_owned()];
    red.run.log = Some("r12.3@1/check-1".to_owned());
    red.run.tests = Some(TestCounts {
        runner: "cargo test".to_owned(),
        passed: 11,
        failed: 1,
        skipped: 0,
        failures: vec!["tests::area".to_owned()],
        cut: false,
    });
    let missing = CheckOutcome::Missing { what: "program cargo-nextest".to_owned() };
    let runs = [
        (command("cargo test --no-fail-fast"), red),
        (command("cargo nextest run"), Ran::not_started(missing)),
    ];
    native::run_report(&runs, None).ok()
}

fn page() -> String {
    let mut page = HEAD.to_owned();
    let mut shapes = BTreeMap::new();
    let pure = native::all().iter().map(|native| (native.info(), native.result_schema()));
    let spawning = native::spawning().iter().map(|action| (action.info, (action.result_schema)()));
    let mut all: Vec<_> = pure.chain(spawning).collect();
    all.sort_by_key(|(info, _)| info.name);
    for (info, schema) in all {
        let schema = schema.to_value();
        let capabilities: Vec<String> =
            info.capabilities.iter().map(|name| format!("`{name}`")).collect();
        let _ = write!(
            page,
            "\n## `{}`\n\n{}\n\nCapabilities: {}\n",
            info.name,
            info.description,
            capabilities.join(", ")
        );
        page.push_str(&arguments_table(&info));
        page.push_str(&result(&schema));
        if let Some(report) = report(info.name) {
            let files: Vec<String> =
                report.files.iter().map(|file| format!("`{}`", file.path)).collect();
            let files =
                if files.is_empty() { String::new() } else { format!(", in {}", files.join(", ")) };
            let json = serde_json::to_string_pretty(&report.result).unwrap();
            let _ =
                write!(page, "\n**Example**: {}{files}\n\n```json\n{json}\n```\n", report.summary);
        }
        let definitions = schema["$defs"].as_object().cloned().unwrap_or_default();
        shapes.extend(definitions);
    }
    page.push_str("\n## Shapes\n");
    for (name, schema) in shapes {
        let _ = write!(page, "\n### {name}\n\n{}\n", description(&schema));
        page.push_str(&fields(&schema));
        if let Some(words) = words(&schema) {
            let _ = write!(page, "\nOne of {}.\n", words.join(", "));
        }
    }
    page
}

fn arguments_table(info: &Info) -> String {
    if info.arguments.is_empty() {
        return "\nIt takes no arguments.\n".to_owned();
    }
    let mut table = "\n| argument | type | default | meaning |\n|---|---|---|---|\n".to_owned();
    for argument in info.arguments {
        let kind = match argument.kind {
            ArgumentKind::Text => "text".to_owned(),
            ArgumentKind::Choice(words) => {
                words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
            }
            ArgumentKind::Texts => "a text or a list of texts".to_owned(),
            ArgumentKind::Commands => "a command or a list of commands".to_owned(),
            ArgumentKind::Flag => "`true` or `false`".to_owned(),
            ArgumentKind::Count { min, max } => format!("a whole number, {min} to {max}"),
            ArgumentKind::Any => "anything".to_owned(),
        };
        let default = match argument.default {
            DefaultValue::Required => "must be given".to_owned(),
            DefaultValue::Absent => String::new(),
            DefaultValue::Text(text) => format!("`{text:?}`"),
            DefaultValue::Flag(flag) => format!("`{flag}`"),
            DefaultValue::Count(number) => format!("`{number}`"),
        };
        let (name, meaning) = (argument.name, argument.description);
        let _ = writeln!(table, "| `{name}` | {kind} | {default} | {meaning} |");
    }
    table
}

fn result(schema: &Value) -> String {
    match fields(schema) {
        fields if fields.is_empty() => "\n**Result**: any value\n".to_owned(),
        fields => format!("\n**Result**: {}\n{fields}", description(schema)),
    }
}

/// The fields of an object as a table; nothing for what is no object.
fn fields(schema: &Value) -> String {
    let Some(properties) = schema["properties"].as_object() else { return String::new() };
    let mut table = "\n| field | type | meaning |\n|---|---|---|\n".to_owned();
    for (name, field) in properties {
        let meaning = description(field);
        let _ = writeln!(table, "| `{name}` | {} | {meaning} |", kind(field));
    }
    table
}

fn kind(schema: &Value) -> String {
    if let Some(name) = schema["$ref"].as_str().and_then(|path| path.rsplit('/').next()) {
        return format!("[{name}](#{})", name.to_lowercase());
    }
    if let Some(choices) = schema["anyOf"].as_array() {
        return choices.iter().map(kind).collect::<Vec<_>>().join(" or ");
    }
    match &schema["type"] {
        Value::Array(kinds) => kinds.iter().map(named).collect::<Vec<_>>().join(" or "),
        Value::String(kind) if kind == "array" => format!("list of {}", kind_of_items(schema)),
        kind => named(kind),
    }
}

fn kind_of_items(schema: &Value) -> String {
    kind(&schema["items"])
}

fn named(kind: &Value) -> String {
    match kind.as_str() {
        Some("string") => "text",
        Some("integer") => "whole number",
        Some("boolean") => "`true` or `false`",
        Some("null") => "null",
        _ => "any value",
    }
    .to_owned()
}

fn description(schema: &Value) -> String {
    schema["description"].as_str().unwrap_or_default().replace('\n', " ")
}

/// The words of an enumeration.
fn words(schema: &Value) -> Option<Vec<String>> {
    let plain = schema["enum"].as_array().into_iter().flatten();
    let described = schema["oneOf"].as_array().into_iter().flatten().flat_map(|choice| {
        let constant = choice.get("const").into_iter();
        constant.chain(choice["enum"].as_array().into_iter().flatten())
    });
    let words: Vec<String> =
        plain.chain(described).filter_map(|word| Some(format!("`{}`", word.as_str()?))).collect();
    (!words.is_empty()).then_some(words)
}

#[test]
fn reference_page_is_up_to_date() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/natives.md");
    let page = page();
    if std::env::var_os("UPDATE").is_some() {
        fs::write(&path, &page).unwrap();
    }
    let written = fs::read_to_string(&path).unwrap_or_default();
    // The whole page on a terminal would hide what to do.
    assert!(written == page, "docs/natives.md is out of date; write it anew with UPDATE=1");
}

/// The example of every action has exactly the fields that its shape documents.
#[test]
fn results_have_the_documented_fields() {
    for native in native::all() {
        let info = native.info();
        let schema = native.result_schema().to_value();
        let Some(properties) = schema["properties"].as_object() else { continue };
        let Ok(report) = example().run_with(info.name, arguments(info.name), false) else {
            continue;
        };
        let Value::Object(result) = &report.result else { panic!("{}: no object", info.name) };
        let names = |fields: &Map<String, Value>| fields.keys().cloned().collect::<Vec<_>>();
        assert_eq!(names(result), names(properties), "{}", info.name);
        for (name, field) in properties {
            let is_told = !description(field).is_empty() || !kind(field).is_empty();
            assert!(is_told, "{}: {name} has neither a type nor a word", info.name);
        }
    }
}
