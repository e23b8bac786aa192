//! The hub: brings durable events to whoever listens, in order and without gaps.
//!
//! It keeps a short ring of recent events and wakes its subscribers; each of them takes what it has
//! not seen. One that falls behind the ring reads on from the journal, so a slow client costs no
//! memory and misses nothing.

use orchestra_core::ids::{AttemptId, RunId};
use orchestra_protocol::stream::{AttemptProgress, Published, StreamItem};
use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::sync::watch;

/// How many events a subscriber may be behind before it reads from the journal.
const RING: usize = 4_096;

/// What a subscriber gets next.
#[derive(Debug)]
pub enum Next {
    Item(Arc<StreamItem>),
    /// The ring starts only after this seq: read from here up to, and without, `until`.
    Journal {
        from: u64,
        until: u64,
    },
}

#[derive(Debug)]
pub struct Hub {
    ring: Mutex<Ring>,
    wake: watch::Sender<()>,
}

#[derive(Debug)]
struct Ring {
    /// The seq of the next event: one more than the last in `events`.
    next: u64,
    events: VecDeque<(RunId, Arc<StreamItem>)>,
    progress: BTreeMap<AttemptId, (u64, Arc<StreamItem>)>,
    /// Counts changes of `progress` and `trouble`, so that subscribers send only what is new.
    version: u64,
    trouble: Option<(u64, Arc<StreamItem>)>,
}

impl Hub {
    /// `next` is the seq that the next event will have.
    pub fn new(next: u64) -> Self {
        let ring = Ring {
            next,
            events: VecDeque::new(),
            progress: BTreeMap::new(),
            version: 0,
            trouble: None,
        };
        Self { ring: Mutex::new(ring), wake: watch::Sender::new(()) }
    }

    /// Publishes durable events; they come in order of their seq.
    pub fn publish(&self, events: impl IntoIterator<Item = Published>) {
        let mut ring = self.lock();
        for event in events {
            ring.next = event.seq + 1;
            if self.wake.receiver_count() == 0 {
                // Nobody listens; who comes later reads the journal.
                ring.events.clear();
                continue;
            }
            if ring.events.len() == RING {
                ring.events.pop_front();
            }
            ring.events.push_back((event.run, Arc::new(StreamItem::Event(event))));
        }
        drop(ring);
        self.wake.send_replace(());
    }

    /// Replaces what is known of an attempt's progress.
    pub fn progress(&self, progress: AttemptProgress) {
        let mut ring = self.lock();
        ring.version += 1;
        let version = ring.version;
        ring.progress.insert(progress.attempt, (version, Arc::new(StreamItem::Progress(progress))));
        drop(ring);
        self.wake.send_replace(());
    }

    /// The attempt has ended: its progress is of no interest any more.
    pub fn forget_progress(&self, attempt: AttemptId) {
        self.lock().progress.remove(&attempt);
    }

    /// Tells everybody what keeps the work from going on, or that nothing does any more.
    pub fn trouble(&self, message: Option<String>) {
        let mut ring = self.lock();
        ring.version += 1;
        ring.trouble = Some((ring.version, Arc::new(StreamItem::Trouble { message })));
        drop(ring);
        self.wake.send_replace(());
    }

    pub fn subscribe(self: &Arc<Self>, from: u64, run: Option<RunId>) -> Subscription {
        let wake = self.wake.subscribe();
        Subscription { hub: Arc::clone(self), wake, next: from, run, version: 0, caught_up: false }
    }

    pub fn subscribers(&self) -> usize {
        self.wake.receiver_count()
    }

    /// What is in the ring stays whole whatever panicked elsewhere.
    fn lock(&self) -> MutexGuard<'_, Ring> {
        self.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One listener.
#[derive(Debug)]
pub struct Subscription {
    hub: Arc<Hub>,
    wake: watch::Receiver<()>,
    next: u64,
    run: Option<RunId>,
    version: u64,
    caught_up: bool,
}

impl Subscription {
    /// Waits for the next thing to send on.
    pub async fn next(&mut self) -> Next {
        loop {
            self.wake.mark_unchanged();
            if let Some(next) = self.take() {
                return next;
            }
            if self.wake.changed().await.is_err() {
                // The hub lives as long as `self.hub`, so its sender cannot have gone.
                std::future::pending::<()>().await;
            }
        }
    }

    /// To be called when [`Next::Journal`] has been dealt with.
    pub fn skip_to(&mut self, seq: u64) {
        self.next = self.next.max(seq);
    }

    pub fn wants(&self, run: RunId) -> bool {
        self.run.is_none_or(|wanted| wanted == run)
    }

    fn take(&mut self) -> Option<Next> {
        let hub = Arc::clone(&self.hub);
        let ring = hub.lock();
        let first = ring.next - ring.events.len() as u64;
        if self.next < first {
            return Some(Next::Journal { from: self.next, until: first });
        }
        while self.next < ring.next {
            let index = usize::try_from(self.next - first).ok()?;
            let (run, item) = ring.events.get(index)?;
            self.next += 1;
            if self.wants(*run) {
                return Some(Next::Item(Arc::clone(item)));
            }
        }
        if !self.caught_up {
            self.caught_up = true;
            return Some(Next::Item(Arc::new(StreamItem::CaughtUp { seq: ring.next - 1 })));
        }
        let newer = ring
            .progress
            .iter()
            .filter(|(attempt, _)| self.wants(attempt.run()))
            .map(|(_, entry)| entry)
            .chain(&ring.trouble)
            .filter(|(version, _)| *version > self.version)
            .min_by_key(|(version, _)| *version)?;
        self.version = newer.0;
        Some(Next::Item(Arc::clone(&newer.1)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use orchestra_core::{event::EventBody, time::Timestamp};

    fn event(seq: u64, run: u32) -> Published {
        let run = RunId::new(run).unwrap();
        Published { seq, run, at: Timestamp(0), body: EventBody::RunResumed }
    }

    async fn item(subscription: &mut Subscription) -> StreamItem {
        match subscription.next().await {
            Next::Item(item) => StreamItem::clone(&item),
            Next::Journal { from, until } => panic!("asked for the journal: {from}..{until}"),
        }
    }

    #[tokio::test]
    async fn a_subscriber_gets_every_event_of_its_run_in_order() {
        let hub = Arc::new(Hub::new(1));
        let mut subscription = hub.subscribe(1, RunId::new(2));
        hub.publish([event(1, 1), event(2, 2), event(3, 1), event(4, 2)]);
        assert_eq!(item(&mut subscription).await, StreamItem::Event(event(2, 2)));
        assert_eq!(item(&mut subscription).await, StreamItem::Event(event(4, 2)));
        assert_eq!(item(&mut subscription).await, StreamItem::CaughtUp { seq: 4 });
    }

    #[tokio::test]
    async fn who_comes_late_or_falls_behind_is_sent_to_the_journal() {
        let hub = Arc::new(Hub::new(1));
        hub.publish([event(1, 1), event(2, 1)]);
        let mut subscription = hub.subscribe(1, None);
        let Next::Journal { from: 1, until: 3 } = subscription.next().await else { panic!() };
        subscription.skip_to(3);
        let last = RING as u64 + 10;
        hub.publish((3..=last).map(|seq| event(seq, 1)));
        let first_kept = last + 1 - RING as u64;
        let Next::Journal { from: 3, until } = subscription.next().await else { panic!() };
        assert_eq!(until, first_kept);
        subscription.skip_to(until);
        assert_eq!(item(&mut subscription).await, StreamItem::Event(event(first_kept, 1)));
    }

    #[tokio::test]
    async fn of_progress_only_the_latest_is_sent() {
        let hub = Arc::new(Hub::new(1));
        let mut subscription = hub.subscribe(1, None);
        assert_eq!(item(&mut subscription).await, StreamItem::CaughtUp { seq: 0 });
        let attempt: AttemptId = "r1.1@1".parse().unwrap();
        for done in 1..=3 {
            let message = String::new();
            hub.progress(AttemptProgress { attempt, done, total: None, message });
        }
        let StreamItem::Progress(progress) = item(&mut subscription).await else { panic!() };
        assert_eq!(progress.done, 3);
        hub.trouble(Some("no space".to_owned()));
        let message = Some("no space".to_owned());
        assert_eq!(item(&mut subscription).await, StreamItem::Trouble { message });
    }
}
