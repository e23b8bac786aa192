//! The lines of an output, as a person would see them.

use anstream::adapter::strip_str;
use std::{
    fs::File,
    io::{self, BufRead, BufReader},
    path::Path,
};

/// What a runner says about a test is shorter; the rest of a longer line is not looked at.
const MAX_LINE: usize = 16 << 10;

/// Shows each line to `see`: without colours, carriage returns, and what a line was overwritten with.
pub(super) fn each(path: &Path, mut see: impl FnMut(&str)) -> io::Result<()> {
    let mut reader = BufReader::with_capacity(64 << 10, File::open(path)?);
    let mut line = Vec::new();
    let mut is_open = true;
    while is_open {
        let (used, has_ended) = {
            let chunk = reader.fill_buf()?;
            is_open = !chunk.is_empty();
            let end = memchr::memchr(b'\n', chunk);
            let part = &chunk[..end.unwrap_or(chunk.len())];
            let room = MAX_LINE.saturating_sub(line.len());
            line.extend_from_slice(&part[..part.len().min(room)]);
            (end.map_or(chunk.len(), |end| end + 1), end.is_some())
        };
        reader.consume(used);
        if has_ended || (!is_open && !line.is_empty()) {
            see(&visible(&line));
            line.clear();
        }
    }
    Ok(())
}

fn visible(line: &[u8]) -> String {
    let text = String::from_utf8_lossy(line);
    let text = strip_str(&text).to_string();
    let text = text.trim_end_matches('\r');
    text.rsplit('\r').next().unwrap_or_default().trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_what_a_terminal_would_show() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let long = "x".repeat(MAX_LINE * 10);
        let text = format!("\u{1b}[31mred\u{1b}[0m\r\n10%\r20%\r100%\n{long}\nlast");
        std::fs::write(file.path(), text).unwrap();
        let mut lines = Vec::new();
        each(file.path(), |line| lines.push(line.to_owned())).unwrap();
        assert_eq!(lines, ["red", "100%", &long[..MAX_LINE], "last"]);
    }

    #[test]
    fn bytes_that_are_no_text_do_no_harm() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), b"a\xff\x1b[b\n\x00\n\n").unwrap();
        let mut lines = 0;
        each(file.path(), |_| lines += 1).unwrap();
        assert_eq!(lines, 3);
    }
}
