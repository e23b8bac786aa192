//! Templates and expressions: one small language, in minijinja's syntax, for prompts, arguments and
//! conditions.
//!
//! It has output, `if` and `for`, filters and tests, and no way to name a value: with `set` or
//! macros a few lines could double a text until memory is gone, and templates come with workspaces that
//! nobody has looked at yet.

mod check;
mod language;

pub use check::{Checked, Problem, Reference, check_expression, check_template};
pub use language::MAX_OUTPUT;

use crate::outcome::{Failure, FailureKind};
use minijinja::value::Serde;
use serde_json::{Map, Value};

/// Whether `text` has anything in it that rendering would replace.
pub fn is_template(text: &str) -> bool {
    ["{{", "{%", "{#"].iter().any(|mark| text.contains(mark))
}

/// A template that renders to `text` as it is, whatever looks like a template in it.
pub(crate) fn literal(text: &str) -> String {
    if !is_template(text) {
        return text.to_owned();
    }
    // The language reads texts in quotes as JSON writes them.
    format!("{{{{ {} }}}}", Value::from(text))
}

/// Renders one text. Fails on anything undefined, and on what exceeds the language's limits.
pub fn render(text: &str, context: &Value) -> Result<String, Failure> {
    if !is_template(text) {
        return Ok(text.to_owned());
    }
    checked(text, check_template(text))?;
    language::render(text, context).map_err(|error| failure(text, &error))
}

/// The value of an expression for `context`. Undefined is a failure.
pub fn evaluate(expression: &str, context: &Value) -> Result<Value, Failure> {
    let value = evaluated(expression, context)?;
    if value.is_undefined() {
        return Err(failed(format!("`{}` is undefined", excerpt(expression))));
    }
    serde_json::to_value(&value).map_err(|error| {
        failed(format!("`{}` has no value that can be kept: {error}", excerpt(expression)))
    })
}

/// Whether the expression is true for `context`.
pub fn condition(expression: &str, context: &Value) -> Result<bool, Failure> {
    evaluated(expression, context).map(|value| value.is_true())
}

fn evaluated(expression: &str, context: &Value) -> Result<minijinja::Value, Failure> {
    checked(expression, check_expression(expression))?;
    language::environment()
        .compile_expression(expression)
        .and_then(|compiled| compiled.eval(minijinja::Value::from(Serde(context))))
        .map_err(|error| failure(expression, &error))
}

/// Renders every string inside `with`. A string that is exactly one `{{ expression }}` becomes the
/// expression's value, whatever its type.
pub fn render_json(
    with: &Map<String, Value>,
    context: &Value,
) -> Result<Map<String, Value>, Failure> {
    with.iter().map(|(key, value)| Ok((key.clone(), render_value(value, context)?))).collect()
}

/// The name in a text that is nothing but `{{ params.name }}`.
pub(crate) fn sole_parameter(text: &str) -> Option<&str> {
    let name = check::sole_expression(text.trim())?.strip_prefix("params.")?;
    let is_name = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    (is_name && !name.is_empty()).then_some(name)
}

fn render_value(value: &Value, context: &Value) -> Result<Value, Failure> {
    Ok(match value {
        Value::String(text) => match check::sole_expression(text) {
            Some(expression) => evaluate(expression, context)?,
            None => Value::String(render(text, context)?),
        },
        Value::Array(items) => Value::Array(
            items.iter().map(|item| render_value(item, context)).collect::<Result<_, _>>()?,
        ),
        Value::Object(map) => Value::Object(render_json(map, context)?),
        other => other.clone(),
    })
}

/// What a plan contains has been checked; what an older build has written is checked again, because the
/// limits of the language are all that stands between a template and the daemon's memory.
fn checked(text: &str, checked: Checked) -> Result<(), Failure> {
    match checked.problems.into_iter().next() {
        None => Ok(()),
        Some(problem) => Err(failed(format!("`{}`: {}", excerpt(text), problem.message))),
    }
}

fn failure(text: &str, error: &minijinja::Error) -> Failure {
    let culprit = error.range().and_then(|range| text.get(range)).unwrap_or(text);
    failed(format!("`{}`: {}", excerpt(culprit), language::explain(error)))
}

fn failed(message: String) -> Failure {
    Failure {
        kind: FailureKind::Template,
        message: format!("cannot evaluate {message}"),
        hint: Some("see what the steps before it handed over with `orchestra show`".to_owned()),
    }
}

fn excerpt(text: &str) -> String {
    crate::source::shortened(text.trim())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn context() -> Value {
        json!({
            "params": { "scope": "full", "limit": 3 },
            "run": { "id": "r1", "name": "audit" },
            "task": { "id": "r1.2" },
            "steps": { "my-scan": {
                "status": "succeeded",
                "summary": "2 found",
                "result": { "total": 2, "items": [{ "path": "a.rs" }, { "path": "b.rs" }] },
                "artifacts": [],
            }},
        })
    }

    #[test]
    fn prompts_read_params_and_the_results_of_steps() {
        let text = "Look at {{ params.scope }}:\n\
            {% for item in steps['my-scan'].result['items'] %}- {{ item.path }}\n{% endfor %}\
            {% if steps['my-scan'].status == 'succeeded' %}done{% endif %}";
        assert_eq!(render(text, &context()).unwrap(), "Look at full:\n- a.rs\n- b.rs\ndone");
        assert_eq!(render("no template } %} {", &context()).unwrap(), "no template } %} {");
    }

    #[test]
    fn a_sole_expression_keeps_its_type() {
        let with = json!({
            "limit": "{{ params.limit }}",
            "paths": ["{{ steps['my-scan'].result['items']|map(attribute='path')|list }}"],
            "title": "{{ params.scope }} {{ params.limit }}",
            "brace": "{{ '}}' }}",
            "deep": { "n": 5, "text": "{{- params.scope -}}" },
        });
        assert_eq!(
            Value::Object(render_json(with.as_object().unwrap(), &context()).unwrap()),
            json!({
                "limit": 3,
                "paths": [["a.rs", "b.rs"]],
                "title": "full 3",
                "brace": "}}",
                "deep": { "n": 5, "text": "full" },
            })
        );
    }

    #[test]
    fn conditions_are_expressions() {
        let holds = |text| condition(text, &context()).unwrap();
        assert!(holds("steps['my-scan'].result.total > 1 and params.scope in ['full', 'fast']"));
        assert!(!holds("params.limit == 4 or not params.scope"));
        assert_eq!(evaluate("params.limit + 1", &context()).unwrap(), json!(4));
    }

    #[test]
    fn what_is_undefined_is_a_failure_that_names_it() {
        let failure = render("a {{ params.nothing }} b", &context()).unwrap_err();
        assert_eq!(failure.kind, FailureKind::Template);
        assert!(failure.message.contains("`params.nothing`"), "{failure}");
        assert!(evaluate("params.nothing", &context()).is_err());
        assert!(render("{{ params.limit|replace }}", &context()).is_err());
    }

    #[test]
    fn hostile_templates_end_with_a_failure() {
        let many = "x".repeat(1 << 20);
        let context = json!({ "params": { "big": many, "list": vec![0; 100_000] } });
        let nested_loops = (0..4).map(|level| format!("{{% for i{level} in range(99999) %}}"));
        let ends = "{% endfor %}".repeat(4);
        let cases = [
            "{% for i in range(10**9) %}x{% endfor %}".to_owned(),
            "{% for i in range(1000000000) %}x{% endfor %}".to_owned(),
            format!("{}x{ends}", nested_loops.collect::<String>()),
            "{% for i in range(99999) %}{{ params.big }}{% endfor %}".to_owned(),
            "{% for i in range(99999) %}{{ params.list|sort|length }}{% endfor %}".to_owned(),
            "{% set x = 'aa' %}".repeat(100),
            "{% with x = 'aa' %}{% endwith %}".to_owned(),
            "{% for a in [params.big, params.big] %}{{ a }}{% endfor %}".to_owned(),
            "{% for a in params.big + params.big %}{{ a }}{% endfor %}".to_owned(),
            "{{ 'a' * 1000000000 }}".to_owned(),
            "{{ params.big ~ params.big }}".to_owned(),
            format!("{{{{ params.big{} }}}}", "|replace('x', 'xxxxxxxx')".repeat(20)),
            "{{ params.list|join(params.big) }}".to_owned(),
            "{{ params.big|indent(1000000000, true) }}".to_owned(),
            "{{ params.list|tojson(indent=1000000000) }}".to_owned(),
            "{{ params.list|map('replace', '0', params.big)|list }}".to_owned(),
            format!("{{{{ {}1 }}}}", "not ".repeat(100_000)),
            format!("{{{{ {}1 }}}}", "-".repeat(100_000)),
            format!("{{{{ {}1{} }}}}", "(".repeat(5_000), ")".repeat(5_000)),
            format!("{{{{ params{} }}}}", ".a".repeat(100_000)),
            format!("{{{{ 1{} }}}}", " + 1".repeat(100_000)),
            format!("{{{{ 1{} }}}}", " if 1 else 2".repeat(100_000)),
            format!("{}{}", "{% if 1 %}".repeat(50_000), "{% endif %}".repeat(50_000)),
            format!("{{% if 1 %}}{}{{% endif %}}", "{% elif 1 %}".repeat(20_000)),
        ];
        for text in cases {
            let failure = render(&text, &context).map(|text| text.len());
            assert!(failure.is_err(), "{} gave {failure:?}", excerpt(&text));
        }
        let expression = format!("{}1", "not ".repeat(100_000));
        assert!(condition(&expression, &context).is_err());
    }
}
