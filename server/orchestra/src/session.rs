//! What every command needs: the workspace, the folders, and a connection when there is reason for
//! one.

use crate::{
    arguments::Global,
    failure::{Class, Failure},
};
use orchestra_core::{config::Config, diagnostic::Diagnostic, folders::Folders, ids::WorkspaceId};
use orchestra_protocol::{
    build::Build,
    client::Client,
    command::{Answer, Command, CommandRequest},
    error::ClientError,
    folders::{self as find_folders, FoldersError},
    root,
};
use orchestra_runtimes::{
    caller,
    catalog::{self, Loaded, Surroundings},
};
use orchestra_store::{OpenError, Reader, StoreError};
use std::{
    env,
    io::{self, IsTerminal as _},
    path::{Path, PathBuf},
    time::{SystemTime, UNIX_EPOCH},
};

/// How often a command is sent when daemons come and go.
const TRIES: u32 = 3;

pub(crate) struct Session {
    pub(crate) root: PathBuf,
    pub(crate) workspace: WorkspaceId,
    pub(crate) folders: Folders,
    pub(crate) json: bool,
}

impl Session {
    pub(crate) fn open(global: &Global) -> Result<Self, Failure> {
        let usage = |what: &str, error: &dyn std::fmt::Display| {
            Failure::new(Class::Usage, format!("{what}{error}"), "")
        };
        let folder = match &global.workspace {
            Some(folder) => folder.clone(),
            None => {
                env::current_dir().map_err(|error| usage("find the current folder: ", &error))?
            }
        };
        let home = env::var_os("HOME").map(PathBuf::from);
        let root = root::find(&folder, home.as_deref()).map_err(|error| {
            usage("", &error).with_hint("go to a project's folder, or name one with --workspace")
        })?;
        let folders = folders()?;
        let workspace = WorkspaceId::of_root(&root);
        Ok(Self { root, workspace, folders, json: global.json })
    }

    /// Sends a command that must be carried out; starts the daemon if there is none.
    pub(crate) async fn command(&self, what: &str, command: Command) -> Result<Answer, Failure> {
        let request = CommandRequest {
            key: new_key(),
            root: self.root.clone(),
            environment: catalog::process_environment(),
            command,
        };
        // A daemon that hands over to a newer one, or dies, may have recorded the command or not. Its
        // key makes it safe to ask again.
        refuse_agents(what)?;
        let mut answered = self.ask(&request).await;
        for _ in 1..TRIES {
            match answered {
                Err(error) if error.may_be_asked_again() => {
                    tracing::info!(%error, "the daemon has gone; asking the next one");
                }
                answered => return answered.map_err(|error| Failure::client(what, error)),
            }
            answered = self.ask(&request).await;
        }
        answered.map_err(|error| Failure::client(what, error))
    }

    async fn ask(&self, request: &CommandRequest) -> Result<Answer, ClientError> {
        self.reach().await?.command(request).await
    }

    /// Connects to the daemon, and starts it if there is none. Not for commands that agents may use.
    pub(crate) async fn reach(&self) -> Result<Client, ClientError> {
        let build = Build::current().map_err(|error| ClientError::Launch(error.to_string()))?;
        Client::connect_or_start(&self.folders, &build).await
    }

    pub(crate) async fn connect(&self, what: &str) -> Result<Client, Failure> {
        refuse_agents(what)?;
        connect(&self.folders, what).await
    }

    /// The journal, for reading; `None` when nothing has ever run here.
    pub(crate) fn reader(&self) -> Result<Option<Reader>, Failure> {
        match Reader::open(&self.state()) {
            Ok(reader) => Ok(Some(reader)),
            Err(OpenError::Missing { .. }) => Ok(None),
            Err(error) => {
                let hint = error.hint();
                Err(Failure::doing("read the journal", error).with_hint(hint))
            }
        }
    }

    /// Agents, workflows and native actions, as this shell would find them.
    pub(crate) fn catalog(&self) -> Loaded {
        let environment = catalog::process_environment();
        let (config, mut diagnostics) = self.config();
        let mut loaded = catalog::load(&Surroundings {
            root: &self.root,
            config_dir: &self.folders.config,
            home: environment.get("HOME").map(Path::new),
            path: env::var_os("PATH").as_deref(),
            config: &config,
        });
        loaded.diagnostics.append(&mut diagnostics);
        loaded
    }

    /// The settings as this shell has them, and what is wrong with them.
    pub(crate) fn config(&self) -> (Config, Vec<Diagnostic>) {
        let environment = catalog::process_environment();
        catalog::load_config(&self.root, &self.folders.config, &environment)
    }

    /// The state folder of this workspace.
    pub(crate) fn state(&self) -> PathBuf {
        self.folders.workspace_state(&self.workspace)
    }
}

/// The user's folders.
pub(crate) fn folders() -> Result<Folders, Failure> {
    find_folders::find().map_err(|error| {
        let (class, hint) = match &error {
            // Without a place for its socket there can be no daemon.
            FoldersError::Create { .. } => {
                (Class::NoDaemon, "make the folder above it yours to write, or set XDG_RUNTIME_DIR")
            }
            FoldersError::SocketPath { .. } => {
                (Class::Usage, "such a folder must be yours alone: chmod 700")
            }
            FoldersError::NoHome(_) => (Class::Usage, "set HOME to your home folder"),
        };
        Failure::new(class, error.to_string(), hint)
    })
}

/// A connection to a daemon at least as new as this build.
pub(crate) async fn connect(folders: &Folders, what: &str) -> Result<Client, Failure> {
    let build =
        Build::current().map_err(|error| Failure::doing("read its own executable", error))?;
    Client::connect_or_start(folders, &build).await.map_err(|error| Failure::client(what, error))
}

/// What an agent may do it does through its own tools; it does not command the daemon.
pub(crate) fn refuse_agents(what: &str) -> Result<(), Failure> {
    let marked = env::var("ORCHESTRA_ATTEMPT").ok();
    let marked = marked.map(|marker| marker.split(':').next().unwrap_or_default().to_owned());
    // An agent may have cleared its environment, but it still descends from its shim.
    let descends = || {
        let state = find_folders::find().ok()?.state;
        let attempt = caller::attempt_of(std::process::id(), &state).ok().flatten();
        attempt.map(|attempt| attempt.to_string())
    };
    match marked.or_else(descends) {
        None => Ok(()),
        Some(attempt) => Err(Failure::new(
            Class::Refused,
            format!("{what}: this is the agent of {attempt}, and agents do not command"),
            "end the task, and say in its result what should be done next",
        )),
    }
}

/// Whether a person sits in front of it, who can be asked.
pub(crate) fn is_interactive() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Unique for this process and moment.
fn new_key() -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    format!("cli-{}-{}", std::process::id(), now.as_nanos())
}

/// The journal did not answer.
pub(crate) fn unreadable(error: StoreError) -> Failure {
    let hint = error.hint();
    Failure::doing("read the journal", error).with_hint(hint)
}
