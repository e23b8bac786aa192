//! `orchestra daemon`: start it, stop it, look at it.

use crate::{
    arguments::Daemon,
    commands::Done,
    failure::{Class, Failure},
    session,
    show::table::Table,
};
use orchestra_core::folders::Folders;
use orchestra_protocol::{client::Client, command::DaemonInfo};
use std::{fs, io};

pub(crate) async fn run(command: Daemon, json: bool) -> Result<Done, Failure> {
    let folders = session::folders()?;
    match command {
        Daemon::Start => {
            session::refuse_agents("start the daemon")?;
            let mut client = session::connect(&folders, "start the daemon").await?;
            let info = client.daemon().await;
            print(&info.map_err(|error| Failure::client("ask the daemon", error))?, json);
            Ok(Done::Well)
        }
        Daemon::Stop => stop(&folders, json).await,
        Daemon::Status => {
            let info = match Client::connect(&folders).await {
                Ok(mut client) => client.daemon().await,
                Err(error) => Err(error),
            };
            let info = info.map_err(|error| {
                Failure::client("ask the daemon", error)
                    .with_hint("it is started by the first command that needs it")
            })?;
            print(&info, json);
            Ok(Done::Well)
        }
        Daemon::Log => log(&folders),
        // Handled before anything else is set up.
        Daemon::Detach | Daemon::Serve => Ok(Done::Well),
    }
}

async fn stop(folders: &Folders, json: bool) -> Result<Done, Failure> {
    session::refuse_agents("stop the daemon")?;
    let stopped = match Client::connect(folders).await {
        Ok(mut client) => client.stop(folders).await,
        Err(error) => Err(error),
    };
    let stopped = match stopped {
        Ok(()) => Ok(true),
        // There is none, or it has gone before it could be asked.
        Err(error) if error.may_be_asked_again() => Ok(false),
        Err(error) => Err(error),
    };
    let stopped = stopped.map_err(|error| Failure::client("stop the daemon", error))?;
    if json {
        anstream::println!("{}", serde_json::json!({ "stopped": stopped }));
    } else if stopped {
        anstream::println!("the daemon has left; attempts under way go on");
    } else {
        anstream::println!("no daemon is running");
    }
    Ok(Done::Well)
}

fn print(info: &DaemonInfo, json: bool) {
    if json {
        anstream::println!("{}", serde_json::json!(info));
        return;
    }
    anstream::println!("daemon {} with pid {}, since {}", info.build, info.pid, info.started);
    let mut table = Table::new(&["workspace", "open runs", "under way", "root"]);
    for workspace in &info.workspaces {
        table.row([
            workspace.id.to_string(),
            workspace.open_runs.to_string(),
            workspace.attempts_under_way.to_string(),
            workspace.root.display().to_string(),
        ]);
    }
    table.print();
}

fn log(folders: &Folders) -> Result<Done, Failure> {
    let path = folders.daemon_log();
    let mut file = fs::File::open(&path).map_err(|error| {
        Failure::new(Class::Failed, format!("open {}: {error}", path.display()), "")
    })?;
    // Whoever reads may stop reading.
    let _ = io::copy(&mut file, &mut io::stdout());
    Ok(Done::Well)
}
