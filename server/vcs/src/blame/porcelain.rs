//! What `git blame --porcelain` prints.

use super::{LineAuthor, same};
use orchestra_core::time::Timestamp;
use std::collections::HashMap;

/// Has it print what [`parse`] reads, with no program run. Commits that the user lets git pass over count:
/// somebody has written what came in with them.
pub(super) const OPTIONS: [&str; 5] =
    ["--porcelain", "--root", "--no-textconv", "--encoding=UTF-8", "--no-ignore-revs-file"];

/// The lines of a file, and the commits that they came in with.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Blamed {
    pub(super) rows: Vec<Row>,
    pub(super) commits: Vec<Commit>,
    /// Whether the last line ends with a line feed, which git does not print.
    pub(super) is_ended: bool,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Row {
    /// Its position among the commits.
    pub(super) commit: usize,
    /// In the file as the commit has it, from one.
    pub(super) there: u32,
    /// In the file that was asked for, from one.
    pub(super) here: u32,
    /// Without its line feed.
    pub(super) text: Vec<u8>,
}

#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Commit {
    pub(super) id: String,
    pub(super) author: String,
    pub(super) at: Timestamp,
    /// What the file is called there. Where lines of several of its files are here, the last one.
    pub(super) path: Vec<u8>,
}

impl Blamed {
    /// Of a file that no commit has.
    pub(super) fn of_new_file(content: &[u8]) -> Self {
        let row = |(text, number): (&[u8], u32)| Row {
            commit: 0,
            there: number,
            here: number,
            text: text.to_owned(),
        };
        let rows = same::split(content).zip(1..).map(row).collect();
        Self { rows, commits: vec![Commit::default()], is_ended: content.ends_with(b"\n") }
    }

    /// The file that was asked for, as git would commit it.
    pub(super) fn text(&self) -> Vec<u8> {
        let lines: Vec<&[u8]> = self.rows.iter().map(|row| row.text.as_slice()).collect();
        let mut text = lines.join(&b'\n');
        text.extend(self.is_ended.then_some(b'\n'));
        text
    }
}

impl Commit {
    /// Its author.
    pub(super) fn person(&self) -> LineAuthor {
        let (commit, author) = (self.id.clone(), self.author.clone());
        LineAuthor::Person { commit, author, at: self.at }
    }

    /// Whether it stands for what no commit has yet.
    pub(super) fn is_none(&self) -> bool {
        self.id.bytes().all(|digit| digit == b'0')
    }
}

/// What is not understood is passed over: the format may be extended.
pub(super) fn parse(output: &[u8], is_ended: bool) -> Blamed {
    let mut blamed = Blamed { is_ended, ..Blamed::default() };
    let mut known: HashMap<Vec<u8>, usize> = HashMap::new();
    let mut row: Option<Row> = None;
    for line in output.split(|&byte| byte == b'\n') {
        let Some(open) = &mut row else {
            row = header(line, &mut blamed.commits, &mut known);
            continue;
        };
        if let Some(text) = line.strip_prefix(b"\t") {
            open.text = text.to_owned();
            blamed.rows.extend(row.take());
            continue;
        }
        let space = line.iter().position(|&byte| byte == b' ').unwrap_or(line.len());
        let (key, value) = (&line[..space], line.get(space + 1..).unwrap_or_default());
        let text = || String::from_utf8_lossy(value).into_owned();
        let Some(commit) = blamed.commits.get_mut(open.commit) else { continue };
        match key {
            b"author" => commit.author = text(),
            b"author-time" => {
                let seconds: i64 = text().parse().unwrap_or(0);
                commit.at = Timestamp(seconds.saturating_mul(1_000));
            }
            b"filename" => commit.path = unquoted(value),
            _ => {}
        }
    }
    blamed
}

/// `<id> <line there> <line here>`, and how many follow, where a group of lines begins.
fn header(
    line: &[u8],
    commits: &mut Vec<Commit>,
    known: &mut HashMap<Vec<u8>, usize>,
) -> Option<Row> {
    let mut words = line.split(|&byte| byte == b' ');
    let id = words.next().filter(|id| !id.is_empty())?;
    let mut number = || str::from_utf8(words.next()?).ok()?.parse().ok();
    let (there, here) = (number()?, number()?);
    let commit = *known.entry(id.to_owned()).or_insert_with(|| {
        let id = String::from_utf8_lossy(id).into_owned();
        commits.push(Commit { id, ..Commit::default() });
        commits.len() - 1
    });
    Some(Row { commit, there, here, text: Vec::new() })
}

/// A path as C writes a string, where it has characters that call for it.
fn unquoted(path: &[u8]) -> Vec<u8> {
    let Some(quoted) = path.strip_prefix(b"\"").and_then(|path| path.strip_suffix(b"\"")) else {
        return path.to_owned();
    };
    let mut plain = Vec::with_capacity(quoted.len());
    let mut bytes = quoted.iter().copied();
    while let Some(byte) = bytes.next() {
        let escaped = if byte == b'\\' { bytes.next() } else { None };
        plain.push(match escaped {
            None => byte,
            Some(b'a') => 0x07,
            Some(b'b') => 0x08,
            Some(b't') => b'\t',
            Some(b'n') => b'\n',
            Some(b'v') => 0x0b,
            Some(b'f') => 0x0c,
            Some(b'r') => b'\r',
            Some(first @ b'0'..=b'3') => {
                let mut digit = || bytes.next().map_or(0, |digit| digit & 7);
                (first & 7) << 6 | digit() << 3 | digit()
            }
            Some(other) => other,
        });
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_git_quotes_them() {
        for (quoted, plain) in [
            ("plain name", "plain name"),
            ("\"tab\\tquote\\\"slash\\\\\"", "tab\tquote\"slash\\"),
            ("\"\\303\\244\\001\"", "ä\u{1}"),
            ("ä", "ä"),
        ] {
            assert_eq!(unquoted(quoted.as_bytes()), plain.as_bytes());
        }
    }
}
