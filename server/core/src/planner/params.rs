//! The parameters of one run: what is given, checked against what the workflow declares.

use super::Purpose;
use crate::{
    source::{Findings, shortened},
    workflow::{Param, Workflow},
};
use serde_json::{Map, Value};

/// Every declared parameter with its value; findings name what is missing, unknown or of the wrong type.
pub(super) fn resolve(
    workflow: &Workflow<'_>,
    given: &Map<String, Value>,
    purpose: Purpose,
    findings: &mut Findings<'_>,
) -> Map<String, Value> {
    let mut resolved = Map::new();
    for param in &workflow.params {
        let value = match given.get(param.name) {
            Some(Value::String(text)) if param.required && text.trim().is_empty() => {
                let message = format!("the parameter `{}` is empty", param.name);
                findings.error(param.at, message, how_to_give(param));
                Value::Null
            }
            Some(value) => read(param, value, findings),
            None if param.required && purpose == Purpose::Run => {
                let message = format!("the parameter `{}` is not given", param.name);
                findings.error(param.at, message, how_to_give(param));
                Value::Null
            }
            None => param.default.clone().unwrap_or(Value::Null),
        };
        resolved.insert(param.name.to_owned(), value);
    }
    for name in given.keys() {
        if !resolved.contains_key(name) {
            let declared = || workflow.params.iter().map(|param| param.name);
            let hint = findings.near(name, declared()).unwrap_or_else(|| {
                let names: Vec<&str> = declared().collect();
                match names.as_slice() {
                    [] => "the workflow declares no parameters".to_owned(),
                    names => format!("parameters: {}", names.join(", ")),
                }
            });
            let message = format!("there is no parameter `{}`", shortened(name));
            findings.error(workflow.params_at, message, hint);
        }
    }
    resolved
}

fn how_to_give(param: &Param<'_>) -> String {
    let name = param.name;
    match param.description {
        "" => format!("add `--param {name}=…`"),
        description => format!("add `--param {name}=…`: {description}"),
    }
}

/// The value in the type of the default. A command line gives texts only.
fn read(param: &Param<'_>, value: &Value, findings: &mut Findings<'_>) -> Value {
    let Some(default) = param.default.as_ref().filter(|default| !default.is_null()) else {
        return value.clone();
    };
    if same_type(default, value) {
        return value.clone();
    }
    // A command line cannot tell the word `true` from the value.
    if default.is_string() && (value.is_boolean() || value.is_number()) {
        return Value::String(value.to_string());
    }
    if let Value::String(text) = value
        && let Ok(parsed) = serde_json::from_str::<Value>(text)
        && same_type(default, &parsed)
    {
        return parsed;
    }
    let (name, expected, found) = (param.name, kind(default), shortened(&value.to_string()));
    let message = format!("the parameter `{name}` is {expected}, not {found}");
    findings.error(
        param.at,
        message,
        format!("its default is {}", shortened(&default.to_string())),
    );
    Value::Null
}

fn same_type(a: &Value, b: &Value) -> bool {
    kind(a) == kind(b)
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "a mapping",
    }
}
