//! Reading a review: waiting for it where it is being made, its data, and what is said about the whole.

use super::{look, reader};
use crate::{
    failure::{Class, Failure},
    session::{Session, unreadable},
    show::{
        follow::read_until,
        review::{Tone, coloured},
        style::{self, bold, counted, one_line},
        work,
    },
};
use orchestra_core::{
    event::EventBody,
    ids::RunId,
    review::{Review, Verdict},
    view::{ReviewStatus, ReviewView, RunView},
};
use orchestra_protocol::stream::StreamItem;
use orchestra_store::Artifacts;

/// A review, and the run that it is of.
pub(super) struct Read {
    pub(super) run: RunView,
    pub(super) data: Review,
}

/// The review of a run. One that is being made is waited for.
pub(super) async fn read(session: &Session, id: RunId) -> Result<Read, Failure> {
    let mut run = look(session, id)?;
    if run.review.as_ref().is_some_and(|review| review.status == ReviewStatus::Wanted) {
        wait(session, id).await?;
        run = look(session, id)?;
    }
    let data = kept(session, &run)?;
    Ok(Read { run, data })
}

/// How a run stands.
pub(crate) fn view(session: &Session, run: RunId) -> Result<RunView, Failure> {
    look(session, run)
}

/// The data of the review of a run, as it was kept.
pub(crate) fn kept(session: &Session, run: &RunView) -> Result<Review, Failure> {
    let id = run.id;
    let failed = |message: String, hint: String| Err(Failure::new(Class::Failed, message, hint));
    let Some(view) = &run.review else {
        return if run.status.has_ended() {
            failed(format!("review {id}: it has changed nothing"), String::new())
        } else {
            let hint = format!("follow it with `orchestra watch {id}`");
            failed(format!("review {id}: it goes on"), hint)
        };
    };
    let Some(data) = &view.data else {
        return match &view.failure {
            Some(failure) => {
                let hint = failure.hint.clone().unwrap_or_default();
                failed(format!("review {id}: {}", failure.message), hint)
            }
            None => failed(format!("review {id}: it is still being made"), "ask again".to_owned()),
        };
    };
    let content = Artifacts::of(&session.state()).read(&data.sha256);
    let content = content.map_err(|error| damaged(id, &error))?;
    serde_json::from_slice(&content).map_err(|error| damaged(id, &error))
}

fn damaged(run: RunId, error: &dyn std::fmt::Display) -> Failure {
    Failure::new(
        Class::Failed,
        format!("read the review of {run}: {error}"),
        "`orchestra doctor` looks for damage",
    )
}

/// Until it is made, or cannot be.
async fn wait(session: &Session, run: RunId) -> Result<(), Failure> {
    let last = reader(session, run)?.last_seq().map_err(unreadable)?;
    // Events from the last one on may lack the one that is waited for; from the first one they do not.
    let first = reader(session, run)?.events(run, 0, 1).map_err(unreadable)?;
    let first = first.first().map_or(last, |(seq, _)| *seq);
    read_until(session, run, first, async |events, next| {
        while let Ok(Some(item)) = events.next().await {
            let StreamItem::Event(event) = item else { continue };
            *next = event.seq + 1;
            if matches!(event.body, EventBody::ReviewOpened(_) | EventBody::ReviewFailed { .. }) {
                return Ok(Some(()));
            }
        }
        Ok(None)
    })
    .await
}

/// How many hunks are judged how, in one line.
pub(super) fn standing(view: &ReviewView) -> String {
    let count = |verdict: Verdict| view.verdicts.values().filter(|said| **said == verdict).count();
    let judged = |hunk| view.verdicts.contains_key(hunk);
    let applied = view.applied.iter().filter(|hunk| !judged(hunk)).count();
    let hunks = usize::try_from(view.hunks).unwrap_or(usize::MAX);
    let undecided = hunks.saturating_sub(view.verdicts.len()).saturating_sub(applied);
    format!(
        "{} accepted, {} rejected, {undecided} undecided",
        count(Verdict::Accepted),
        count(Verdict::Rejected)
    )
}

/// What is said about the whole: how it stands, why one should look closely, and what was seen of whose work.
pub(super) fn head(
    session: &Session,
    run: &RunView,
    review: &Review,
) -> Result<Vec<String>, Failure> {
    let Some(view) = &run.review else { return Ok(Vec::new()) };
    let mut lines = vec![format!(
        "{} {}  review {}: {}, {}, +{} -{}",
        bold(&run.id.to_string()),
        one_line(&run.name),
        view.status,
        counted(view.files, "file"),
        counted(view.hunks, "hunk"),
        view.added,
        view.removed,
    )];
    let warning =
        |text: &str| coloured(Tone::Warning, &format!("look at this: {}", one_line(text)));
    lines.extend(view.doubts.iter().map(|doubt| warning(doubt)));
    let reader = reader(session, run.id)?;
    for of_one in &review.works {
        let model = of_one.model.as_ref().map(|model| format!(", {model}")).unwrap_or_default();
        let by = format!("{} by {} ({}{model})", of_one.step, of_one.agent, of_one.attempt);
        lines.push(one_line(&by));
        let task = reader.task(of_one.attempt.task()).map_err(unreadable)?;
        let evidence = task.and_then(|task| task.output?.evidence);
        let mut seen = Vec::new();
        if let Some(evidence) = &evidence {
            work::of_evidence(evidence, &mut seen);
        }
        lines.extend(seen.iter().map(|line| format!("  {}", one_line(line))));
    }
    lines.push(style::dim(&"─".repeat(8)));
    Ok(lines)
}
