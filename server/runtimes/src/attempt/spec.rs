//! `spec.json`: what a shim is to run, and how.

use crate::confine::{OwnSandbox, Scope};
use orchestra_core::{
    agent::{Completion, Prints},
    ids::{AttemptId, WorkspaceId},
    time::Millis,
};
use rustix::rand::{GetRandomFlags, getrandom};
use serde::{Deserialize, Serialize};
use std::{
    io,
    path::{Path, PathBuf},
};

/// What a shim is to run. Secrets are not in it: they travel in the process environment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spec {
    pub workspace: WorkspaceId,
    pub attempt: AttemptId,
    /// Tells this attempt's processes from those of another state folder with the same ids.
    pub nonce: String,
    /// The agent's name, for messages.
    pub agent: String,
    /// An absolute path.
    pub program: PathBuf,
    pub arguments: Vec<String>,
    /// Where the agent starts; absolute.
    pub directory: PathBuf,
    /// The slot with `src`, `tmp` and `out`; absolute.
    pub slot: PathBuf,
    /// What the agent may write to, and what holds it there.
    #[serde(default)]
    pub scope: Scope,
    /// The sandbox that the agent brings, if it brings one.
    #[serde(default)]
    pub own_sandbox: Option<OwnSandbox>,
    /// Folders of the user that it may write to because its login lies there; their settings are put back.
    #[serde(default)]
    pub shared_state: Vec<PathBuf>,
    pub completion: Completion,
    /// What the agent's program prints on its standard output.
    #[serde(default)]
    pub prints: Prints,
    /// From the agent's start; time in which the machine sleeps counts.
    pub timeout: Millis,
    /// Between SIGTERM and SIGKILL.
    pub grace: Millis,
    /// How long an agent with `completion: sentinel` may run on after its sentinel.
    pub sentinel_wait: Millis,
    /// The log's size in bytes at most.
    pub log_limit: u64,
    /// The names of environment variables whose values must not get into the log.
    pub secrets: Vec<String>,
    /// Whom to tell about the end; `None`: nobody.
    pub daemon: Option<DaemonContact>,
    /// The agent's tools; `None`: it has none.
    #[serde(default)]
    pub broker: Option<BrokerSpec>,
}

/// How an agent reaches its shim, and what it may say there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BrokerSpec {
    /// At most [`BrokerSpec::LONGEST_SOCKET`] bytes.
    pub socket: PathBuf,
    /// How long a call may wait for its answer.
    pub wait: Millis,
    /// How long a question waits for a person at most.
    pub decision_timeout: Millis,
    /// Of a call, in bytes.
    pub max_line: u64,
    /// Of all calls together, in bytes.
    pub max_said: u64,
    pub max_connections: u32,
}

impl BrokerSpec {
    /// The system takes 107 bytes and a NUL on Linux, 103 on macOS.
    pub const LONGEST_SOCKET: usize = 100;
}

/// How a shim reaches the daemon.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DaemonContact {
    pub socket: PathBuf,
    /// With which arguments this program starts a daemon when none answers.
    pub arguments: Vec<String>,
    /// How long the daemon may take to answer.
    pub patience: Millis,
}

/// A value for [`Spec::nonce`].
pub fn new_nonce() -> io::Result<String> {
    random::<8>()
}

/// A value for [`Spec::MCP_TOKEN`].
pub(crate) fn new_token() -> io::Result<String> {
    random::<32>()
}

fn random<const BYTES: usize>() -> io::Result<String> {
    let mut random = [0; BYTES];
    // So few bytes always come whole.
    getrandom(&mut random, GetRandomFlags::empty())?;
    Ok(random.iter().map(|byte| format!("{byte:02x}")).collect())
}

impl Spec {
    /// The variable that marks every process of this attempt.
    pub const MARKER: &'static str = "ORCHESTRA_ATTEMPT";

    /// The variable with the path of the socket at which the agent's tools are.
    pub const MCP_SOCKET: &'static str = "ORCHESTRA_MCP_SOCKET";

    /// The variable with what opens it.
    pub const MCP_TOKEN: &'static str = "ORCHESTRA_MCP_TOKEN";

    /// The variable with the command line of the MCP server, its words separated by a space.
    pub const MCP_COMMAND: &'static str = "ORCHESTRA_MCP";

    /// The value of [`Spec::MARKER`].
    pub fn marker(&self) -> String {
        format!("{}:{}", self.attempt, self.nonce)
    }

    /// The folder that the agent knows as `$ORCHESTRA_DIR`.
    pub fn out(&self) -> PathBuf {
        self.slot.join("out")
    }

    /// The file that the agent knows as `$ORCHESTRA_LOG`.
    pub fn own_log(&self) -> PathBuf {
        own_log(&self.slot)
    }

    /// Where the agent puts its sentinels.
    pub(crate) fn sentinels(&self) -> PathBuf {
        self.out().join("tasks")
    }

    /// The file by which the agent says that it is done.
    pub fn done_sentinel(&self) -> PathBuf {
        self.sentinels().join(format!("{}.done", self.attempt.task()))
    }

    /// The file by which the agent says that it failed.
    pub fn error_sentinel(&self) -> PathBuf {
        self.sentinels().join(format!("{}.error", self.attempt.task()))
    }
}

/// `$ORCHESTRA_LOG` of the attempt that works in `slot`.
pub(crate) fn own_log(slot: &Path) -> PathBuf {
    slot.join("out").join("log")
}
