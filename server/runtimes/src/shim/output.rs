//! The agent's standard output and error: pipes that never fill up, into one log.

use super::{capped_log::CappedLog, transcript::Transcript};
use crate::{
    attempt::Told,
    mask::{Secrets, Stream},
};
use orchestra_core::agent::Prints;
use rustix::{
    event::{PollFd, PollFlags},
    fs::{OFlags, fcntl_getfl, fcntl_setfl},
    io::{Errno, read},
};
use std::{io, os::fd::OwnedFd};

/// As much as a pipe holds.
const CHUNK: usize = 64 * 1024;

/// One of the agent's pipes.
#[derive(Debug)]
pub(super) struct Output {
    pipe: Option<OwnedFd>,
    stream: Stream,
    /// For a program that prints events.
    transcript: Option<Transcript>,
}

/// What a read left.
enum Rest {
    Some,
    None,
    Ended,
}

impl Output {
    pub(super) fn new(pipe: OwnedFd, prints: Prints) -> io::Result<Self> {
        let flags = fcntl_getfl(&pipe)?;
        fcntl_setfl(&pipe, flags | OFlags::NONBLOCK)?;
        let transcript = Transcript::of(prints);
        Ok(Self { pipe: Some(pipe), stream: Stream::default(), transcript })
    }

    /// What its events have said, without secrets.
    pub(super) fn told(&mut self, secrets: &Secrets) -> Told {
        self.transcript.take().map(|transcript| transcript.told(secrets)).unwrap_or_default()
    }

    /// What to wait for; `None` when the pipe has ended.
    pub(super) fn interest(&self) -> Option<PollFd<'_>> {
        self.pipe.as_ref().map(|pipe| PollFd::new(pipe, PollFlags::IN))
    }

    /// Takes one chunk, so that a flood on one pipe keeps nothing else waiting.
    pub(super) fn take_some(
        &mut self,
        buffer: &mut Buffer,
        secrets: &Secrets,
        log: &mut CappedLog,
    ) {
        self.take(buffer, secrets, log);
    }

    /// Takes what is there now. Not until the pipe ends: something outside the process tree may hold its
    /// other end for ever.
    pub(super) fn take_rest(
        &mut self,
        buffer: &mut Buffer,
        secrets: &Secrets,
        log: &mut CappedLog,
    ) {
        while matches!(self.take(buffer, secrets, log), Rest::Some) {}
        self.end(secrets, log);
    }

    fn take(&mut self, buffer: &mut Buffer, secrets: &Secrets, log: &mut CappedLog) -> Rest {
        let Some(pipe) = &self.pipe else { return Rest::Ended };
        match read(pipe, &mut buffer.0[..]) {
            Ok(0) => {
                self.end(secrets, log);
                Rest::Ended
            }
            Ok(size) => {
                let (stream, text) = (&mut self.stream, &buffer.0[..size]);
                let mut write = |text: &[u8]| stream.push(secrets, text, |text| log.write(text));
                match &mut self.transcript {
                    // Masked is what people read: in an event a secret may be escaped.
                    Some(transcript) => transcript.push(secrets, text, write),
                    None => write(text),
                }
                Rest::Some
            }
            Err(Errno::INTR) => Rest::Some,
            Err(_) => Rest::None,
        }
    }

    fn end(&mut self, secrets: &Secrets, log: &mut CappedLog) {
        self.pipe = None;
        if let Some(transcript) = &mut self.transcript {
            let stream = &mut self.stream;
            transcript.finish(secrets, |text| stream.push(secrets, text, |text| log.write(text)));
        }
        self.stream.finish(secrets, |text| log.write(text));
    }
}

/// Where output passes through.
pub(super) struct Buffer(Box<[u8]>);

impl Buffer {
    /// Zeroed pages cost no memory before they are written to.
    pub(super) fn new() -> Self {
        Self(vec![0; CHUNK].into_boxed_slice())
    }
}
