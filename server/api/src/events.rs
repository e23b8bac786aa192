//! The event stream as lines of JSON: from the journal first, then live.

use bytes::Bytes;
use futures_util::{Stream, stream};
use orchestra_engine::{
    Workspace,
    hub::{Next, Subscription},
};
use orchestra_protocol::{
    command::EventsRequest,
    stream::{Published, StreamItem},
};
use std::{collections::VecDeque, convert::Infallible};
use tokio::sync::watch;

/// How many events are read from the journal at a time.
const CHUNK: u32 = 1_000;

/// Ends when the daemon leaves.
pub(crate) fn lines(
    workspace: Workspace,
    request: &EventsRequest,
    leaving: watch::Receiver<bool>,
) -> impl Stream<Item = Result<Bytes, Infallible>> + use<> {
    let subscription = workspace.subscribe(request.from, request.run);
    let source = Source { workspace, subscription, leaving, past: VecDeque::new() };
    stream::unfold(source, async |mut source| {
        let line = source.next_line().await?;
        Some((Ok(line), source))
    })
}

struct Source {
    workspace: Workspace,
    subscription: Subscription,
    leaving: watch::Receiver<bool>,
    /// Read from the journal and not sent yet.
    past: VecDeque<Published>,
}

impl Source {
    async fn next_line(&mut self) -> Option<Bytes> {
        loop {
            if let Some(event) = self.past.pop_front() {
                return line(&StreamItem::Event(event));
            }
            let next = tokio::select! {
                next = self.subscription.next() => next,
                _ = self.leaving.wait_for(|leaving| *leaving) => return None,
            };
            match next {
                Next::Item(item) => return line(&item),
                Next::Journal { from, until } => self.read(from, until).await?,
            }
        }
    }

    /// Reads the next part of the journal. `None` when it cannot be read: the client connects again.
    async fn read(&mut self, from: u64, until: u64) -> Option<()> {
        let workspace = self.workspace.clone();
        let events = tokio::task::spawn_blocking(move || {
            let reader = workspace.reader().map_err(|error| error.to_string())?;
            reader.events_since(from.saturating_sub(1), CHUNK).map_err(|error| error.to_string())
        });
        match events.await {
            Ok(Ok(events)) => {
                // What the ring has by now is taken from there.
                let last = events.last().map_or(until, |(seq, _)| seq + 1);
                self.subscription.skip_to(last.min(until));
                let wanted = events
                    .into_iter()
                    .take_while(|(seq, _)| *seq < until)
                    .map(|(seq, event)| Published::new(seq, event))
                    .filter(|event| self.subscription.wants(event.run));
                self.past.extend(wanted);
                Some(())
            }
            Ok(Err(error)) => {
                tracing::error!(%error, "the journal could not be read for a client");
                None
            }
            Err(error) => {
                tracing::error!(%error, "reading the journal for a client failed");
                None
            }
        }
    }
}

fn line(item: &StreamItem) -> Option<Bytes> {
    let mut line = serde_json::to_vec(item).ok()?;
    line.push(b'\n');
    Some(Bytes::from(line))
}
