//! Waiting for a condition of the outside world.

use std::{
    thread,
    time::{Duration, Instant},
};

/// How often a condition is looked at. Conditions here are about files and databases of other
/// processes, which announce nothing.
const INTERVAL: Duration = Duration::from_millis(3);

/// Waits until `condition` answers, and returns its answer.
///
/// # Panics
/// When it has not answered after `limit`, naming `what` was waited for.
#[track_caller]
pub fn eventually<T>(what: &str, limit: Duration, mut condition: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + limit;
    loop {
        if let Some(answer) = condition() {
            return answer;
        }
        assert!(Instant::now() < deadline, "waited {limit:?} in vain for: {what}");
        thread::sleep(INTERVAL);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_is_returned_as_soon_as_there_is_one() {
        let mut looks = 0;
        let answer = eventually("the third look", Duration::from_secs(5), || {
            looks += 1;
            (looks == 3).then_some("here")
        });
        assert_eq!((answer, looks), ("here", 3));
    }

    #[test]
    #[should_panic(expected = "waited 0ns in vain for: a miracle")]
    fn what_never_comes_is_named() {
        eventually("a miracle", Duration::ZERO, || None::<()>);
    }
}
