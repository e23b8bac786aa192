//! The engine: opens workspaces on demand, each with an actor of its own.

use crate::{
    actor::{Actor, Parts},
    clock,
    effects::{Effects, Radar, Shared, Sweeper},
    environment::Environments,
    hub::Hub,
    planning::Planner,
    recovery,
    workspace::{OpenError, Workspace},
};
use orchestra_core::{
    config::Config,
    decision::AskLimits,
    folders::Folders,
    ids::{AttemptId, WorkspaceId},
    memory::MemoryLimits,
    pending::pending,
    state::{Limits, State},
    time::Timestamp,
};
use orchestra_protocol::{
    build::Build,
    command::{DaemonInfo, WorkspaceInfo},
};
use orchestra_runtimes::{
    caller::{Agent, agent_behind},
    catalog,
    checks::{Bounds, CheckCache},
};
use orchestra_store::{Reader, Store};
use orchestra_vcs::trees::Pool;
use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{self, DirBuilder},
    io,
    num::NonZero,
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
    thread::available_parallelism,
    time::Duration,
};
use tokio::sync::{Mutex, Semaphore, mpsc};

/// What the engine needs to know of its surroundings.
#[derive(Debug, Clone)]
pub struct EngineOptions {
    pub folders: Folders,
    pub build: Build,
    /// Where this program is, for what agents start of it.
    pub program: PathBuf,
    /// With which arguments a shim starts the daemon when none answers.
    pub daemon_command: Vec<String>,
}

/// All workspaces of one user.
pub struct Engine {
    options: EngineOptions,
    started: Timestamp,
    /// Opening is rare and must not happen twice at once, so it holds the lock across its waits.
    workspaces: Mutex<BTreeMap<PathBuf, Workspace>>,
}

impl Engine {
    pub fn new(options: EngineOptions) -> Self {
        Self { options, started: clock::now(), workspaces: Mutex::new(BTreeMap::new()) }
    }

    /// The agent behind a connection that was accepted so long ago; `None` when it is the user's. Fails when
    /// the process has gone.
    pub fn agent_behind(&self, pid: u32, connected_for: Duration) -> io::Result<Option<Agent>> {
        agent_behind(pid, connected_for, &self.options.folders.state)
    }

    /// The workspace at `root`, which must be canonical; opens it if it is not open yet, and with that
    /// finds again every attempt that was under way.
    pub async fn workspace(&self, root: &Path) -> Result<Workspace, OpenError> {
        let mut workspaces = self.workspaces.lock().await;
        if let Some(workspace) = workspaces.get(root) {
            return Ok(workspace.clone());
        }
        let workspace = self.open(root).await?;
        workspaces.insert(root.to_owned(), workspace.clone());
        Ok(workspace)
    }

    /// Opens the workspace that `id` names, if its state folder says where it is.
    pub async fn workspace_by_id(&self, id: &WorkspaceId) -> Result<Option<Workspace>, OpenError> {
        match orchestra_store::root_of(&self.options.folders.workspace_state(id)) {
            Some(root) => self.workspace(&root).await.map(Some),
            None => Ok(None),
        }
    }

    /// Opens every workspace in which something was under way when the last daemon went.
    pub async fn resume_all(&self) {
        for root in orchestra_store::unfinished(&self.options.folders.state) {
            if let Err(error) = self.workspace(&root).await {
                tracing::error!(root = %root.display(), %error, "unfinished work was not taken up");
            }
        }
    }

    async fn open(&self, root: &Path) -> Result<Workspace, OpenError> {
        let folders = self.options.folders.clone();
        let id = WorkspaceId::of_root(root);
        let (config, diagnostics) =
            catalog::load_config(root, &folders.config, &catalog::process_environment());
        for diagnostic in diagnostics {
            tracing::warn!(workspace = %id, "{diagnostic}");
        }
        let limits = limits(&config);
        let options = orchestra_store::Options {
            backup_every: config.store.backup_every.into(),
            backups_kept: config.store.backups_kept,
            ..orchestra_store::Options::new(
                self.options.build.to_string(),
                folders.socket().display().to_string(),
            )
        };
        let (dir, path) = (folders.workspace_state(&id), root.to_owned());
        let pool = Pool::open(folders.trees(&id), root.to_owned());
        let (of_open, scratch) = (pool.clone(), folders.scratch(&id));
        let opened = tokio::task::spawn_blocking(move || {
            let store = Store::open(&dir, &path, options)
                .map_err(|source| OpenError::Store { root: path.clone(), source })?;
            let recovered = recovery::load(&store, limits)
                .map_err(|source| OpenError::Load { root: path, source })?;
            tidy(&of_open, &scratch, &recovered.state);
            Ok((store, recovered))
        });
        let (store, recovered) = opened.await.unwrap_or_else(|panic| {
            std::panic::resume_unwind(panic.into_panic());
        })?;

        let store = Arc::new(store);
        let artifacts = store.artifacts();
        let hub = Arc::new(Hub::new(recovered.last_seq + 1));
        let (sender, messages) = mpsc::unbounded_channel();
        let shared = Shared {
            folders: folders.clone(),
            workspace: id.clone(),
            root: root.to_owned(),
            hub: Arc::clone(&hub),
            sender: sender.clone(),
            artifacts: artifacts.clone(),
            attempt: config.attempt.clone(),
            decision: config.decision.clone(),
            mcp: config.mcp.clone(),
            store: Arc::downgrade(&store),
            try_again_after: config.store.try_again.into(),
            program: self.options.program.clone(),
            snapshot: config.snapshot.clone(),
            collect: config.collect.clone(),
            apply: config.apply.clone(),
            radar: Radar::default(),
            merge: config.merge.clone(),
            daemon_command: self.options.daemon_command.clone(),
            sweeper: Sweeper::new(config.attempt.grace),
            pool,
            checks: Semaphore::new(usize::try_from(config.verify.parallel).unwrap_or(1)),
            check_cache: CheckCache::new(&folders.checks(&id), Bounds::from(&config.verify)),
            has_sandbox: OnceLock::new(),
        };
        let environments = Environments::new(folders.clone(), id.clone());
        let effects = Effects::new(shared, config.radar.clone(), environments, &recovered.state);
        let info = WorkspaceInfo {
            id: id.clone(),
            root: root.to_owned(),
            open_runs: 0,
            attempts_under_way: 0,
        };
        let actor = Actor::new(Parts {
            recovered,
            limits,
            try_again_after: config.store.try_again.into(),
            store,
            hub: Arc::clone(&hub),
            effects,
            info,
            messages,
            sender: sender.clone(),
        });
        tokio::spawn(actor.run());
        let dir = folders.workspace_state(&id);
        Ok(Workspace {
            sender,
            hub,
            planner: Arc::new(Planner {
                folders,
                root: root.to_owned(),
                artifacts,
                known: catalog::Cache::default(),
            }),
            reader: Arc::new(move || Reader::open(&dir)),
        })
    }

    pub async fn info(&self) -> DaemonInfo {
        let mut workspaces = Vec::new();
        for workspace in self.open_workspaces().await {
            if let Some(info) = workspace.info().await {
                workspaces.push(info.workspace);
            }
        }
        DaemonInfo {
            build: self.options.build.clone(),
            pid: std::process::id(),
            started: self.started,
            workspaces,
        }
    }

    /// Whether nothing is under way and nothing will start by itself.
    pub async fn is_idle(&self) -> bool {
        for workspace in self.open_workspaces().await {
            if !workspace.info().await.is_none_or(|info| info.idle) {
                return false;
            }
        }
        true
    }

    async fn open_workspaces(&self) -> Vec<Workspace> {
        self.workspaces.lock().await.values().cloned().collect()
    }

    /// Records everything and lets go of all journals. Shims live on.
    pub async fn close(&self) {
        for (_, workspace) in std::mem::take(&mut *self.workspaces.lock().await) {
            workspace.close().await;
        }
    }
}

/// Takes back the trees of attempts that are not under way any more, and removes what crashes have left.
/// What cannot be tidied up is in nobody's way.
fn tidy(pool: &Pool, scratch: &Path, state: &State) {
    let live: BTreeSet<AttemptId> =
        pending(state).iter().filter_map(|effect| effect.attempt()).collect();
    let is_live = |holder: &str| AttemptId::of_holder(holder).is_some_and(|id| live.contains(&id));
    match pool.reconcile(&is_live) {
        Ok(found) if found.released.is_empty() && found.removed.is_empty() => {}
        Ok(found) => tracing::info!(?found, "trees of ended attempts were taken back"),
        Err(error) => tracing::warn!(%error, "the pool of trees could not be tidied up"),
    }
    let emptied = match fs::remove_dir_all(scratch) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => DirBuilder::new().recursive(true).mode(0o700).create(scratch),
    };
    if let Err(error) = emptied {
        tracing::warn!(%error, "{} could not be emptied", scratch.display());
    }
}

fn limits(config: &Config) -> Limits {
    let cores = available_parallelism().map_or(1, NonZero::get);
    Limits {
        processes: config.limits.max_parallel,
        natives: match config.limits.max_natives {
            0 => u32::try_from(cores).unwrap_or(1),
            natives => natives,
        },
        ageing: config.limits.ageing,
        ask: AskLimits {
            open: config.decision.max_open,
            total: config.decision.max_asked,
            timeout: config.decision.timeout,
        },
        memory: MemoryLimits {
            entries: config.memory.max_entries,
            bytes: config.memory.max_bytes.0,
        },
    }
}
