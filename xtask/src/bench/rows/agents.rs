//! Agents: how soon one runs and is gone again, and a thousand at once.

use super::super::{
    Bench,
    floors::time_command,
    group::{Goal, Group, Row},
    product::{Connection, Product, of_process},
    table::{BYTES, SECONDS},
};
use anyhow::{Context as _, ensure};
use rustix::{
    event::{PollFd, PollFlags, poll},
    fs::{CWD, Mode, mkfifoat},
    process::{Pid, PidfdFlags, pidfd_open},
};
use serde_json::json;
use std::{
    cell::RefCell,
    fs,
    path::{Path, PathBuf},
    process::Command,
    rc::Rc,
    time::Instant,
};

struct Agent {
    product: Product,
    connection: Connection,
    fifo: PathBuf,
}

impl Agent {
    /// Starts the agent; returns its run, its process, and how long it took until it ran.
    fn start(&mut self) -> anyhow::Result<(String, Pid, f64)> {
        let key = self.product.key();
        let command = json!({ "type": "start", "agent": "waits", "prompt": "wait" });
        let began = Instant::now();
        let answer = self.connection.command(&key, &command)?;
        // The agent's first act is to write its number.
        let text = fs::read_to_string(&self.fifo).context("wait for the agent")?;
        let took = began.elapsed().as_secs_f64();
        let pid = Pid::from_raw(text.trim().parse()?).context("the agent has no pid")?;
        Ok((answer["run"].as_str().context("no run")?.to_owned(), pid, took))
    }

    /// Returns how long it took until the process had gone.
    fn cancel(&mut self, run: &str, pid: Pid) -> anyhow::Result<f64> {
        let pidfd = pidfd_open(pid, PidfdFlags::empty())?;
        let key = self.product.key();
        let command = json!({ "type": "cancel", "target": run });
        let began = Instant::now();
        self.connection.command(&key, &command)?;
        poll(&mut [PollFd::new(&pidfd, PollFlags::IN)], None)?;
        Ok(began.elapsed().as_secs_f64())
    }
}

pub(in super::super) fn one(bench: &Bench) -> anyhow::Result<Group> {
    let product = Product::new(bench)?;
    let fifo = product.folder.path().join("fifo");
    mkfifoat(CWD, &fifo, Mode::RUSR | Mode::WUSR)?;
    let script = product.folder.path().join("waits.sh");
    fs::write(&script, format!("echo $$ > {}\nexec sleep 1000\n", fifo.display()))?;
    let script = script.to_str().context("the folder's name is no text")?;
    product.agent("waits", "max_load: 8\n", &["/bin/sh", script])?;
    product.run(&["trust", "--yes"])?;
    let connection = product.connect()?;
    let agent = Rc::new(RefCell::new(Agent { product, connection, fifo }));
    let (starts, cancels) = (Rc::clone(&agent), Rc::clone(&agent));
    let rows = vec![
        Row {
            name: "bare spawn".to_owned(),
            unit: SECONDS,
            goal: None,
            beside: None,
            measure: Box::new(|| time_command(&mut Command::new("/bin/true"))),
        },
        Row {
            name: "start until the agent runs, in its clone".to_owned(),
            unit: SECONDS,
            goal: Some(Goal { text: "≤ 15 ms", reached: |median, _| median <= 0.015 }),
            beside: Some("bare spawn"),
            measure: Box::new(move || {
                let mut agent = starts.borrow_mut();
                let (run, pid, took) = agent.start()?;
                agent.cancel(&run, pid)?;
                Ok(took)
            }),
        },
        Row {
            name: "cancel until the agent has gone".to_owned(),
            unit: SECONDS,
            goal: Some(Goal { text: "≤ 20 ms", reached: |median, _| median <= 0.020 }),
            beside: Some("bare spawn"),
            measure: Box::new(move || {
                let mut agent = cancels.borrow_mut();
                let (run, pid, _) = agent.start()?;
                agent.cancel(&run, pid)
            }),
        },
    ];
    Ok(Group { rows, fixture: Box::new(agent), rounds: 15 })
}

/// How many agents, and how long each sleeps.
const THOUSAND: usize = 1_000;
const SLEEP: &str = "5";

pub(in super::super) fn thousand(bench: &Bench) -> anyhow::Result<Group> {
    let product = Rc::new(Product::new(bench)?);
    product.agent("sleeps", "max_load: 1000\n", &["sleep", SLEEP])?;
    let mut text = "name: wide\ndescription: measured\nsteps:\n".to_owned();
    for number in 0..THOUSAND {
        text.push_str(&format!("  - {{ id: s{number}, agent: sleeps, prompt: sleep }}\n"));
    }
    product.write(".orchestra/workflows/wide.yaml", &text)?;
    product.run(&["trust", "--yes"])?;
    product.run(&["daemon", "start"])?;
    let peaks = Rc::new(RefCell::new(Peaks::default()));
    let (runs, seen) = (Rc::clone(&product), Rc::clone(&peaks));
    let (daemon, shim) = (Rc::clone(&peaks), Rc::clone(&peaks));
    let bare = "1,000 bare processes that sleep 5 s";
    let rows = vec![
        Row {
            name: bare.to_owned(),
            unit: SECONDS,
            goal: None,
            beside: None,
            measure: Box::new(|| {
                let began = Instant::now();
                let spawn = |_| Command::new("sleep").arg(SLEEP).spawn();
                let children: Result<Vec<_>, _> = (0..THOUSAND).map(spawn).collect();
                for mut child in children? {
                    child.wait()?;
                }
                Ok(began.elapsed().as_secs_f64())
            }),
        },
        Row {
            name: "1,000 attempts at once that sleep 5 s".to_owned(),
            unit: SECONDS,
            goal: Some(Goal { text: "≤ 2 × bare", reached: |_, ratio| ratio <= 2.0 }),
            beside: Some(bare),
            measure: Box::new(move || {
                let began = Instant::now();
                let mut run =
                    runs.command(&["run", "wide"]).stdout(std::process::Stdio::null()).spawn()?;
                while run.try_wait()?.is_none() {
                    seen.borrow_mut().look(runs.daemon_pid()?)?;
                    std::thread::sleep(std::time::Duration::from_millis(500));
                }
                ensure!(run.wait()?.success(), "the run of a thousand failed");
                Ok(began.elapsed().as_secs_f64())
            }),
        },
        Row {
            name: "the daemon's memory meanwhile (RSS)".to_owned(),
            unit: BYTES,
            goal: Some(Goal { text: "≤ 100 MiB", reached: |median, _| median <= 104_857_600.0 }),
            beside: None,
            measure: Box::new(move || Ok(daemon.borrow().daemon)),
        },
        Row {
            name: "a shim's memory meanwhile (PSS)".to_owned(),
            unit: BYTES,
            goal: Some(Goal { text: "≤ 0.5 MiB", reached: |median, _| median <= 524_288.0 }),
            beside: None,
            measure: Box::new(move || Ok(shim.borrow().shim)),
        },
    ];
    Ok(Group { rows, fixture: Box::new(product), rounds: 1 })
}

/// The most memory that was seen.
#[derive(Default)]
struct Peaks {
    daemon: f64,
    /// Of one shim, on average over all at the time when there were most.
    shim: f64,
    shims: usize,
}

impl Peaks {
    fn look(&mut self, daemon: u32) -> anyhow::Result<()> {
        self.daemon = self.daemon.max(of_process(daemon, "status", "VmRSS")? * 1024.0);
        let shims: Vec<f64> = fs::read_dir("/proc")?
            .flatten()
            .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
            .filter(|pid: &u32| is_shim(*pid))
            .filter_map(|pid| of_process(pid, "smaps_rollup", "Pss").ok())
            .collect();
        if shims.len() > self.shims {
            self.shims = shims.len();
            self.shim = shims.iter().sum::<f64>() / shims.len() as f64 * 1024.0;
        }
        Ok(())
    }
}

fn is_shim(pid: u32) -> bool {
    let name = fs::read_to_string(Path::new("/proc").join(pid.to_string()).join("comm"));
    name.is_ok_and(|name| name.trim_end() == "orchestra-shim")
}
