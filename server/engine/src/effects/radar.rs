//! The radar: while agents write, what they and the user are about to collide in.

use super::Shared;
use crate::actor::Message;
use orchestra_core::{
    config::RadarConfig,
    decide::InputKind,
    ids::{AttemptId, RunId},
    merge::{Foreseen, Party},
};
use orchestra_vcs::{
    GitError,
    radar::{Limits, Place, Side, Watcher},
    trees::Tree,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::sync::Notify;

/// Who writes at the moment.
#[derive(Default)]
pub(crate) struct Radar {
    writing: Mutex<BTreeMap<AttemptId, Writer>>,
    begun: Notify,
}

/// An attempt whose agent may be changing files.
#[derive(Clone)]
struct Writer {
    tree: Tree,
    /// See [`Side::bases`]; the last one is the run's snapshot.
    bases: Vec<String>,
}

impl Radar {
    fn writing(&self) -> MutexGuard<'_, BTreeMap<AttemptId, Writer>> {
        self.writing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Takes an attempt off the radar when it is dropped.
pub(super) struct OnRadar {
    shared: Arc<Shared>,
    attempt: AttemptId,
}

impl Drop for OnRadar {
    fn drop(&mut self) {
        self.shared.radar.writing().remove(&self.attempt);
    }
}

/// Puts an attempt on the radar, for as long as the answer lives.
pub(super) fn enter(
    shared: &Arc<Shared>,
    attempt: AttemptId,
    tree: Tree,
    bases: Vec<String>,
) -> OnRadar {
    shared.radar.writing().insert(attempt, Writer { tree, bases });
    shared.radar.begun.notify_one();
    OnRadar { shared: Arc::clone(shared), attempt }
}

/// Looks from time to time, while somebody writes: an idle daemon does not wake up for it.
pub(super) async fn watch(shared: Arc<Shared>, config: RadarConfig) {
    if config.interval.0 == 0 {
        return;
    }
    let mut screen = Screen { limits: limits(&config), watcher: None, told: BTreeMap::new() };
    loop {
        if shared.radar.writing().is_empty() {
            // What was told of runs that write no more is told anew should they write again.
            screen.watcher = None;
            shared.radar.begun.notified().await;
        }
        tokio::time::sleep(Duration::from(config.interval)).await;
        let now = Arc::clone(&shared);
        let looked = tokio::task::spawn_blocking(move || {
            if let Err(error) = screen.look(&now) {
                tracing::warn!(%error, "the radar sees nothing");
            }
            screen
        });
        match looked.await {
            Ok(next) => screen = next,
            Err(error) => {
                tracing::error!(%error, "the radar has panicked, and is switched off");
                return;
            }
        }
    }
}

fn limits(config: &RadarConfig) -> Limits {
    let files = usize::try_from(config.files).unwrap_or(usize::MAX);
    Limits {
        files,
        file: config.file_limit.0,
        total: config.total_limit.0,
        new: files.saturating_mul(NEW_FOR_EACH_COMPARED),
        time: Duration::from(config.interval).max(SHORTEST),
    }
}

/// How many new files of a side are remembered for each that a look compares.
const NEW_FOR_EACH_COMPARED: usize = 100;
/// What git is given at the least.
const SHORTEST: Duration = Duration::from_secs(10);

/// What was seen, and what was told of it.
struct Screen {
    limits: Limits,
    watcher: Option<Watcher>,
    told: BTreeMap<RunId, Vec<Foreseen>>,
}

impl Screen {
    fn look(&mut self, shared: &Shared) -> Result<(), GitError> {
        let writing = shared.radar.writing().clone();
        let runs: BTreeSet<RunId> = writing.keys().map(|attempt| attempt.run()).collect();
        let watcher = match &mut self.watcher {
            Some(watcher) => watcher,
            empty => empty.insert(Watcher::open(&shared.root, self.limits)?),
        };
        let chains: Vec<Vec<&str>> = writing
            .values()
            .map(|writer| writer.bases.iter().map(String::as_str).collect())
            .collect();
        let snapshots: BTreeSet<&str> =
            chains.iter().filter_map(|chain| chain.last().copied()).collect();
        let users: Vec<[&str; 1]> = snapshots.into_iter().map(|snapshot| [snapshot]).collect();
        let user = users.iter().map(|bases| Side { party: Party::User, place: Place::User, bases });
        let agents = writing.iter().zip(&chains).map(|((attempt, writer), bases)| Side {
            party: Party::Attempt(*attempt),
            place: Place::Tree { src: &writer.tree.src, index: &writer.tree.index },
            bases,
        });
        let sides: Vec<Side<'_>> = user.chain(agents).collect();
        let look = watcher.look(&sides)?;
        self.told.retain(|run, _| runs.contains(run));
        for run in runs {
            let is_about = |foreseen: &&Foreseen| foreseen.between.iter().any(|one| one.is_of(run));
            let conflicts: Vec<Foreseen> =
                look.foreseen.iter().filter(is_about).take(Foreseen::MOST).cloned().collect();
            let told = self.told.entry(run).or_default();
            if *told != conflicts {
                told.clone_from(&conflicts);
                // An actor that is gone is told by its next one's radar.
                let _ = shared.sender.send(Message::Came(InputKind::Foresee { run, conflicts }));
            }
        }
        Ok(())
    }
}
