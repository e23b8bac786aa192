//! The commands of the command line: one file each.

mod agents;
mod blame;
mod completions;
mod config;
mod control;
mod daemon;
mod decide;
mod doctor;
mod init;
mod logs;
mod operations;
mod rebuild;
mod review;
mod run;
mod show;
mod status;
mod trust;
mod watch;
mod workflows;

use crate::{
    arguments::{Arguments, Command, Daemon},
    failure::{Class, Failure},
    session::Session,
    tracing_setup,
};
use orchestra_protocol::command::Command as Request;
use std::process::ExitCode;

/// How a command ended that did what it was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Done {
    Well,
    /// The run that it followed, or something that it checked, is not well.
    Badly,
}

pub(crate) fn main() -> ExitCode {
    let arguments = match Arguments::read() {
        Ok(arguments) => arguments,
        Err(error) => return usage(&error),
    };
    match arguments.command {
        Command::Daemon { command: Daemon::Detach } => return crate::daemon::detach(),
        Command::Daemon { command: Daemon::Serve } => {
            let _failpoints = fail::FailScenario::setup();
            return crate::daemon::serve();
        }
        _ => {}
    }
    tracing_setup::for_command(arguments.global.verbose);
    let json = arguments.global.json;
    match dispatch(arguments) {
        Ok(Done::Well) => ExitCode::SUCCESS,
        Ok(Done::Badly) => ExitCode::from(Class::Failed as u8),
        Err(failure) => {
            failure.print(json);
            failure.code()
        }
    }
}

fn usage(error: &clap::Error) -> ExitCode {
    // Nothing can be done about a closed terminal.
    let _ = error.print();
    ExitCode::from(if error.use_stderr() { Class::Usage as u8 } else { 0 })
}

fn dispatch(arguments: Arguments) -> Result<Done, Failure> {
    match arguments.command {
        Command::Completions { shell } => return completions::print(shell),
        Command::Daemon { command } => {
            return block_on(daemon::run(command, arguments.global.json));
        }
        _ => {}
    }
    let session = Session::open(&arguments.global)?;
    match arguments.command {
        Command::Init => init::run(&session),
        Command::Run(run) => block_on(run::workflow(&session, run)),
        Command::Start(start) => block_on(run::start(&session, start)),
        Command::Approve { target } => {
            block_on(control::send(&session, "approve", Request::Approve { target }))
        }
        Command::Decide { decision: Some(decision), choice: Some(choice) } => {
            block_on(control::send(&session, "answer", Request::Decide { decision, choice }))
        }
        Command::Decide { decision: Some(decision), choice: None } => {
            decide::show(&session, decision)
        }
        Command::Decide { decision: None, .. } => decide::list(&session),
        Command::Cancel { target } => {
            block_on(control::send(&session, "cancel", Request::Cancel { target }))
        }
        Command::Retry { target } => {
            block_on(control::send(&session, "retry", Request::Retry { target }))
        }
        Command::Timeout { target, duration } => {
            let request = Request::Timeout { target, timeout: duration };
            block_on(control::send(&session, "change the time-out", request))
        }
        Command::Pause { run } => {
            block_on(control::send(&session, "pause", Request::Pause { run }))
        }
        Command::Resume { run } => {
            block_on(control::send(&session, "resume", Request::Resume { run }))
        }
        Command::Review(review) => block_on(review::run(&session, review)),
        Command::Apply(apply) => block_on(operations::apply(&session, apply)),
        Command::Discard { run } => block_on(operations::discard(&session, run)),
        Command::Undo(undo) => block_on(operations::undo(&session, undo)),
        Command::Clean { run } => block_on(operations::clean(&session, run)),
        Command::Blame(blame) => blame::run(&session, &blame),
        Command::Status { status, limit } => status::run(&session, status.as_deref(), limit),
        Command::Show { target, limit } => show::run(&session, &target, limit),
        Command::Watch { run } => block_on(watch::run(&session, run)),
        Command::Logs { target, job, follow } => {
            logs::run(&session, &target, job.as_deref(), follow)
        }
        Command::Agents { command } => agents::run(&session, command),
        Command::Workflows { command } => workflows::run(&session, command),
        Command::Config => config::run(&session),
        Command::Trust(trust) => trust::run(&session, &trust),
        Command::Doctor { restore } => doctor::run(&session, restore.as_deref()),
        Command::Rebuild => block_on(rebuild::run(&session)),
        Command::Daemon { .. } | Command::Completions { .. } => Ok(Done::Well),
    }
}

fn block_on<T>(future: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::doing("start", error))?;
    let done = runtime.block_on(future);
    // A thread may still wait for what is typed; who has pressed Ctrl-C twice is not to type more.
    runtime.shutdown_background();
    done
}
