//! A tool that a program uses, as one line of the log.

use crate::mask::Secrets;
use serde_json::Value;

/// Of the arguments: a whole file may be among them.
const LONGEST_ARGUMENTS: usize = 500;

/// `name {"argument":"value"}`. Without secrets, as nobody finds one afterwards that is escaped or cut.
pub(super) fn line(tool: &str, mut arguments: Value, secrets: &Secrets) -> String {
    mask(&mut arguments, secrets);
    let mut arguments = arguments.to_string();
    if arguments.len() > LONGEST_ARGUMENTS {
        arguments.truncate(arguments.floor_char_boundary(LONGEST_ARGUMENTS));
        arguments.push('…');
    }
    format!("{tool} {arguments}")
}

fn mask(value: &mut Value, secrets: &Secrets) {
    match value {
        Value::Null | Value::Bool(_) => {}
        Value::Number(number) => {
            let number = number.to_string();
            if secrets.are_in(number.as_bytes()) {
                *value = Value::String(masked(&number, secrets));
            }
        }
        Value::String(text) => *text = masked(text, secrets),
        Value::Array(values) => values.iter_mut().for_each(|value| mask(value, secrets)),
        Value::Object(fields) => {
            let masked = |(name, mut value): (String, Value)| {
                mask(&mut value, secrets);
                (masked(&name, secrets), value)
            };
            *fields = std::mem::take(fields).into_iter().map(masked).collect();
        }
    }
}

fn masked(text: &str, secrets: &Secrets) -> String {
    String::from_utf8_lossy(&secrets.mask(text.as_bytes())).into_owned()
}
