//! What the pager shows and what keys do to it: a pure state machine. What leaves it are actions, which
//! somebody else carries out.

use super::Key;
use crate::show::review::{Layout, Row};
use orchestra_core::{
    ids::HunkId,
    review::{Review, Selection, Verdict},
    view::ReviewView,
};

/// What a person wants done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Action {
    Judge {
        selection: Selection,
        verdict: Option<Verdict>,
    },
    SendBack {
        comment: String,
        /// Empty: everything.
        hunks: Vec<HunkId>,
    },
    Apply,
    Quit,
}

/// What is on the screen.
#[derive(Debug)]
pub(crate) struct Pager {
    pub(super) review: Review,
    pub(super) view: ReviewView,
    pub(super) layout: Layout,
    /// What is said about the whole, above the first file.
    pub(super) head: Vec<String>,
    /// The first line that is shown; lines of the head come before the rows.
    pub(super) top: usize,
    /// Position in [`Layout::hunks`].
    pub(super) current: usize,
    pub(super) size: Size,
    pub(super) mode: Mode,
    /// Said in the last line, until the next key.
    pub(super) message: String,
    search: String,
}

/// In characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Size {
    pub(crate) width: usize,
    pub(crate) height: usize,
}

/// What keys mean at the moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Mode {
    Look,
    Help,
    Search(String),
    /// The hunks that it is about.
    Comment(String, Vec<HunkId>),
    /// Whether to apply although some hunks are undecided.
    Confirm,
}

impl Pager {
    pub(crate) fn new(review: Review, view: ReviewView, head: Vec<String>, size: Size) -> Self {
        let layout = Layout::of(&review);
        let mut pager = Self {
            review,
            view,
            layout,
            head,
            top: 0,
            current: 0,
            size,
            mode: Mode::Look,
            message: String::new(),
            search: String::new(),
        };
        pager.current = pager.undecided(0).unwrap_or(0);
        if pager.current > 0 {
            pager.show_hunk();
        }
        pager
    }

    /// Whether a line is being typed, so that a cursor is wanted.
    pub(crate) fn is_typing(&self) -> bool {
        matches!(self.mode, Mode::Search(_) | Mode::Comment(..))
    }

    /// The terminal has another size now.
    pub(crate) fn resize(&mut self, size: Size) {
        self.size = size;
        self.scroll_to(self.top);
    }

    /// A verdict is recorded.
    pub(crate) fn judged(&mut self, selection: &Selection, verdict: Option<Verdict>) {
        let is_meant = |file: usize, id: HunkId| match selection {
            Selection::All => true,
            Selection::File { path } => {
                self.review.files.get(file).is_some_and(|file| file.path == *path)
            }
            Selection::Hunks { hunks } => hunks.contains(&id),
        };
        for place in &self.layout.hunks {
            if is_meant(place.file, place.id) {
                match verdict {
                    Some(verdict) => self.view.verdicts.insert(place.id, verdict),
                    None => self.view.verdicts.remove(&place.id),
                };
            }
        }
        if verdict.is_some()
            && let Some(next) = self.undecided(self.current)
        {
            self.current = next;
            self.show_hunk();
        }
    }

    /// Says something in the last line, until the next key.
    pub(crate) fn say(&mut self, message: impl Into<String>) {
        self.message = message.into();
    }

    /// What a key leads to.
    pub(crate) fn press(&mut self, key: Key) -> Option<Action> {
        self.message.clear();
        if key == Key::Ctrl('c') {
            return Some(Action::Quit);
        }
        match std::mem::replace(&mut self.mode, Mode::Look) {
            Mode::Look => self.look(key),
            Mode::Help => None,
            Mode::Search(text) => {
                if let Typed::Text(text) = self.typed(text, key, Mode::Search) {
                    if !text.is_empty() {
                        self.search = text;
                    }
                    self.find(1);
                }
                None
            }
            Mode::Comment(text, hunks) => {
                let again = hunks.clone();
                match self.typed(text, key, move |text| Mode::Comment(text, again)) {
                    Typed::Text(text) if text.trim().is_empty() => {
                        self.say("nothing was said, so nothing is sent back");
                        None
                    }
                    Typed::Text(comment) => Some(Action::SendBack { comment, hunks }),
                    Typed::Nothing => None,
                }
            }
            Mode::Confirm => match key {
                Key::Char('y') => Some(Action::Apply),
                _ => None,
            },
        }
    }

    fn look(&mut self, key: Key) -> Option<Action> {
        let page = self.room().saturating_sub(1).max(1);
        match key {
            Key::Char('q') => return Some(Action::Quit),
            Key::Char('y') => return self.judge_hunk(Some(Verdict::Accepted)),
            Key::Char('n') => return self.judge_hunk(Some(Verdict::Rejected)),
            Key::Char('u') => return self.judge_hunk(None),
            Key::Char('Y') => return self.judge_file(Verdict::Accepted),
            Key::Char('N') => return self.judge_file(Verdict::Rejected),
            Key::Char('A') => {
                let verdict = Some(Verdict::Accepted);
                return Some(Action::Judge { selection: Selection::All, verdict });
            }
            Key::Char('a') => return self.apply(),
            Key::Char('c') => {
                let hunks: Vec<HunkId> = self.hunk().into_iter().collect();
                self.mode = Mode::Comment(String::new(), hunks);
            }
            Key::Char('C') => self.mode = Mode::Comment(String::new(), Vec::new()),
            Key::Char('?' | 'h') => self.mode = Mode::Help,
            Key::Char('/') => self.mode = Mode::Search(String::new()),
            Key::Char(';') => self.find(1),
            Key::Char(',') => self.find(-1),
            Key::Char('J') | Key::Tab => self.go_to_hunk(self.current + 1),
            Key::Char('K') | Key::BackTab => self.go_to_hunk(self.current.wrapping_sub(1)),
            Key::Char(']') => self.go_to_file(true),
            Key::Char('[') => self.go_to_file(false),
            Key::Char('j') | Key::Down | Key::Enter => self.scroll(1),
            Key::Char('k') | Key::Up => self.scroll(-1),
            Key::Char(' ' | 'f') | Key::PageDown | Key::Ctrl('f') => self.scroll(signed(page)),
            Key::Char('b') | Key::PageUp | Key::Ctrl('b') => self.scroll(-signed(page)),
            Key::Ctrl('d') => self.scroll(signed(page.div_ceil(2))),
            Key::Ctrl('u') => self.scroll(-signed(page.div_ceil(2))),
            Key::Char('g') | Key::Home => self.scroll(-signed(self.lines())),
            Key::Char('G') | Key::End => self.scroll(signed(self.lines())),
            Key::Char(_) => self.say("that key does nothing; ? shows those that do"),
            Key::Ctrl(_) | Key::Escape | Key::Backspace => {}
        }
        None
    }

    fn hunk(&self) -> Option<HunkId> {
        self.layout.hunks.get(self.current).map(|place| place.id)
    }

    fn judge_hunk(&mut self, verdict: Option<Verdict>) -> Option<Action> {
        let hunks = vec![self.hunk()?];
        Some(Action::Judge { selection: Selection::Hunks { hunks }, verdict })
    }

    fn judge_file(&mut self, verdict: Verdict) -> Option<Action> {
        let place = self.layout.hunks.get(self.current)?;
        let path = self.review.files.get(place.file)?.path.clone();
        Some(Action::Judge { selection: Selection::File { path }, verdict: Some(verdict) })
    }

    /// Undecided hunks stay behind, which is asked about; where nothing is judged, all goes along.
    fn apply(&mut self) -> Option<Action> {
        let accepted = |verdict: &Verdict| *verdict == Verdict::Accepted;
        if !self.view.verdicts.is_empty() && !self.view.verdicts.values().any(accepted) {
            self.say("nothing is accepted: y accepts a hunk, A everything");
            return None;
        }
        if self.view.verdicts.is_empty() || self.count_undecided() == 0 {
            return Some(Action::Apply);
        }
        self.mode = Mode::Confirm;
        None
    }

    pub(super) fn count_undecided(&self) -> usize {
        self.layout.hunks.iter().filter(|place| self.is_undecided(place.id)).count()
    }

    fn is_undecided(&self, hunk: HunkId) -> bool {
        !self.view.verdicts.contains_key(&hunk) && !self.view.applied.contains(&hunk)
    }

    /// The first undecided hunk from this one on, or else before it.
    fn undecided(&self, from: usize) -> Option<usize> {
        let is_undecided = |hunk: &usize| {
            self.layout.hunks.get(*hunk).is_some_and(|place| self.is_undecided(place.id))
        };
        let count = self.layout.hunks.len();
        (from..count).chain(0..from.min(count)).find(is_undecided)
    }

    fn go_to_hunk(&mut self, hunk: usize) {
        if hunk < self.layout.hunks.len() {
            self.current = hunk;
            self.show_hunk();
        } else {
            self.say("there is no further hunk in this direction");
        }
    }

    fn go_to_file(&mut self, forward: bool) {
        let Some(here) = self.layout.hunks.get(self.current).map(|place| place.file) else {
            return;
        };
        let wanted = if forward { here.checked_add(1) } else { here.checked_sub(1) };
        let first = wanted
            .and_then(|wanted| self.layout.hunks.iter().position(|place| place.file == wanted));
        match first {
            Some(first) => self.go_to_hunk(first),
            None => self.say("there is no further file in this direction"),
        }
    }

    /// Scrolls until the current hunk is there, with the name of its file where it is the first of it.
    fn show_hunk(&mut self) {
        let Some(place) = self.layout.hunks.get(self.current) else { return };
        let rows = self.layout.rows.get(..place.row).unwrap_or_default();
        let of_file = |row: &&Row| row.hunk.is_none() && row.file == place.file;
        let above = rows.iter().rev().take_while(of_file).count();
        let start = self.head.len() + place.row - above;
        let end = self.head.len() + self.end_of(self.current);
        let is_shown = start >= self.top && end <= self.top + self.room();
        if !is_shown {
            self.top = start.min(self.last_top());
        }
    }

    /// Behind the last row of a hunk.
    fn end_of(&self, hunk: usize) -> usize {
        let from = self.layout.hunks.get(hunk).map_or(0, |place| place.row);
        let rows = self.layout.rows.get(from..).unwrap_or_default();
        from + rows.iter().take_while(|row| row.hunk == Some(hunk)).count()
    }

    fn scroll(&mut self, by: isize) {
        self.scroll_to(self.top.saturating_add_signed(by));
    }

    /// A hunk of which nothing is to be seen any more is no longer the current one.
    fn scroll_to(&mut self, top: usize) {
        self.top = top.min(self.last_top());
        let first = self.top.saturating_sub(self.head.len());
        let end = (self.top + self.room()).saturating_sub(self.head.len());
        let shown = self.layout.rows.get(first..end.min(self.layout.rows.len()));
        let mut hunks = shown.unwrap_or_default().iter().filter_map(|row| row.hunk);
        if !hunks.clone().any(|hunk| hunk == self.current)
            && let Some(hunk) = hunks.next()
        {
            self.current = hunk;
        }
    }

    /// Goes to the next line that holds what is searched for, forward or back, and round the end.
    fn find(&mut self, step: isize) {
        if self.search.is_empty() {
            self.say("nothing is searched for: / begins a search");
            return;
        }
        let count = self.lines();
        let matches = |line: &usize| self.line(*line).is_some_and(|text| self.holds(&text));
        let forward = (self.top + 1..count).chain(0..=self.top.min(count.saturating_sub(1)));
        let found = if step > 0 {
            forward.clone().find(matches)
        } else {
            forward.rev().skip(1).find(matches)
        };
        match found {
            None => self.say(format!("not found: {}", self.search)),
            Some(line) => {
                // It shall be the first line, also near the end, so that the next search goes on from it.
                self.top = line;
                if let Some(hunk) = line
                    .checked_sub(self.head.len())
                    .and_then(|row| self.layout.rows.get(row)?.hunk)
                {
                    self.current = hunk;
                }
            }
        }
    }

    fn holds(&self, text: &str) -> bool {
        if self.search.contains(char::is_uppercase) {
            text.contains(&self.search)
        } else {
            text.to_lowercase().contains(&self.search)
        }
    }

    /// The text of a line, from the head or the rows.
    fn line(&self, line: usize) -> Option<String> {
        if let Some(text) = self.head.get(line) {
            return Some(text.clone());
        }
        let row = self.layout.rows.get(line.checked_sub(self.head.len())?)?;
        Some(self.layout.text(row, &self.review, &self.view).1)
    }

    /// What a key does to a line that is being typed.
    fn typed(&mut self, mut text: String, key: Key, mode: impl FnOnce(String) -> Mode) -> Typed {
        match key {
            Key::Enter => return Typed::Text(text),
            Key::Escape => return Typed::Nothing,
            Key::Backspace if text.is_empty() => return Typed::Nothing,
            Key::Backspace => drop(text.pop()),
            Key::Ctrl('u') => text.clear(),
            Key::Char(c) => text.push(c),
            _ => {}
        }
        self.mode = mode(text);
        Typed::Nothing
    }

    /// How many lines there are to see.
    pub(super) fn lines(&self) -> usize {
        self.head.len() + self.layout.rows.len()
    }

    /// How many of them fit on the screen, above the last line.
    pub(super) fn room(&self) -> usize {
        self.size.height.saturating_sub(1)
    }

    fn last_top(&self) -> usize {
        self.lines().saturating_sub(self.room())
    }
}

/// What became of a line that is being typed.
enum Typed {
    Text(String),
    /// It goes on, or it was given up.
    Nothing,
}

fn signed(count: usize) -> isize {
    isize::try_from(count).unwrap_or(isize::MAX)
}

#[cfg(test)]
mod tests;
