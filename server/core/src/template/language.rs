//! What templates can do, and what that may cost: filters, tests, and a price for each of them.

use super::check::{FILTERS, TESTS};
use minijinja::{
    Environment, Error, ErrorKind, State, UndefinedBehavior, Value, filters,
    functions::range,
    tests,
    value::{Kwargs, Rest, Serde},
};
use std::{io, sync::LazyLock};

/// How long a rendered text may be, in bytes.
pub const MAX_OUTPUT: usize = 4 << 20;
/// How long a text may become inside an expression, in bytes.
const MAX_TEXT: usize = 1 << 20;
/// How many instructions one evaluation may take: enough to list a few thousand findings.
const FUEL: u64 = 200_000;
/// How many items filters may look at in one evaluation. An instruction that calls a filter costs as
/// little fuel as any other, however long the list.
const MAX_WORK: u64 = 4_000_000;
/// Where the state of an evaluation keeps the work done so far.
const WORK: &str = "orchestra.work";

pub(super) fn environment() -> &'static Environment<'static> {
    static ENVIRONMENT: LazyLock<Environment<'static>> = LazyLock::new(build);
    &ENVIRONMENT
}

pub(super) fn render(text: &str, context: &serde_json::Value) -> Result<String, Error> {
    let mut output = Output(Vec::new());
    environment()
        .template_from_str(text)?
        .render_captured_to(Value::from(Serde(context)), &mut output)?;
    String::from_utf8(output.0)
        .map_err(|error| Error::new(ErrorKind::WriteFailure, error.to_string()))
}

/// The error without the position and the name that minijinja gives to texts without a file.
pub(super) fn explain(error: &Error) -> String {
    match (error.kind(), error.detail()) {
        (ErrorKind::OutOfFuel, _) => format!("takes more than {FUEL} steps to evaluate"),
        (ErrorKind::WriteFailure, _) => format!("becomes longer than {MAX_OUTPUT} bytes"),
        (ErrorKind::UndefinedError, _) => "is undefined".to_owned(),
        (_, Some(detail)) => detail.to_owned(),
        (kind, None) => kind.to_string(),
    }
}

fn build() -> Environment<'static> {
    let mut environment = Environment::empty();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_fuel(Some(FUEL));
    environment.set_debug(true);
    environment.add_function("range", range);
    for &name in FILTERS {
        if let Some(filter) = filter(name) {
            let priced = move |state: &mut State, arguments: Rest<Value>, named: Kwargs| {
                let mut arguments = arguments.0;
                if named.args().next().is_some() {
                    arguments.push(Value::from(named));
                }
                check_growth(name, &arguments)?;
                charge(state, arguments.iter())?;
                let result = filter.call(state, &arguments)?;
                charge(state, std::iter::once(&result))?;
                Ok::<Value, Error>(result)
            };
            environment.add_filter(name, priced);
        }
    }
    for &name in TESTS {
        add_test(&mut environment, name);
    }
    environment
}

fn filter(name: &str) -> Option<Value> {
    Some(match name {
        "abs" => Value::from_function(filters::abs),
        "bool" => Value::from_function(filters::bool),
        "capitalize" => Value::from_function(filters::capitalize),
        "count" | "length" => Value::from_function(filters::length),
        "default" => Value::from_function(filters::default),
        "dictsort" => Value::from_function(filters::dictsort),
        "first" => Value::from_function(filters::first),
        "float" => Value::from_function(filters::float),
        "indent" => Value::from_function(filters::indent),
        "int" => Value::from_function(filters::int),
        "items" => Value::from_function(filters::items),
        "join" => Value::from_function(filters::join),
        "last" => Value::from_function(filters::last),
        "lines" => Value::from_function(filters::lines),
        "list" => Value::from_function(filters::list),
        "lower" => Value::from_function(filters::lower),
        "map" => Value::from_function(filters::map),
        "max" => Value::from_function(filters::max),
        "min" => Value::from_function(filters::min),
        "reject" => Value::from_function(filters::reject),
        "rejectattr" => Value::from_function(filters::rejectattr),
        "replace" => Value::from_function(filters::replace),
        "reverse" => Value::from_function(filters::reverse),
        "round" => Value::from_function(filters::round),
        "select" => Value::from_function(filters::select),
        "selectattr" => Value::from_function(filters::selectattr),
        "sort" => Value::from_function(filters::sort),
        "split" => Value::from_function(filters::split),
        "string" => Value::from_function(filters::string),
        "title" => Value::from_function(filters::title),
        "tojson" => Value::from_function(filters::tojson),
        "trim" => Value::from_function(filters::trim),
        "unique" => Value::from_function(filters::unique),
        "upper" => Value::from_function(filters::upper),
        _ => return None,
    })
}

fn add_test(environment: &mut Environment<'static>, name: &'static str) {
    match name {
        "boolean" => environment.add_test(name, tests::is_boolean),
        "defined" => environment.add_test(name, tests::is_defined),
        "endingwith" => environment.add_test(name, tests::is_endingwith),
        "eq" | "equalto" => environment.add_test(name, tests::is_eq),
        "even" => environment.add_test(name, tests::is_even),
        "false" => environment.add_test(name, tests::is_false),
        "ge" => environment.add_test(name, tests::is_ge),
        "gt" => environment.add_test(name, tests::is_gt),
        "integer" => environment.add_test(name, tests::is_integer),
        "iterable" => environment.add_test(name, tests::is_iterable),
        "le" => environment.add_test(name, tests::is_le),
        "lt" => environment.add_test(name, tests::is_lt),
        "mapping" => environment.add_test(name, tests::is_mapping),
        "ne" => environment.add_test(name, tests::is_ne),
        "none" => environment.add_test(name, tests::is_none),
        "number" => environment.add_test(name, tests::is_number),
        "odd" => environment.add_test(name, tests::is_odd),
        "sequence" => environment.add_test(name, tests::is_sequence),
        "startingwith" => environment.add_test(name, tests::is_startingwith),
        "string" => environment.add_test(name, tests::is_string),
        "true" => environment.add_test(name, tests::is_true),
        "undefined" => environment.add_test(name, tests::is_undefined),
        _ => {}
    }
}

/// Refuses what would make a text much longer than it was, before it does.
fn check_growth(filter: &str, arguments: &[Value]) -> Result<(), Error> {
    let text = |position: usize| arguments.get(position).and_then(Value::as_str);
    let width = arguments.iter().skip(1).find_map(Value::as_usize).unwrap_or(0);
    let grown = match (filter, text(0), text(1), text(2)) {
        ("replace", Some(value), Some(from), Some(to)) => {
            value.matches(from).count().saturating_mul(to.len())
        }
        ("join", _, Some(joiner), _) => {
            arguments.first().and_then(Value::len).unwrap_or(0).saturating_mul(joiner.len())
        }
        ("indent", Some(value), _, _) => value.lines().count().saturating_mul(width),
        // A width that is given by name is not among the numbers above.
        ("tojson", _, _, _) if arguments.len() > 1 => usize::MAX,
        _ => 0,
    };
    if grown > MAX_TEXT {
        let detail = format!("`{filter}` makes a text longer than {MAX_TEXT} bytes");
        return Err(Error::new(ErrorKind::InvalidOperation, detail));
    }
    Ok(())
}

fn charge<'v>(state: &mut State, values: impl Iterator<Item = &'v Value>) -> Result<(), Error> {
    let done = state.get_temp(WORK).and_then(|done| u64::try_from(done).ok()).unwrap_or(0);
    let cost: u64 = values.map(cost).sum();
    let done = done.saturating_add(cost);
    if done > MAX_WORK {
        return Err(Error::from(ErrorKind::OutOfFuel));
    }
    state.set_temp(WORK, Value::from(done));
    Ok(())
}

fn cost(value: &Value) -> u64 {
    let items = match value.as_str() {
        Some(text) => text.len() / 64,
        None => value.len().unwrap_or(0),
    };
    u64::try_from(items).unwrap_or(u64::MAX).saturating_add(1)
}

/// A text that refuses to grow beyond [`MAX_OUTPUT`].
struct Output(Vec<u8>);

impl io::Write for &mut Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.len() + bytes.len() > MAX_OUTPUT {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
