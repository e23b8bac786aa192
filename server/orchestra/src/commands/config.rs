//! `orchestra config`: every setting, its value and where it comes from.

use crate::{
    commands::{Done, agents::report},
    failure::Failure,
    session::Session,
    show::table::Table,
};
use serde_json::{Value, json};

pub(crate) fn run(session: &Session) -> Result<Done, Failure> {
    let (config, diagnostics) = session.config();
    let effective = config.effective();
    if session.json {
        let settings: Vec<Value> = effective
            .iter()
            .map(|setting| {
                json!({
                    "key": setting.key,
                    "value": setting.value,
                    "origin": setting.origin.to_string(),
                })
            })
            .collect();
        anstream::println!("{}", json!({ "settings": settings, "diagnostics": diagnostics }));
        return Ok(if diagnostics.is_empty() { Done::Well } else { Done::Badly });
    }
    let mut table = Table::new(&["key", "value", "from"]);
    for setting in &effective {
        table.row([setting.key.to_owned(), setting.value.clone(), setting.origin.to_string()]);
    }
    table.print();
    if diagnostics.is_empty() {
        return Ok(Done::Well);
    }
    Ok(report(session, "configuration", 1, &diagnostics))
}
