//! `orchestra trust`: let the agents and commands of this workspace run, or take that back.

use crate::{
    arguments::Trust,
    commands::Done,
    failure::{Class, Failure},
    session::{Session, is_interactive, refuse_agents},
    show::table::Table,
};
use orchestra_core::agent::Origin;
use orchestra_runtimes::catalog::{
    Loaded,
    trust::{self, Status},
};
use serde_json::json;
use std::io::Write as _;

pub(crate) fn run(session: &Session, arguments: &Trust) -> Result<Done, Failure> {
    let what = format!("trust {}", session.root.display());
    refuse_agents(&what)?;
    let failed = |error: trust::TrustError| {
        Failure::doing(&what, error).with_hint("repair or remove the file, then try again")
    };
    let state = &session.folders.state;
    if arguments.revoke {
        let was_there = trust::revoke(state, &session.root).map_err(failed)?;
        print(
            session,
            false,
            if was_there { "is not trusted any more" } else { "was not trusted" },
        );
        return Ok(Done::Well);
    }
    let loaded = session.catalog();
    match trust::status(state, &session.root, loaded.brought()).map_err(failed)? {
        Status::Trusted => {
            print(session, true, "is trusted already");
            return Ok(Done::Well);
        }
        Status::Untrusted => {}
        Status::Changed(changes) => {
            for change in changes {
                anstream::eprintln!("{change}");
            }
        }
    }
    if !arguments.yes {
        show_commands(session, &loaded);
        ask(session, &what)?;
    }
    trust::grant(state, &session.root, loaded.brought()).map_err(failed)?;
    print(session, true, "is trusted");
    Ok(Done::Well)
}

/// What would run: the command lines that the workspace brings.
fn show_commands(session: &Session, loaded: &Loaded) {
    let mut table = Table::new(&["what", "file", "command"]);
    for agent in loaded.agents.iter().filter(|agent| agent.origin == Origin::Workspace) {
        let Some(profile) = &agent.profile else { continue };
        let what = format!("agent {}", profile.name);
        table.row([what, agent.file.clone(), profile.command.join(" ")]);
    }
    for source in &loaded.commands {
        for command in &source.commands {
            table.row([source.what.clone(), source.file.clone(), command.join(" ")]);
        }
    }
    if session.json {
        // The standard output is for the answer alone.
        anstream::eprint!("{}", table.fields());
    } else if table.is_empty() {
        anstream::println!(
            "the workspace brings no agents and no commands; your agents may work on it"
        );
    } else {
        table.print();
    }
}

fn ask(session: &Session, what: &str) -> Result<(), Failure> {
    if !is_interactive() {
        return Err(Failure::new(
            Class::Refused,
            format!("{what}: there is nobody to ask"),
            "look at the commands above, then run `orchestra trust --yes`",
        ));
    }
    let mut stderr = std::io::stderr();
    let _ = write!(stderr, "let agents run in {}? [y/N] ", session.root.display())
        .and_then(|()| stderr.flush());
    let mut line = String::new();
    match std::io::stdin().read_line(&mut line) {
        Ok(_) if matches!(line.trim(), "y" | "Y" | "yes") => Ok(()),
        _ => Err(Failure::new(Class::Refused, format!("{what}: you said no"), "")),
    }
}

fn print(session: &Session, trusted: bool, text: &str) {
    if session.json {
        anstream::println!("{}", json!({ "root": session.root, "trusted": trusted }));
    } else {
        anstream::println!("{} {text}", session.root.display());
    }
}
