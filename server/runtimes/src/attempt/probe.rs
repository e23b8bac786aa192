//! Finding an attempt again, after a crash or an exchange of the daemon.

use super::{AttemptDir, AttemptResult, Claim, Holder, claim, inbox, spawn::as_pid};
use rustix::{
    io::Errno,
    process::{PidfdFlags, pidfd_open},
};
use std::{io, os::fd::OwnedFd, thread, time::Duration};

/// What became of an attempt.
#[derive(Debug)]
pub enum Found {
    Ended(Box<AttemptResult>),
    /// Its shim lives; `pidfd` is readable when it has ended, and then this must be asked again.
    Alive {
        pidfd: OwnedFd,
        claim: Claim,
    },
    /// Its shim died without a result.
    Lost,
    /// It was not started and never will be.
    NeverStarted,
}

/// How often a claim is looked at that is held although its shim has died, and the pause between: a
/// child that the shim was just starting shares the lock until it executes its program.
const LOOKS: u32 = 1_000;
const PAUSE: Duration = Duration::from_millis(1);

/// Finds out what became of an attempt without a recorded end. When nobody has started it, nobody will.
pub fn probe(attempt: &AttemptDir) -> io::Result<Found> {
    if let Some(result) = attempt.result()? {
        return Ok(Found::Ended(Box::new(result)));
    }
    fail::fail_point!("attempt::probe::looked");
    for _ in 0..LOOKS {
        match claim::is_held(&attempt.claim_path())? {
            Some(true) => {
                if let Some(found) = adopt(attempt)? {
                    return Ok(found);
                }
                thread::sleep(PAUSE);
            }
            Some(false) => return ended(attempt),
            None if !attempt.path().exists() => return Ok(Found::NeverStarted),
            None => {
                if claim::bury(&attempt.claim_path())? {
                    return Ok(Found::NeverStarted);
                }
            }
        }
    }
    let path = attempt.claim_path();
    let message = format!("{} is locked by a process that cannot be found", path.display());
    Err(io::Error::other(message))
}

/// `None` when the shim that holds the claim is about to be gone.
fn adopt(attempt: &AttemptDir) -> io::Result<Option<Found>> {
    let Some(claim) = attempt.claim()? else { return Ok(None) };
    let Holder::Shim(shim) = &claim.holder else { return Ok(None) };
    let pidfd = match pidfd_open(as_pid(shim.pid)?, PidfdFlags::empty()) {
        Ok(pidfd) => pidfd,
        Err(Errno::SRCH) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    // Had the shim died before the number was looked up, another process might have it now.
    if !shim.exists() || claim::is_held(&attempt.claim_path())? != Some(true) {
        return Ok(None);
    }
    // A daemon that died between putting a message and ringing has left it unheard.
    inbox::ring(attempt)?;
    Ok(Some(Found::Alive { pidfd, claim }))
}

/// For a claim that nobody holds any more.
fn ended(attempt: &AttemptDir) -> io::Result<Found> {
    // Once more: the shim may have ended between the first look and the probe of its lock.
    if let Some(result) = attempt.result()? {
        return Ok(Found::Ended(Box::new(result)));
    }
    // A claim that cannot be read is what a crash of the machine leaves.
    match attempt.claim() {
        Ok(Some(Claim { holder: Holder::Tombstone, .. })) => Ok(Found::NeverStarted),
        _ => Ok(Found::Lost),
    }
}
