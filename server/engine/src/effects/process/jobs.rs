//! Jobs: what runs for an attempt beside its agent, each under a shim of its own: commands that set a
//! tree up, and commands that check work. They can be run again, so one that was lost is.

use super::{super::Shared, blocking, desk::Desk, has_ended};
use orchestra_core::outcome::StopReason;
use orchestra_runtimes::{
    attempt::{AttemptDir, AttemptResult, Found, Shim, probe, spawn_shim},
    cli::Prepared,
};
use std::{fs, io, path::Path, sync::Arc};

/// After so many shims in a row that vanished, something is wrong with the machine.
const VANISHED_IN_A_ROW: u32 = 3;

/// How a job has ended.
#[derive(Debug)]
pub(super) enum JobEnd {
    Ended(Box<AttemptResult>),
    /// The attempt was told to stop.
    Stopped(StopReason),
}

/// Carries a job in the folder `path` to its end, or finds the one again that an earlier daemon started
/// there. `prepare` is asked when it has to be started.
pub(super) async fn run(
    shared: &Arc<Shared>,
    desk: &Arc<Desk>,
    path: &Path,
    prepare: impl Fn() -> io::Result<Prepared> + Send + Sync + 'static,
) -> io::Result<JobEnd> {
    let dir = AttemptDir::at(path);
    let prepare = Arc::new(prepare);
    let mut vanished = 0;
    loop {
        let probed = dir.clone();
        match blocking(move || probe(&probed)).await? {
            Found::Ended(result) => {
                desk.has_ended();
                return Ok(match (desk.stopped(), &result.stopped) {
                    (Some(reason), Some(_)) => JobEnd::Stopped(reason),
                    _ => JobEnd::Ended(Box::new(result)),
                });
            }
            Found::Alive { pidfd, .. } => {
                desk.is_found(&dir, false);
                has_ended(pidfd).await?;
                continue;
            }
            Found::Lost => {
                vanished += 1;
                shared.sweeper.sweep(dir.clone()).await;
            }
            Found::NeverStarted => {}
        }
        desk.has_ended();
        if vanished == VANISHED_IN_A_ROW {
            return Err(io::Error::other(format!("{vanished} shims in a row vanished")));
        }
        let (desk, dir, prepare) = (Arc::clone(desk), dir.clone(), Arc::clone(&prepare));
        match blocking(move || start(&desk, &dir, &*prepare)).await? {
            Ok(Shim { pidfd, mut child, .. }) => {
                has_ended(pidfd).await?;
                // It has ended, so this does not wait.
                child.wait()?;
            }
            Err(reason) => return Ok(JobEnd::Stopped(reason)),
        }
    }
}

/// What is left there of one that vanished says nothing any more.
fn start(
    desk: &Desk,
    dir: &AttemptDir,
    prepare: &dyn Fn() -> io::Result<Prepared>,
) -> io::Result<Result<Shim, StopReason>> {
    match fs::remove_dir_all(dir.path()) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let prepared = prepare()?;
    match desk.job_begins(|| AttemptDir::create(dir.path(), &prepared.spec)) {
        Ok(made) => spawn_shim(&made?, &prepared.environment).map(Ok),
        Err(reason) => Ok(Err(reason)),
    }
}
