//! The table of all settings. What is not in it is no setting.

use super::{
    Effective, Origin,
    kinds::{Bounds, Bytes, CommandLines, Given, Kind, Paths},
};
use crate::{
    confinement::SandboxChoice,
    plan::{ApplyPolicy, ChecksPlan, Clean, TreePlan},
    selection::Order,
    time::Millis,
};
use std::collections::BTreeMap;

/// One setting, as the reference page describes it.
#[derive(Debug, Clone, Copy)]
pub struct Key {
    /// Such as `limits.max_parallel`.
    pub name: &'static str,
    /// The environment variable that sets it.
    pub variable: &'static str,
    /// One paragraph.
    pub documentation: &'static str,
    pub(super) describe: fn() -> String,
    pub(super) default: fn() -> String,
}

macro_rules! settings {
    ($($(#[doc = $about:literal])+ $section:ident: $group:ident {
        $($(#[doc = $documentation:literal])+
            $field:ident: $type:ty $([$low:literal, $high:literal])? = $default:expr, $variable:literal;)+
    })+) => {
        $($(#[doc = $about])+
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct $group {
            $($(#[doc = $documentation])+ pub $field: $type,)+
        }

        impl Default for $group {
            fn default() -> Self {
                Self { $($field: $default,)+ }
            }
        })+

        /// All settings.
        #[derive(Debug, Clone, PartialEq, Eq, Default)]
        pub struct Config {
            $($(#[doc = $about])+ pub $section: $group,)+
            /// Of those that are not the default.
            pub(super) origins: BTreeMap<&'static str, Origin>,
        }

        /// Every setting there is, in the order of the reference page.
        pub static KEYS: &[Key] = &[$($(Key {
            name: concat!(stringify!($section), ".", stringify!($field)),
            variable: $variable,
            documentation: concat!($($documentation),+),
            describe: || <$type as Kind>::describe(&settings!(@bounds $($low, $high)?)),
            default: || $group::default().$field.to_toml(),
        },)+)+];

        impl Config {
            /// Every value in effect with its origin, in the order of [`KEYS`].
            pub fn effective(&self) -> Vec<Effective> {
                let values = [$($(self.$section.$field.to_toml(),)+)+];
                KEYS.iter()
                    .zip(values)
                    .map(|(key, value)| Effective {
                        key: key.name,
                        value,
                        origin: self.origin(key.name),
                    })
                    .collect()
            }

            /// The error reads after "`key` is ". `None`: there is no such key.
            pub(super) fn set(
                &mut self,
                key: &str,
                given: Given<'_>,
                origin: Origin,
            ) -> Option<Result<(), String>> {
                $($({
                    let name = concat!(stringify!($section), ".", stringify!($field));
                    if key == name {
                        let bounds: Bounds = settings!(@bounds $($low, $high)?);
                        return Some(Kind::read(given, &bounds).map(|value| {
                            self.$section.$field = value;
                            self.origins.insert(name, origin);
                        }));
                    }
                })+)+
                None
            }
        }
    };
    (@bounds $low:literal, $high:literal) => { $low..=$high };
    (@bounds) => { 0..=u64::MAX };
}

settings! {
    /// The daemon itself.
    daemon: DaemonConfig {
        /// How long the daemon stays when no client is connected and nothing runs.
        idle_exit: Millis = Millis::minutes(10), "ORCHESTRA_DAEMON_IDLE_EXIT";
    }
    /// Single tries of a task.
    attempt: AttemptConfig {
        /// How long an attempt that is told to stop may take before it is killed.
        grace: Millis = Millis::seconds(5), "ORCHESTRA_ATTEMPT_GRACE";
        /// How long an agent may go on running after it has written its sentinel.
        sentinel_wait: Millis = Millis::seconds(10), "ORCHESTRA_ATTEMPT_SENTINEL_WAIT";
        /// How much of an attempt's output is kept: its head, its tail, and a line that says what was cut.
        log_limit: Bytes = Bytes::mebibytes(64), "ORCHESTRA_ATTEMPT_LOG_LIMIT";
        /// How much of the project's `AGENTS.md` an agent is told; it can read the rest itself.
        instructions_limit: Bytes = Bytes(32 << 10), "ORCHESTRA_ATTEMPT_INSTRUCTIONS_LIMIT";
        /// What keeps agents and other foreign code inside their tree. `auto`: the kernel, and where it cannot,
        /// the agent's own sandbox. `bwrap`: bubblewrap, or nothing runs. `agent`: the agent's own. `none`:
        /// nothing. Every attempt says what held it, see docs/security.md.
        sandbox: SandboxChoice = SandboxChoice::Auto, "ORCHESTRA_ATTEMPT_SANDBOX";
    }
    /// How much may be under way at once.
    limits: LimitsConfig {
        /// How many agents and other processes run at once in a workspace.
        max_parallel: u32 [1, 4096] = 8, "ORCHESTRA_LIMITS_MAX_PARALLEL";
        /// How many native actions run at once in a workspace. 0: as many as the machine has cores.
        max_natives: u32 [0, 4096] = 0, "ORCHESTRA_LIMITS_MAX_NATIVES";
        /// How long a task waits until it counts one priority higher, so that none waits for ever.
        ageing: Millis = Millis::minutes(1), "ORCHESTRA_LIMITS_AGEING";
    }
    /// Agents.
    agents: AgentsConfig {
        /// The agent programs that run agents which bring no command of their own: the first one that is
        /// on PATH does. Known are `claude`, `codex`, `gemini`, `opencode`, `aider` and `mini`; none that is not
        /// named here is used.
        backends: Vec<String> = ["claude", "codex", "gemini", "opencode", "aider", "mini"]
            .map(str::to_owned).to_vec(), "ORCHESTRA_AGENTS_BACKENDS";
        /// By what one of several agents is chosen that can all do a step. `load`: fewer attempts under way;
        /// `priority`: the higher one; `specialised`: fewer capabilities; `name`: the alphabet. What is not
        /// named counts last, in this order.
        order: Order = Order::default(), "ORCHESTRA_AGENTS_ORDER";
    }
    /// The private trees in which agents work and checks run.
    tree: TreeConfig {
        /// The commands that prepare a tree, such as `npm ci`: run in it once, and again when what
        /// `setup_inputs` names has changed.
        setup: CommandLines = CommandLines::default(), "ORCHESTRA_TREE_SETUP";
        /// The files that the commands of `setup` read. Nothing: the lock files and manifests of the
        /// usual package managers.
        setup_inputs: Paths = Paths::default(), "ORCHESTRA_TREE_SETUP_INPUTS";
        /// Folders that git ignores and that stay in a tree when it is used again, such as `node_modules` and
        /// `target`.
        keep: Paths = Paths::default(), "ORCHESTRA_TREE_KEEP";
        /// Files that git ignores and that a tree gets a copy of, such as `.env`, besides what
        /// `.worktreeinclude` names.
        copy: Paths = Paths::default(), "ORCHESTRA_TREE_COPY";
        /// The folders that a tree contains. Nothing: all that the workspace contains.
        sparse: Paths = Paths::default(), "ORCHESTRA_TREE_SPARSE";
        /// How much room the trees of a workspace may take up; beyond it no new one is made.
        disk_budget: Bytes = Bytes::gibibytes(50), "ORCHESTRA_TREE_DISK_BUDGET";
    }
    /// The commands by which the work of agents is checked.
    verify: VerifyConfig {
        /// What must be green after the work of an agent that writes, unless a step says otherwise.
        /// The action `checks.detect` proposes what a project seems to have.
        commands: CommandLines = CommandLines::default(), "ORCHESTRA_VERIFY_COMMANDS";
        /// How long one of these commands may take.
        timeout: Millis = Millis::minutes(10), "ORCHESTRA_VERIFY_TIMEOUT";
        /// In what they run. `kept`: a tree for checks alone, with what earlier checks have built.
        /// `fresh`: nothing but what `tree.setup` prepares.
        clean: Clean = Clean::Kept, "ORCHESTRA_VERIFY_CLEAN";
        /// How many of them run at once in a workspace.
        parallel: u32 [1, 64] = 1, "ORCHESTRA_VERIFY_PARALLEL";
        /// Of how many commands it is remembered what they said about a tree, so that none runs twice on the
        /// same files. 0: of none.
        remembered: u32 [0, 1_000_000] = 1_000, "ORCHESTRA_VERIFY_REMEMBERED";
        /// How long that is remembered.
        remembered_for: Millis = Millis::minutes(30 * 24 * 60), "ORCHESTRA_VERIFY_REMEMBERED_FOR";
        /// How much of one command is remembered; what said more runs again.
        remembered_limit: Bytes = Bytes::mebibytes(4), "ORCHESTRA_VERIFY_REMEMBERED_LIMIT";
    }
    /// How works of several agents become one.
    merge: MergeConfig {
        /// Files that are larger are not merged line by line where they conflict: one side counts whole.
        file_limit: Bytes = Bytes::mebibytes(4), "ORCHESTRA_MERGE_FILE_LIMIT";
        /// How much of the files that conflict is looked at, to name the lines.
        total_limit: Bytes = Bytes::mebibytes(32), "ORCHESTRA_MERGE_TOTAL_LIMIT";
    }
    /// What becomes of the result of a run.
    apply: ApplyConfig {
        /// `review`: it waits for a person. `auto`: it is applied to your files if checks have verified it,
        /// the kernel held its agents, and nothing in it is flagged; else it waits. `branch`: it becomes the
        /// branch `orchestra/<run>`. A workflow may say otherwise.
        policy: ApplyPolicy = ApplyPolicy::Review, "ORCHESTRA_APPLY_POLICY";
        /// How long an editor has to say that it has taken a change of a file that it has open.
        client_timeout: Millis = Millis::seconds(30), "ORCHESTRA_APPLY_CLIENT_TIMEOUT";
        /// Files that are larger are reviewed as a whole and not line by line.
        review_limit: Bytes = Bytes::mebibytes(4), "ORCHESTRA_APPLY_REVIEW_LIMIT";
        /// The same of all files of a review together.
        review_total: Bytes = Bytes::mebibytes(64), "ORCHESTRA_APPLY_REVIEW_TOTAL";
    }
    /// What agents and you are about to collide in, seen while they run.
    radar: RadarConfig {
        /// How often their trees and your files are compared while an agent writes. 0s: never.
        interval: Millis = Millis::seconds(10), "ORCHESTRA_RADAR_INTERVAL";
        /// How many files are compared line by line each time; the next time it is others.
        files: u32 [1, 100_000] = 200, "ORCHESTRA_RADAR_FILES";
        /// Files that are larger are not compared.
        file_limit: Bytes = Bytes::mebibytes(1), "ORCHESTRA_RADAR_FILE_LIMIT";
        /// How much is read each time.
        total_limit: Bytes = Bytes::mebibytes(32), "ORCHESTRA_RADAR_TOTAL_LIMIT";
    }
    /// Questions of agents to a person.
    decision: DecisionConfig {
        /// How long a question waits for a person; then its default is taken, and without one it is
        /// withdrawn.
        timeout: Millis = Millis::minutes(24 * 60), "ORCHESTRA_DECISION_TIMEOUT";
        /// How long the tool `ask_decision` waits before it tells the agent to ask again. Clients of
        /// tools give up after about a minute.
        wait: Millis = Millis::seconds(45), "ORCHESTRA_DECISION_WAIT";
        /// How many open questions an attempt may have.
        max_open: u32 [0, 1000] = 8, "ORCHESTRA_DECISION_MAX_OPEN";
        /// How many questions an attempt may ask.
        max_asked: u32 [0, 1000] = 50, "ORCHESTRA_DECISION_MAX_ASKED";
    }
    /// What the attempts of a run keep for one another.
    memory: MemoryConfig {
        /// How many entries the memory of a run may have.
        max_entries: u32 [0, 100000] = 1_000, "ORCHESTRA_MEMORY_MAX_ENTRIES";
        /// How large the memory of a run may be.
        max_bytes: Bytes = Bytes::mebibytes(1), "ORCHESTRA_MEMORY_MAX_BYTES";
    }
    /// What agents say and ask through their tools.
    mcp: McpConfig {
        /// How long a line of an agent may be.
        max_line: Bytes = Bytes::mebibytes(1), "ORCHESTRA_MCP_MAX_LINE";
        /// How much an attempt may say in all; then every call is refused.
        max_said: Bytes = Bytes::mebibytes(16), "ORCHESTRA_MCP_MAX_SAID";
        /// How many processes of an attempt may be connected at once.
        max_connections: u32 [0, 1000] = 16, "ORCHESTRA_MCP_MAX_CONNECTIONS";
    }
    /// Runs.
    run: RunConfig {
        /// Whether every plan waits for `orchestra approve` before anything of it starts.
        approve: bool = false, "ORCHESTRA_RUN_APPROVE";
    }
    /// What agents get to see of files that are not committed.
    snapshot: SnapshotConfig {
        /// How large a file may be that git does not know yet. Larger ones are left out, and named.
        file_limit: Bytes = Bytes::mebibytes(10), "ORCHESTRA_SNAPSHOT_FILE_LIMIT";
        /// How large all such files may be together.
        total_limit: Bytes = Bytes::mebibytes(500), "ORCHESTRA_SNAPSHOT_TOTAL_LIMIT";
    }
    /// What is taken over of the files that an agent has left in its tree.
    collect: CollectConfig {
        /// How large a changed file may be. Larger ones are held back until a person allows them.
        file_limit: Bytes = Bytes::mebibytes(10), "ORCHESTRA_COLLECT_FILE_LIMIT";
        /// How large all changed files may be together.
        total_limit: Bytes = Bytes::mebibytes(500), "ORCHESTRA_COLLECT_TOTAL_LIMIT";
        /// How many files may be different. With more, the attempt fails, and its tree is kept.
        files: u32 [1, 10_000_000] = 20_000, "ORCHESTRA_COLLECT_FILES";
    }
    /// The journal.
    store: StoreConfig {
        /// How old the newest backup of a workspace's database may become.
        backup_every: Millis = Millis::minutes(24 * 60), "ORCHESTRA_STORE_BACKUP_EVERY";
        /// How many backups of a workspace's database are kept.
        backups_kept: usize [1, 1000] = 5, "ORCHESTRA_STORE_BACKUPS_KEPT";
        /// After the journal could not be written, because the disk is full, say: how long until it is
        /// tried again without anybody asking.
        try_again: Millis = Millis::seconds(5), "ORCHESTRA_STORE_TRY_AGAIN";
    }
}

impl Config {
    /// How trees are prepared, for a plan.
    pub fn tree_plan(&self) -> TreePlan {
        let tree = self.tree.clone();
        TreePlan {
            setup: tree.setup.0,
            setup_inputs: tree.setup_inputs.0,
            keep: tree.keep.0,
            copy: tree.copy.0,
            sparse: tree.sparse.0,
            disk_budget: tree.disk_budget,
        }
    }

    /// How checks run, for a plan.
    pub fn checks_plan(&self) -> ChecksPlan {
        let VerifyConfig { commands, timeout, clean, parallel, .. } = self.verify.clone();
        ChecksPlan { commands: commands.0, timeout, clean, parallel }
    }

    /// Where the value of a key comes from.
    pub fn origin(&self, key: &str) -> Origin {
        self.origins.get(key).cloned().unwrap_or(Origin::Default)
    }
}
