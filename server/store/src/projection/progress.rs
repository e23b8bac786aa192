//! How far the projection has come, shared by those who ask for it and the thread that does it.

use crate::problem::Problem;
use std::{
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

#[derive(Debug)]
pub(crate) struct Progress {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug)]
struct State {
    /// Counts the changes to be projected.
    wanted: u64,
    /// The change up to which everything was projected, or met a problem.
    done: u64,
    /// How many wait for it: then there is no rest between passes.
    waiting: u32,
    stopped: bool,
    problem: Option<Problem>,
}

impl Default for Progress {
    /// With one pass to do, for what the last process has left.
    fn default() -> Self {
        let state = State { wanted: 1, done: 0, waiting: 0, stopped: false, problem: None };
        Self { state: Mutex::new(state), changed: Condvar::new() }
    }
}

impl Progress {
    /// Something has changed.
    pub(crate) fn want(&self) {
        self.state().wanted += 1;
        self.changed.notify_all();
    }

    pub(crate) fn stop(&self) {
        self.state().stopped = true;
        self.changed.notify_all();
    }

    pub(crate) fn is_stopped(&self) -> bool {
        self.state().stopped
    }

    pub(crate) fn problem(&self) -> Option<Problem> {
        self.state().problem.clone()
    }

    /// Waits for something to project, and for the rest to be over unless somebody waits. Answers
    /// what to hand to [`Progress::finish`], or `None` when it is time to stop.
    pub(crate) fn next(&self, rested: Instant) -> Option<u64> {
        let mut state = self.state();
        loop {
            if state.stopped {
                return None;
            }
            let rest = rested.saturating_duration_since(Instant::now());
            state = if state.wanted == state.done {
                self.changed.wait(state).unwrap_or_else(PoisonError::into_inner)
            } else if state.waiting > 0 || rest.is_zero() {
                return Some(state.wanted);
            } else {
                let (state, _) =
                    self.changed.wait_timeout(state, rest).unwrap_or_else(PoisonError::into_inner);
                state
            };
        }
    }

    /// Everything wanted up to `until` is projected, or met a problem.
    pub(crate) fn finish(&self, until: u64, problem: Option<Problem>) {
        let mut state = self.state();
        state.done = until;
        state.problem = problem;
        drop(state);
        self.changed.notify_all();
    }

    /// Waits until all that is wanted now is projected or met a problem; `false` when the time is up.
    pub(crate) fn wait_until_idle(&self, timeout: Duration) -> bool {
        let mut state = self.state();
        let until = state.wanted;
        state.waiting += 1;
        self.changed.notify_all();
        let (mut state, _) = self
            .changed
            .wait_timeout_while(state, timeout, |state| state.done < until && !state.stopped)
            .unwrap_or_else(PoisonError::into_inner);
        state.waiting -= 1;
        state.done >= until
    }

    /// A panic elsewhere leaves plain numbers behind, which are never half changed.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
