//! Jobs: what runs for an attempt beside its agent, each under a shim of its own: commands that set a
//! tree up, and commands that check work. They can be run again, so one that was lost is.

use super::{Attempt, blocking, desk::Desk, has_ended};
use orchestra_core::outcome::StopReason;
use orchestra_runtimes::{
    attempt::{self, AttemptDir, Found, InboxMessage, Shim, probe, spawn_shim},
    cli::Prepared,
};
use std::{fs, io, sync::Arc};

/// After so many shims in a row that vanished, something is wrong with the machine.
const VANISHED_IN_A_ROW: u32 = 3;

/// How a job has ended.
#[derive(Debug)]
pub(super) enum JobEnd {
    /// By itself; its folder says how.
    Ended,
    /// The attempt was told to stop.
    Stopped,
}

/// Carries the job `name` to its end, or finds the one again that an earlier daemon started
/// there.
pub(super) async fn run(attempt: &Attempt, name: &str, prepared: Prepared) -> io::Result<JobEnd> {
    let dir = attempt.dir().job(name);
    let desk = &attempt.desk;
    let prepared = Arc::new(prepared);
    let mut vanished = 0;
    loop {
        let probed = dir.clone();
        match blocking(move || probe(&probed)).await? {
            Found::Ended(result) => {
                desk.has_ended();
                let was_stopped = desk.stopped().is_some() && result.stopped.is_some();
                return Ok(if was_stopped { JobEnd::Stopped } else { JobEnd::Ended });
            }
            Found::Alive { pidfd, .. } => {
                desk.is_found(&dir, false);
                has_ended(pidfd).await?;
                continue;
            }
            Found::Lost => {
                vanished += 1;
                attempt.shared.sweeper.sweep(dir.clone()).await;
            }
            Found::NeverStarted => {}
        }
        desk.has_ended();
        if vanished == VANISHED_IN_A_ROW {
            return Err(io::Error::other(format!("{vanished} shims in a row vanished")));
        }
        let (desk, dir, prepared) = (Arc::clone(desk), dir.clone(), Arc::clone(&prepared));
        match blocking(move || start(&desk, &dir, &prepared)).await? {
            Ok(Shim { pidfd, mut child, .. }) => {
                has_ended(pidfd).await?;
                // It has ended, so this does not wait.
                child.wait()?;
            }
            Err(_) => return Ok(JobEnd::Stopped),
        }
    }
}

/// Ends the jobs that an earlier daemon has left.
pub(super) async fn end_all(attempt: &Attempt) -> io::Result<()> {
    let folder = attempt.dir();
    let of = folder.clone();
    for name in blocking(move || of.jobs()).await? {
        let dir = folder.job(&name);
        loop {
            let probed = dir.clone();
            match blocking(move || probe(&probed)).await? {
                Found::Alive { pidfd, .. } => {
                    let told = dir.clone();
                    let cancel = InboxMessage::Cancel { reason: StopReason::Person };
                    blocking(move || attempt::send(&told, &cancel)).await?;
                    has_ended(pidfd).await?;
                }
                Found::Lost => {
                    attempt.shared.sweeper.sweep(dir.clone()).await;
                    break;
                }
                Found::Ended(_) | Found::NeverStarted => break,
            }
        }
    }
    Ok(())
}

/// Has jobs with these names run in any case, also when an earlier daemon began or ended some.
pub(super) async fn begin_anew(attempt: &Attempt, names: &[String]) -> io::Result<()> {
    end_all(attempt).await?;
    let dirs: Vec<AttemptDir> = names.iter().map(|name| attempt.dir().job(name)).collect();
    blocking(move || dirs.iter().try_for_each(remove)).await
}

fn remove(dir: &AttemptDir) -> io::Result<()> {
    match fs::remove_dir_all(dir.path()) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// What is left there of one that vanished says nothing any more.
fn start(
    desk: &Desk,
    dir: &AttemptDir,
    prepared: &Prepared,
) -> io::Result<Result<Shim, StopReason>> {
    remove(dir)?;
    match desk.job_begins(|| AttemptDir::create(dir.path(), &prepared.spec)) {
        Ok(made) => spawn_shim(&made?, &prepared.environment).map(Ok),
        Err(reason) => Ok(Err(reason)),
    }
}
