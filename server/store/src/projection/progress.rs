//! How far the projection has come, shared by those who ask for it and the thread that does it.

use crate::problem::Problem;
use std::{
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
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
    /// Whether one of the changes is such that somebody looks for it now.
    urgent: bool,
    /// How many wait for it.
    waiting: u32,
    stopped: bool,
    problem: Option<Problem>,
}

impl State {
    /// Whether the projection may take its time.
    fn is_leisurely(&self) -> bool {
        !self.stopped && !self.urgent && self.waiting == 0
    }
}

impl Default for Progress {
    /// With one pass to do, for what the last process has left.
    fn default() -> Self {
        let state =
            State { wanted: 1, done: 0, urgent: false, waiting: 0, stopped: false, problem: None };
        Self { state: Mutex::new(state), changed: Condvar::new() }
    }
}

impl Progress {
    /// Something has changed.
    pub(crate) fn want(&self, urgent: bool) {
        let mut state = self.state();
        state.wanted += 1;
        state.urgent |= urgent;
        drop(state);
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

    /// Waits for something to project, and then gathers changes for `delay` unless one is urgent or
    /// somebody waits. Answers what to hand to [`Progress::finish`], or `None` when it is time to
    /// stop.
    pub(crate) fn next(&self, delay: Duration) -> Option<u64> {
        let idle = |state: &mut State| !state.stopped && state.wanted == state.done;
        let state = self.state();
        let state = self.changed.wait_while(state, idle).unwrap_or_else(PoisonError::into_inner);
        let mut state = self.pause(state, delay);
        state.urgent = false;
        (!state.stopped).then_some(state.wanted)
    }

    /// Waits for `time`, unless something is urgent or somebody waits.
    pub(crate) fn rest(&self, time: Duration) {
        drop(self.pause(self.state(), time));
    }

    fn pause<'a>(&self, state: MutexGuard<'a, State>, time: Duration) -> MutexGuard<'a, State> {
        let (state, _) = self
            .changed
            .wait_timeout_while(state, time, |state| state.is_leisurely())
            .unwrap_or_else(PoisonError::into_inner);
        state
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
