//! `orchestra agents test`: lets an agent do a tiny task, really, in a repository that is thrown away.
//!
//! The engine runs in this process with folders of its own, so that neither the user's history nor their
//! daemon knows of it; the agent gets what it would get otherwise: its tree, its sandbox, its prompt.

mod report;
mod scratch;

use crate::{
    arguments::TestAgent,
    commands::Done,
    failure::{Class, Failure},
    session::{Session, refuse_agents},
};
use orchestra_core::{
    agent::AgentProfile, catalog::Availability, event::EventBody, ids::RunId, view::TaskView,
};
use orchestra_engine::{
    Engine, EngineOptions, Workspace,
    hub::{Next, Subscription},
};
use orchestra_protocol::{
    build::Build,
    command::{Command, CommandRequest},
    stream::StreamItem,
};
use orchestra_runtimes::catalog;
use orchestra_store::TaskFilter;
use report::Report;
use scratch::Scratch;
use std::time::{SystemTime, UNIX_EPOCH};

pub(super) fn run(session: &Session, test: &TestAgent) -> Result<Done, Failure> {
    let what = format!("test the agent `{}`", test.name.chars().take(80).collect::<String>());
    refuse_agents(&what)?;
    let loaded = session.catalog();
    let source = super::find(&loaded, &test.name)?;
    let profile = source.completed().filter(|_| source.availability == Availability::Available);
    let Some(profile) = profile else {
        let install: Vec<String> =
            source.missing.iter().map(|backend| format!("`{}`", backend.install)).collect();
        let hint = match install.as_slice() {
            [] => format!("see `orchestra agents show {}`", source.name()),
            commands => format!("install with {}", commands.join(" or ")),
        };
        let reason = match &source.availability {
            Availability::Unavailable { reason } => reason.as_str(),
            Availability::Available => "it is not available",
        };
        return Err(Failure::new(Class::Failed, format!("{what}: {reason}"), hint)
            .with_diagnostics(source.diagnostics.clone()));
    };
    let failed = |error: &dyn std::fmt::Display| {
        Failure::doing(&what, error).with_hint("see `orchestra doctor`")
    };
    let scratch =
        Scratch::create(session, source, &profile, test.timeout).map_err(|error| failed(&error))?;
    let mut report = crate::commands::block_on(async {
        attempt(&scratch, &profile).await.map_err(|error| failed(&error))
    })?;
    if let Some(backend) = source.backend {
        report.name_login(backend);
    }
    report.print(session);
    Ok(if report.is_good() { Done::Well } else { Done::Badly })
}

type AnyError = Box<dyn std::error::Error>;

async fn attempt(scratch: &Scratch, profile: &AgentProfile) -> Result<Report, AnyError> {
    let engine = Engine::new(EngineOptions {
        folders: scratch.folders().clone(),
        build: Build::current()?,
        program: std::env::current_exe()?,
        // A shim starts the daemon with these when none answers; here it is not to start one.
        daemon_command: vec!["--version".to_owned()],
    });
    let workspace = engine.workspace(scratch.root()).await?;
    let report = in_workspace(&workspace, scratch, profile).await;
    engine.close().await;
    report
}

async fn in_workspace(
    workspace: &Workspace,
    scratch: &Scratch,
    profile: &AgentProfile,
) -> Result<Report, AnyError> {
    let mut environment = catalog::process_environment();
    // Whoever has typed this has approved it.
    environment.insert("ORCHESTRA_RUN_APPROVE".to_owned(), "false".to_owned());
    let command = Command::Run {
        workflow: scratch::WORKFLOW.to_owned(),
        params: Default::default(),
        mode: None,
        approve: Some(false),
        sight: Default::default(),
    };
    // From the first event on, before there is one: a run may end before anybody could ask.
    let mut events = workspace.subscribe(1, None);
    let answer = send(workspace, scratch, environment, command).await?;
    tokio::select! {
        () = end_of(&mut events, answer.run) => {}
        _ = tokio::signal::ctrl_c() => {
            let cancel = Command::Cancel { target: answer.run.to_string() };
            send(workspace, scratch, Default::default(), cancel).await?;
            end_of(&mut events, answer.run).await;
        }
    }
    workspace.projected().await.map_err(|error| error.message)?;
    let tasks = workspace.reader()?.tasks(answer.run, &TaskFilter::default())?;
    let task: TaskView = tasks.into_iter().next().ok_or("the run has no task")?;
    Ok(Report::new(scratch, profile, &task))
}

async fn send(
    workspace: &Workspace,
    scratch: &Scratch,
    environment: std::collections::BTreeMap<String, String>,
    command: Command,
) -> Result<orchestra_protocol::command::Answer, AnyError> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let key = format!("test-{}", now.as_nanos());
    let request = CommandRequest { key, root: scratch.root().to_owned(), environment, command };
    Ok(workspace
        .command(request)
        .await
        .map_err(|error| format!("{} ({})", error.message, error.hint))?)
}

async fn end_of(events: &mut Subscription, run: RunId) {
    loop {
        match events.next().await {
            Next::Item(item) => {
                if let StreamItem::Event(event) = &*item
                    && event.run == run
                    && matches!(event.body, EventBody::RunEnded { .. })
                {
                    return;
                }
            }
            // One task has fewer events than the hub keeps for a subscriber.
            Next::Journal { until, .. } => events.skip_to(until),
        }
    }
}
