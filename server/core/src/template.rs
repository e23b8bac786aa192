//! Templates and expressions: one language, minijinja, for prompts, arguments and conditions.

use crate::outcome::{Failure, FailureKind};
use minijinja::{Environment, UndefinedBehavior};
use serde_json::{Map, Value};

/// What a template may cost before it is given up: enough for long reports, not for endless loops.
const FUEL: u64 = 1_000_000;

fn environment() -> Environment<'static> {
    let mut environment = Environment::empty();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_fuel(Some(FUEL));
    environment
}

/// Whether `text` has anything in it that rendering would replace.
pub fn is_template(text: &str) -> bool {
    ["{{", "{%", "{#"].iter().any(|mark| text.contains(mark))
}

/// Renders one text.
pub fn render(text: &str, context: &Value) -> Result<String, Failure> {
    environment()
        .render_str(text, minijinja::Value::from(minijinja::value::Serde(context)))
        .map_err(|error| failure(text, &error))
}

/// Whether the expression is true for `context`.
pub fn condition(expression: &str, context: &Value) -> Result<bool, Failure> {
    environment()
        .compile_expression(expression)
        .and_then(|compiled| {
            compiled.eval(minijinja::Value::from(minijinja::value::Serde(context)))
        })
        .map(|value| value.is_true())
        .map_err(|error| failure(expression, &error))
}

/// Renders every string inside `with`.
pub fn render_json(
    with: &Map<String, Value>,
    context: &Value,
) -> Result<Map<String, Value>, Failure> {
    with.iter().map(|(key, value)| Ok((key.clone(), render_value(value, context)?))).collect()
}

fn render_value(value: &Value, context: &Value) -> Result<Value, Failure> {
    Ok(match value {
        Value::String(text) if is_template(text) => Value::String(render(text, context)?),
        Value::Array(items) => Value::Array(
            items.iter().map(|item| render_value(item, context)).collect::<Result<_, _>>()?,
        ),
        Value::Object(map) => Value::Object(render_json(map, context)?),
        other => other.clone(),
    })
}

fn failure(text: &str, error: &minijinja::Error) -> Failure {
    let text: String = text.chars().take(80).collect();
    Failure {
        kind: FailureKind::Template,
        message: format!("cannot evaluate `{text}`: {error}"),
        hint: Some("see which steps and parameters there are with `orchestra show`".to_owned()),
    }
}
