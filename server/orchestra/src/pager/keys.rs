//! Keys as the pager understands them, and what `?` says of them.

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

/// A key that was pressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Key {
    Char(char),
    Ctrl(char),
    Enter,
    Escape,
    Backspace,
    Tab,
    BackTab,
    Up,
    Down,
    PageUp,
    PageDown,
    Home,
    End,
}

/// Each key with what it does, as help shows them.
pub(crate) const HELP: [(&str, &str); 17] = [
    ("y  n", "accept or reject this hunk, and go on to the next undecided one"),
    ("u", "this hunk is undecided again"),
    ("Y  N", "accept or reject all hunks of this file"),
    ("A", "accept everything"),
    ("c", "send this hunk back with a comment; an agent goes on from there"),
    ("C", "send everything back with a comment"),
    ("a", "apply what is accepted to your files; all of it, if nothing is judged"),
    ("Tab  Shift-Tab", "next or previous hunk, also J and K"),
    ("]  [", "next or previous file"),
    ("j  k", "a line down or up, also the arrow keys and Enter"),
    ("Space  b", "a screen down or up, also Page Down and Page Up"),
    ("Ctrl-D  Ctrl-U", "half a screen down or up"),
    ("g  G", "to the beginning or the end, also Home and End"),
    ("/", "search; capitals matter when there are any"),
    (";  ,", "next or previous match"),
    ("q", "leave; verdicts are kept at once, so nothing is lost"),
    ("?", "this help"),
];

impl Key {
    /// `None` for what is no key to us, such as one that is let go.
    pub(super) fn read(event: KeyEvent) -> Option<Self> {
        if event.kind == KeyEventKind::Release {
            return None;
        }
        let ctrl = event.modifiers.contains(KeyModifiers::CONTROL);
        Some(match event.code {
            // A line feed, as what is pasted or sent by a script has, comes as Ctrl-J.
            KeyCode::Char('j') if ctrl => Self::Enter,
            KeyCode::Char(c) if ctrl => Self::Ctrl(c.to_ascii_lowercase()),
            KeyCode::Char(c) => Self::Char(c),
            KeyCode::Enter => Self::Enter,
            KeyCode::Esc => Self::Escape,
            KeyCode::Backspace => Self::Backspace,
            KeyCode::Tab => Self::Tab,
            KeyCode::BackTab => Self::BackTab,
            KeyCode::Up => Self::Up,
            KeyCode::Down => Self::Down,
            KeyCode::PageUp => Self::PageUp,
            KeyCode::PageDown => Self::PageDown,
            KeyCode::Home => Self::Home,
            KeyCode::End => Self::End,
            _ => return None,
        })
    }
}
