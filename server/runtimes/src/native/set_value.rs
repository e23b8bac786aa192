//! `value.set`: hands its arguments on, to wire steps together and to measure the engine.

use super::arguments::Arguments;
use super::contract::{Argument, ArgumentKind, Context, DefaultValue, Info, Native, Report, Stop};
use schemars::{Schema, schema_for};
use serde_json::Value;

pub(crate) struct SetValue;

const INFO: Info = Info {
    name: "value.set",
    description: "Hands the argument `value` on as its result.",
    capabilities: &["value.set"],
    inline: true,
    arguments: &[Argument {
        name: "value",
        kind: ArgumentKind::Any,
        default: DefaultValue::Absent,
        description: "What later steps read as `steps.<id>.result`; null when it is not given.",
    }],
};

impl Native for SetValue {
    fn info(&self) -> Info {
        INFO
    }

    fn result_schema(&self) -> Schema {
        schema_for!(Value)
    }

    fn run(&self, ctx: &Context<'_>) -> Result<Report, Stop> {
        Arguments::read(INFO, ctx.with)?;
        let result = ctx.with.get("value").cloned().unwrap_or(Value::Null);
        let summary = match &result {
            Value::Array(items) => format!("a list of {}", items.len()),
            Value::Object(entries) => format!("a map of {}", entries.len()),
            Value::String(text) => {
                text.chars().take(80).map(|c| if c.is_control() { ' ' } else { c }).collect()
            }
            plain => plain.to_string(),
        };
        Ok(Report { summary, result, files: Vec::new() })
    }
}
