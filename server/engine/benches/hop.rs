//! The hop from whoever publishes an event to whoever is subscribed, inside the engine: how many a
//! second, and how long one takes, beside a bare channel of tokio in the same run. Prints one JSON object.

use orchestra_core::{event::EventBody, ids::RunId, time::Timestamp};
use orchestra_engine::hub::{Hub, Next};
use orchestra_protocol::stream::Published;
use std::{sync::Arc, time::Instant};
use tokio::sync::mpsc;

/// How many messages the throughput is taken over, in bursts of a turn's size.
const MESSAGES: u64 = 2_000_000;
const BURST: u64 = 256;
/// How many single hops the latency is taken over.
const HOPS: usize = 200_000;

fn event(seq: u64, run: RunId) -> Published {
    Published { seq, run, at: Timestamp(0), body: EventBody::RunResumed }
}

/// Messages a second, and the median and the 99th percentile of single hops in nanoseconds.
struct Figures {
    per_second: f64,
    p50: u128,
    p99: u128,
}

impl Figures {
    fn new(seconds: f64, mut hops: Vec<u128>) -> Self {
        hops.sort_unstable();
        let at = |percent: usize| hops.get(hops.len() * percent / 100).copied().unwrap_or(0);
        Self { per_second: MESSAGES as f64 / seconds, p50: at(50), p99: at(99) }
    }

    fn json(&self) -> String {
        format!(
            r#"{{"per_second": {:.0}, "p50_ns": {}, "p99_ns": {}}}"#,
            self.per_second, self.p50, self.p99
        )
    }
}

async fn hub(run: RunId) -> Figures {
    let hub = Arc::new(Hub::new(1));
    let mut subscription = hub.subscribe(1, None);
    let receiver = tokio::spawn(async move {
        let mut received = 0;
        while received < MESSAGES {
            match subscription.next().await {
                Next::Item(item) => {
                    received += u64::from(matches!(
                        *item,
                        orchestra_protocol::stream::StreamItem::Event(_)
                    ));
                }
                // Cannot happen: a burst is smaller than the ring.
                Next::Journal { until, .. } => subscription.skip_to(until),
            }
        }
    });
    let began = Instant::now();
    let mut seq = 0;
    while seq < MESSAGES {
        let burst = (seq + 1..=(seq + BURST).min(MESSAGES)).map(|seq| event(seq, run));
        hub.publish(burst);
        seq = (seq + BURST).min(MESSAGES);
        tokio::task::yield_now().await;
    }
    if receiver.await.is_err() {
        return Figures::new(f64::INFINITY, Vec::new());
    }
    let seconds = began.elapsed().as_secs_f64();

    let mut subscription = hub.subscribe(seq + 1, None);
    // Everything so far has been seen: what follows is one hop at a time.
    let _ = subscription.next().await;
    let mut hops = Vec::with_capacity(HOPS);
    for _ in 0..HOPS {
        seq += 1;
        let published = event(seq, run);
        let began = Instant::now();
        hub.publish([published]);
        let _ = subscription.next().await;
        hops.push(began.elapsed().as_nanos());
    }
    Figures::new(seconds, hops)
}

async fn channel(run: RunId) -> Figures {
    let (sender, mut receiver) = mpsc::unbounded_channel();
    let task = tokio::spawn(async move {
        let mut received = 0;
        while received < MESSAGES && receiver.recv().await.is_some() {
            received += 1;
        }
        receiver
    });
    let began = Instant::now();
    for seq in 1..=MESSAGES {
        let _ = sender.send(event(seq, run));
        if seq % BURST == 0 {
            tokio::task::yield_now().await;
        }
    }
    let Ok(mut receiver) = task.await else { return Figures::new(f64::INFINITY, Vec::new()) };
    let seconds = began.elapsed().as_secs_f64();
    let mut hops = Vec::with_capacity(HOPS);
    for seq in 0..HOPS as u64 {
        let published = event(seq, run);
        let began = Instant::now();
        let _ = sender.send(published);
        let _ = receiver.recv().await;
        hops.push(began.elapsed().as_nanos());
    }
    Figures::new(seconds, hops)
}

fn main() -> std::io::Result<()> {
    let Some(run) = RunId::new(1) else { return Ok(()) };
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let (hub, channel) = runtime.block_on(async { (hub(run).await, channel(run).await) });
    use std::io::Write as _;
    writeln!(std::io::stdout(), r#"{{"hub": {}, "channel": {}}}"#, hub.json(), channel.json())
}
