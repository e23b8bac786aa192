//! What a comparable program takes on this machine in the same run: pueue, a task queue with a
//! daemon and a command line.

use super::{
    Bench,
    floors::time_command,
    group::{Group, Measure, Row},
    table::SECONDS,
};
use crate::{checkout::output, tools::PUEUE};
use anyhow::{Context as _, ensure};
use serde_json::Value;
use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

/// How long pueue's daemon may take until it answers, also with a long history.
const START_LIMIT: Duration = Duration::from_secs(30);

/// `add` and `status` with a history of finished tasks.
pub(super) fn pueue(bench: &Bench) -> anyhow::Result<Group> {
    let folder = bench.scratch.path().join("pueue");
    let client = PUEUE.program(&bench.root, "pueue")?;
    let daemon = PUEUE.program(&bench.root, "pueued")?;
    let config = configure(&folder)?;

    // One real task, then its finished record as often as asked for: adding 10,000 through the
    // command line would take a quarter of an hour.
    let first = Daemon::start(&daemon, &client, &config)?;
    output(first.client().args(["add", "--", "/bin/true"]))?;
    output(first.client().args(["wait", "--quiet"]))?;
    drop(first);
    multiply_history(&folder.join("state.json"), bench.tasks)?;

    let daemon = Daemon::start(&daemon, &client, &config)?;
    let counted: Value =
        serde_json::from_slice(&output(daemon.client().args(["status", "--json"]))?)
            .context("read `pueue status --json`")?;
    let counted = counted["tasks"].as_object().map_or(0, serde_json::Map::len);
    ensure!(counted == bench.tasks, "pueue kept {counted} of {} tasks", bench.tasks);

    let row = |name: &str, arguments: &'static [&'static str]| {
        let (client, config) = (client.clone(), config.clone());
        let measure: Measure = Box::new(move || {
            time_command(Command::new(&client).arg("--config").arg(&config).args(arguments))
        });
        let name = format!("{name}, {} tasks", bench.tasks);
        Row { name, unit: SECONDS, goal: None, beside: None, measure }
    };
    let rows = vec![
        row("pueue status", &["status"]),
        // Stashed, so that running tasks do not disturb the next measurement.
        row("pueue add", &["add", "--stashed", "--", "/bin/true"]),
    ];
    Ok(Group { rows, fixture: Box::new(daemon), rounds: usize::MAX })
}

/// Everything of pueue's in one folder of ours.
fn configure(folder: &Path) -> anyhow::Result<PathBuf> {
    fs::create_dir(folder).with_context(|| format!("create {}", folder.display()))?;
    let config = folder.join("pueue.yml");
    // A path in double quotes is YAML as well as JSON.
    let quoted = serde_json::to_string(folder)?;
    let text = format!(
        "shared:\n  pueue_directory: {quoted}\n  runtime_directory: {quoted}\n  \
         use_unix_socket: true\nclient: {{}}\ndaemon: {{}}\n"
    );
    fs::write(&config, text).with_context(|| format!("write {}", config.display()))?;
    Ok(config)
}

fn multiply_history(state: &Path, tasks: usize) -> anyhow::Result<()> {
    let text = fs::read(state).with_context(|| format!("read {}", state.display()))?;
    let mut json: Value = serde_json::from_slice(&text).context("read the state of pueue")?;
    let known = json["tasks"].as_object_mut().context("the state of pueue holds no tasks")?;
    let task = known.get("0").context("the state of pueue holds no task 0")?.clone();
    ensure!(task["status"].get("Done").is_some(), "task 0 of pueue has not ended: {task}");
    for id in 0..tasks {
        let mut copy = task.clone();
        copy["id"] = id.into();
        known.insert(id.to_string(), copy);
    }
    fs::write(state, serde_json::to_vec(&json)?)
        .with_context(|| format!("write {}", state.display()))
}

/// A running `pueued`, shut down on drop.
struct Daemon {
    process: Child,
    client: PathBuf,
    config: PathBuf,
}

impl Daemon {
    fn start(program: &Path, client: &Path, config: &Path) -> anyhow::Result<Self> {
        let process = Command::new(program)
            .arg("--config")
            .arg(config)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .with_context(|| format!("start {}", program.display()))?;
        let mut daemon = Self { process, client: client.to_owned(), config: config.to_owned() };
        daemon.wait_until_it_answers()?;
        Ok(daemon)
    }

    fn wait_until_it_answers(&mut self) -> anyhow::Result<()> {
        let deadline = Instant::now() + START_LIMIT;
        while output(self.client().arg("status")).is_err() {
            ensure!(self.process.try_wait()?.is_none(), "pueued ended at its start");
            ensure!(Instant::now() < deadline, "pueued does not answer after {START_LIMIT:?}");
            thread::sleep(Duration::from_millis(10));
        }
        Ok(())
    }

    fn client(&self) -> Command {
        let mut command = Command::new(&self.client);
        command.arg("--config").arg(&self.config);
        command
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // It writes its state when asked to go, and is killed when it does not listen.
        if output(self.client().arg("shutdown")).is_err() {
            self.process.kill().ok();
        }
        self.process.wait().ok();
    }
}
