//! The last lines of a log, for messages: the first thing that a person asks about a failed agent.

use anstream::adapter::strip_str;
use std::{
    fs::File,
    io::{self, Read as _, Seek as _, SeekFrom},
    path::Path,
};

const LINES: usize = 5;
const LONGEST_LINE: usize = 300;
const LOOKED_AT: u64 = 8 * 1024;

/// The last lines that say something, without control characters. Empty when there is no log.
pub(super) fn of(log: &Path) -> Vec<String> {
    lines(&end_of(log).unwrap_or_default())
}

fn end_of(log: &Path) -> io::Result<Vec<u8>> {
    let mut file = File::open(log)?;
    let size = file.metadata()?.len();
    file.seek(SeekFrom::Start(size.saturating_sub(LOOKED_AT)))?;
    let mut text = Vec::new();
    file.take(LOOKED_AT).read_to_end(&mut text)?;
    Ok(text)
}

fn lines(text: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(text);
    // Progress bars overwrite their line again and again.
    let all = text.split(['\n', '\r']).map(|line| strip_str(line).to_string());
    let mut lines: Vec<String> = all
        .map(|line| {
            let plain = line.trim().chars().filter(|c| !c.is_control());
            plain.take(LONGEST_LINE).collect::<String>()
        })
        .filter(|line| !line.is_empty())
        .collect();
    lines.split_off(lines.len().saturating_sub(LINES))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_blank_lines_and_progress_bars_are_left_out() {
        let text = b"1\n2\n\n  \x1b[31m3\x1b[0m  \r\n4\n5%\r50%\rno\xff such \x07file\n\n";
        assert_eq!(lines(text), ["3", "4", "5%", "50%", "no\u{fffd} such file"]);
        assert_eq!(lines(b""), Vec::<String>::new());
    }
}
