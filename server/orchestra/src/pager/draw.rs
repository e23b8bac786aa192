//! How the pager looks: the lines of a screen, for any size that a terminal may have.

use super::{
    keys::HELP,
    state::{Mode, Pager},
};
use crate::show::{
    review::{Tone, coloured, said},
    style::counted,
};
use anstyle::Style;
use console::{measure_text_width, truncate_str};
use orchestra_core::review::Verdict;

/// What a tab becomes: where it would end depends on what stands before it, a sign of ours among that.
const TAB: &str = "    ";

impl Pager {
    /// As many lines as the screen has, each at most as wide as it.
    pub(crate) fn draw(&self) -> Vec<String> {
        let mut lines = if self.mode == Mode::Help { self.help() } else { self.body() };
        lines.resize(self.room(), String::new());
        if self.size.height > 0 {
            lines.push(self.last_line());
        }
        lines
    }

    fn body(&self) -> Vec<String> {
        (self.top..self.lines()).take(self.room()).map(|line| self.drawn(line)).collect()
    }

    fn drawn(&self, line: usize) -> String {
        if let Some(text) = self.head.get(line) {
            return self.cut(text);
        }
        let Some(row) = self.layout.rows.get(line - self.head.len()) else { return String::new() };
        let (tone, text) = self.layout.text(row, &self.review, &self.view);
        let is_current = row.hunk == Some(self.current);
        // The bar also says without colours which hunk the keys are about.
        let bar = if is_current { "▌" } else { " " };
        self.cut(&format!("{bar}{}", coloured(tone, &text)))
    }

    fn help(&self) -> Vec<String> {
        let widest = HELP.iter().map(|(keys, _)| measure_text_width(keys)).max().unwrap_or(0);
        let lines = HELP.iter().map(|(keys, meaning)| {
            let space = " ".repeat(widest - measure_text_width(keys));
            self.cut(&format!(" {}{space}  {meaning}", coloured(Tone::Heading, keys)))
        });
        lines.take(self.room()).collect()
    }

    fn last_line(&self) -> String {
        let text = match &self.mode {
            Mode::Search(text) => return self.tail(&format!("/{text}")),
            Mode::Comment(text, hunks) if hunks.is_empty() => {
                return self.tail(&format!("what shall be different? {text}"));
            }
            Mode::Comment(text, _) => {
                return self.tail(&format!("what shall be different in this hunk? {text}"));
            }
            Mode::Confirm => {
                let undecided = counted(self.count_undecided(), "hunk");
                format!("{undecided} undecided will not be applied; apply the accepted ones? [y/N]")
            }
            Mode::Help => "any key goes back".to_owned(),
            Mode::Look if !self.message.is_empty() => self.message.clone(),
            Mode::Look => self.standing(),
        };
        let bar = Style::new().invert();
        format!("{bar}{}{bar:#}", self.cut(&text))
    }

    /// Where it is, and what is judged so far.
    fn standing(&self) -> String {
        let hunks = &self.layout.hunks;
        let Some(place) = hunks.get(self.current) else {
            return "there is nothing to judge; q leaves".to_owned();
        };
        let count =
            |verdict: Verdict| self.view.verdicts.values().filter(|said| **said == verdict).count();
        format!(
            "hunk {}/{}: {} | {} accepted, {} rejected, {} undecided | y n u Y N A c a q, ? for help",
            self.current + 1,
            hunks.len(),
            said(place.id, &self.view),
            count(Verdict::Accepted),
            count(Verdict::Rejected),
            self.count_undecided(),
        )
    }

    fn cut(&self, text: &str) -> String {
        let mark = if self.size.width > 0 { "…" } else { "" };
        truncate_str(&text.replace('\t', TAB), self.size.width, mark).into_owned()
    }

    /// The end of what is being typed stays in sight.
    fn tail(&self, text: &str) -> String {
        // One place is for the cursor.
        let room = self.size.width.saturating_sub(1);
        let mut start = 0;
        for (place, _) in text.char_indices() {
            start = place;
            if measure_text_width(&text[place..]) <= room {
                break;
            }
        }
        if measure_text_width(&text[start..]) <= room {
            text[start..].to_owned()
        } else {
            String::new()
        }
    }
}
