//! One attempt's folder: the contract between the daemon and the shim, both sides of it.
//!
//! `spec.json` says what to run, `claim` who runs it, `log` and `events.jsonl` what happens, `inbox/` what
//! the daemon has to say meanwhile, and `result.json`, the shim's last word, how it ended. What the daemon
//! made of that may be kept in `outcome.json`, and in `jobs/` each job of the attempt has a folder like it. The folder lies where no agent may write.

mod claim;
mod events;
mod folder;
mod format;
mod inbox;
mod leftovers;
mod outcome;
mod probe;
mod result;
mod said;
mod spawn;
mod spec;

pub use claim::{Claim, Holder};
pub use events::{EventChunk, EventLine, ShimEvent};
pub use folder::AttemptDir;
pub use format::VERSION;
pub use inbox::{GivenAnswer, InboxMessage, Sent, send};
pub use leftovers::{Leftovers, end_leftovers};
pub use outcome::outcome;
pub use probe::{Found, probe};
pub use result::{AttemptResult, Claims, End, LogSummary, StopCause, Told};
pub use said::{Reply, Said, SaidProgress, TaskLine};
pub use spawn::{Shim, spawn_shim};
pub use spec::{BrokerSpec, DaemonContact, Spec, new_nonce};

pub use crate::process::Identity;

pub(crate) use claim::HeldClaim;
pub(crate) use events::EventWriter;
pub(crate) use format::at;
pub(crate) use inbox::{forget, messages_after, open_bell};
pub(crate) use spawn::{NAME, SHIM, as_pid, this_program};
pub(crate) use spec::{new_token, own_log};
