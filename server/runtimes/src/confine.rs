//! Holding a process before it becomes somebody else's program: no privileges, and one sandbox.
//!
//! All of this happens in the process that is to be held, which has one thread: the rules of Landlock
//! belong to a thread and to what it starts. There is no way back out of it.

mod bubblewrap;
mod gate;
#[cfg(target_os = "linux")]
mod landlock;
mod one_shot;
mod privileges;
mod scope;
#[cfg(any(test, target_os = "macos"))]
mod seatbelt;

pub use gate::main;
pub use one_shot::{can_hold, command, main as sandbox_main};
pub use scope::{OwnSandbox, Scope};

pub(crate) use gate::{CONFINE, GO, Orders, Word};

use orchestra_core::confinement::{Confinement, SandboxChoice};
use std::{ffi::OsString, io, path::PathBuf, process::Command};

/// What holds this process, and why nothing better does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Held {
    pub(crate) confinement: Confinement,
    /// Why it is not what was asked for, if it is not.
    pub(crate) problem: Option<String>,
}

/// Why nothing may run: what was asked for exists here and could not be applied, or it is missing and
/// was asked for by name.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refused {
    #[error("the privileges of the process cannot be dropped: {0}")]
    Privileges(io::Error),
    #[cfg(target_os = "linux")]
    #[error("landlock cannot be applied: {0}")]
    Landlock(landlock::Failed),
    #[error("the sandbox bwrap was asked for, and there is no program bwrap on PATH")]
    NoBubblewrap,
    #[error("{} may be written to and holds {}, which must not be read", write.display(), hidden.display())]
    Overlap { write: PathBuf, hidden: PathBuf },
}

impl Refused {
    /// What to do about it.
    pub(crate) fn hint(&self) -> &'static str {
        match self {
            Self::NoBubblewrap => "install bubblewrap, or set `attempt.sandbox` to `auto`",
            Self::Overlap { .. } => "name a smaller folder in `state` of the agent file",
            #[cfg(target_os = "linux")]
            Self::Landlock(_) => {
                "see `orchestra doctor`; `attempt.sandbox` chooses another sandbox"
            }
            Self::Privileges(_) => "see `orchestra doctor`",
        }
    }
}

/// Holds this process, and says what it has to execute now so that the program runs inside.
/// `own`: the sandbox that the program brings, if it brings one.
pub(crate) fn hold(
    scope: &Scope,
    own: Option<&OwnSandbox>,
    program: OsString,
    mut arguments: Vec<OsString>,
) -> Result<(Held, Command), Refused> {
    scope.check()?;
    match scope.choice {
        // As root it makes its mounts with what is dropped here, and drops it itself then.
        SandboxChoice::Bubblewrap => privileges::gain_none(),
        _ => privileges::drop_all(),
    }
    .map_err(Refused::Privileges)?;
    let without_kernel = |problem: Option<String>| match own {
        Some(_) => (Held { confinement: Confinement::Agent, problem }, false),
        None => (Held { confinement: Confinement::None, problem }, false),
    };
    let plain = |confinement| (Held { confinement, problem: None }, false);
    let (held, in_bubblewrap) = match scope.choice {
        SandboxChoice::None => plain(Confinement::None),
        SandboxChoice::Agent if own.is_none() => without_kernel(Some(
            "the agent's own sandbox was asked for, and it has none".to_owned(),
        )),
        SandboxChoice::Agent => without_kernel(None),
        SandboxChoice::Bubblewrap => (plain(Confinement::Bubblewrap).0, true),
        SandboxChoice::Auto => match by_kernel(scope)? {
            Ok(confinement) => plain(confinement),
            Err(missing) => without_kernel(Some(missing)),
        },
    };
    if held.confinement.is_kernel()
        && let Some(own) = own
    {
        let at = own.at.min(arguments.len());
        arguments.splice(at..at, own.off.iter().map(OsString::from));
    }
    let command = match (held.confinement, in_bubblewrap) {
        (_, true) => bubblewrap::command(scope, program, arguments)?,
        #[cfg(target_os = "macos")]
        (Confinement::Seatbelt, _) => seatbelt::command(scope, program, arguments),
        _ => {
            let mut command = Command::new(program);
            command.args(arguments);
            command
        }
    };
    Ok((held, command))
}

/// The inner error says what the kernel lacks.
#[cfg(target_os = "linux")]
fn by_kernel(scope: &Scope) -> Result<Result<Confinement, String>, Refused> {
    match landlock::restrict(scope) {
        Ok(abi) => Ok(Ok(Confinement::Landlock { abi })),
        Err(landlock::Failed::Unsupported(missing)) => Ok(Err(missing)),
        Err(error) => Err(Refused::Landlock(error)),
    }
}

/// `sandbox-exec` is part of every macOS.
#[cfg(target_os = "macos")]
fn by_kernel(_: &Scope) -> Result<Result<Confinement, String>, Refused> {
    Ok(Ok(Confinement::Seatbelt))
}
