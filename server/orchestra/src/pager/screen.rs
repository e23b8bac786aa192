//! The terminal of the pager: the alternate screen in raw mode, and as it was before when this ends, also by
//! a panic or a signal.

use super::{Key, state::Size};
use anstream::{AutoStream, ColorChoice, adapter::strip_str};
use crossterm::{
    cursor::{Hide, MoveTo, Show},
    event::{self, Event as Input},
    execute, queue,
    style::Print,
    terminal::{
        self, Clear, ClearType, EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode,
        enable_raw_mode,
    },
};
use std::{
    io::{self, Write as _},
    panic,
    sync::atomic::{AtomicBool, Ordering},
};
use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    task::JoinHandle,
};

/// Whether the terminal is ours at the moment. There is one for a process.
static IS_OURS: AtomicBool = AtomicBool::new(false);

/// The terminal while a pager has it.
pub(crate) struct Screen {
    ends: [Signal; 3],
    resized: Signal,
    /// Waits for the next key. It is kept when something else happens first, or that key would be lost.
    reading: Option<JoinHandle<io::Result<Input>>>,
    has_colours: bool,
}

/// What happens to a pager.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Event {
    Key(Key),
    Resized(Size),
    /// The process is told to end, or nobody can type any more.
    Ended,
}

impl Screen {
    /// Takes the terminal. Needs a runtime, for signals.
    pub(crate) fn open() -> io::Result<Self> {
        let ends = [
            signal(SignalKind::terminate())?,
            signal(SignalKind::hangup())?,
            signal(SignalKind::interrupt())?,
        ];
        // From now on: a size that is asked for afterwards is never an old one for long.
        let resized = signal(SignalKind::window_change())?;
        let has_colours = AutoStream::choice(&io::stdout()) != ColorChoice::Never;
        restore_at_a_panic();
        IS_OURS.store(true, Ordering::SeqCst);
        let screen = Self { ends, resized, reading: None, has_colours };
        enable_raw_mode()?;
        execute!(io::stdout(), EnterAlternateScreen, Hide)?;
        Ok(screen)
    }

    pub(crate) fn size() -> io::Result<Size> {
        let (width, height) = terminal::size()?;
        Ok(Size { width: width.into(), height: height.into() })
    }

    /// Shows these lines, which fill the screen. The cursor stands behind the last one, if it is wanted.
    pub(crate) fn show(&self, lines: &[String], cursor: bool) -> io::Result<()> {
        let mut out = io::stdout().lock();
        queue!(out, Hide)?;
        for (line, row) in lines.iter().zip(0..) {
            let line = if self.has_colours { line.clone() } else { strip_str(line).to_string() };
            // Cleared first: a line that fills its row leaves the cursor on its last character.
            queue!(out, MoveTo(0, row), Clear(ClearType::CurrentLine), Print(line))?;
        }
        if cursor {
            queue!(out, Show)?;
        }
        out.flush()
    }

    /// The next thing that happens.
    pub(crate) async fn event(&mut self) -> io::Result<Event> {
        let [terminate, hangup, interrupt] = &mut self.ends;
        loop {
            let reading =
                self.reading.get_or_insert_with(|| tokio::task::spawn_blocking(event::read));
            let input = tokio::select! {
                input = reading => input,
                _ = self.resized.recv() => return Self::size().map(Event::Resized),
                _ = terminate.recv() => return Ok(Event::Ended),
                _ = hangup.recv() => return Ok(Event::Ended),
                _ = interrupt.recv() => return Ok(Event::Ended),
            };
            self.reading = None;
            if let Input::Key(key) = input.map_err(io::Error::other)??
                && let Some(key) = Key::read(key)
            {
                return Ok(Event::Key(key));
            }
        }
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        restore();
    }
}

/// Gives the terminal back, once.
fn restore() {
    if IS_OURS.swap(false, Ordering::SeqCst) {
        // Nothing can be done about a terminal that is gone.
        let _ = execute!(io::stdout(), Show, LeaveAlternateScreen);
        let _ = disable_raw_mode();
    }
}

/// What a panic says would otherwise be lost with the alternate screen.
fn restore_at_a_panic() {
    let before = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        restore();
        before(info);
    }));
}
