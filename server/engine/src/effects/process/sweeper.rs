//! The sweeper: ends what dead shims have left.

use super::blocking;
use orchestra_core::time::Millis;
use orchestra_runtimes::attempt::{AttemptDir, end_leftovers};

/// How many times the grace period the leftovers of a dead shim may take to end.
const LEFTOVERS_GRACES: u32 = 3;

/// Ends what dead shims have left, all that are known at the time in one look at the processes.
#[derive(Debug, Clone)]
pub(crate) struct Sweeper {
    sender: tokio::sync::mpsc::UnboundedSender<(AttemptDir, tokio::sync::oneshot::Sender<()>)>,
}

impl Sweeper {
    pub(crate) fn new(grace: Millis) -> Self {
        let (sender, mut requests) = tokio::sync::mpsc::unbounded_channel();
        tokio::spawn(async move {
            while let Some(first) = requests.recv().await {
                let mut batch: Vec<(AttemptDir, tokio::sync::oneshot::Sender<()>)> = vec![first];
                while let Ok(next) = requests.try_recv() {
                    batch.push(next);
                }
                let (dead, waiting): (Vec<_>, Vec<_>) = batch.into_iter().unzip();
                let grace = std::time::Duration::from(grace);
                let limit = grace * LEFTOVERS_GRACES;
                match blocking(move || end_leftovers(&dead, grace, limit)).await {
                    Ok(leftovers) if leftovers.remaining.is_empty() => {}
                    Ok(leftovers) => {
                        tracing::error!(?leftovers, "processes of dead attempts would not end");
                    }
                    Err(error) => {
                        tracing::error!(%error, "processes of dead attempts were not looked for");
                    }
                }
                for waiting in waiting {
                    // An attempt that is not watched any more needs no answer.
                    let _ = waiting.send(());
                }
            }
        });
        Self { sender }
    }

    /// Returns when nothing of the attempt is left.
    pub(super) async fn sweep(&self, dir: AttemptDir) {
        let (done, swept) = tokio::sync::oneshot::channel();
        if self.sender.send((dir, done)).is_ok() {
            // The sweeper lives as long as the workspace; without it there is nothing to wait for.
            let _ = swept.await;
        }
    }
}
