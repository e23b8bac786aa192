//! Questions that Orchestra itself has about an attempt: each is a decision, and the attempt waits for it.

use super::Attempt;
use crate::actor::Message;
use orchestra_core::decision::Question;
use std::io;
use tokio::sync::oneshot;

/// Asks, and waits for the answer; `None`: the attempt was told to stop. A daemon that finds the attempt again
/// asks the same under the same key, and is told the answer again, which stays undelivered until the end of
/// the attempt is recorded.
pub(super) async fn ask(attempt: &Attempt, question: Question) -> io::Result<Option<String>> {
    let key = question.key.clone();
    put(attempt, question).await?;
    tokio::select! {
        answer = attempt.desk.answer_to(&key) => Ok(Some(answer)),
        () = attempt.desk.told_to_stop() => Ok(None),
    }
}

/// Returns when the question is recorded.
async fn put(attempt: &Attempt, question: Question) -> io::Result<()> {
    let (shared, id) = (&attempt.shared, attempt.work.attempt);
    loop {
        let (asked, is_asked) = oneshot::channel();
        let (question, timeout) = (Box::new(question.clone()), shared.decision.timeout);
        if shared.sender.send(Message::Ask { attempt: id, question, timeout, asked }).is_err() {
            // The actor has gone; the next one takes the attempt up again.
            return std::future::pending().await;
        }
        match is_asked.await {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(refusal)) => return Err(io::Error::other(refusal)),
            // The journal did not take it.
            Err(_) => tokio::time::sleep(shared.try_again_after).await,
        }
    }
}
