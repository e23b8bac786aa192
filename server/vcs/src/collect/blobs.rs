//! Sizes and contents of objects, as `git cat-file` answers for many at once.

use crate::{GitError, git::Git};
use std::io::{self, BufRead, Read as _};

/// Where git itself stops to look for the NUL that makes a file binary.
const BINARY_PROBE_BYTES: usize = 8_000;

/// The bytes of each object; `None` for one that is missing. `git` is a call of `cat-file`.
pub(crate) fn sizes(git: Git, ids: &[&str]) -> Result<Vec<Option<u64>>, GitError> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let output = git.args(["--batch-check=%(objectsize)"]).input(lines(ids)).output()?;
    Ok(String::from_utf8_lossy(&output).lines().map(|line| line.parse().ok()).collect())
}

/// The id of the file that each of these names, such as `<commit>:<path>`; `None` where there is none. `git`
/// is a call of `cat-file`.
pub(crate) fn ids(git: Git, names: &[&str]) -> Result<Vec<Option<String>>, GitError> {
    if names.is_empty() {
        return Ok(Vec::new());
    }
    let check = "--batch-check=%(objecttype) %(objectname)";
    let output = git.args([check]).input(lines(names)).output()?;
    let id = |line: &str| line.strip_prefix("blob ").map(str::to_owned);
    Ok(String::from_utf8_lossy(&output).lines().map(id).collect())
}

/// Shows the number and the content of every object that is there and has at most `limit` bytes. `git` is a
/// call of `cat-file`.
pub(crate) fn contents(
    git: Git,
    ids: &[&str],
    limit: u64,
    mut visit: impl FnMut(usize, &[u8]) + Send,
) -> Result<(), GitError> {
    if ids.is_empty() {
        return Ok(());
    }
    git.args(["--batch"]).input(lines(ids)).stream(|pipe| {
        let mut content = Vec::new();
        for number in 0..ids.len() {
            let Some(size) = size(pipe)? else { continue };
            if size > limit {
                io::copy(&mut pipe.take(size + 1), &mut io::sink())?;
                continue;
            }
            content.clear();
            // With the line end that follows it.
            pipe.take(size + 1).read_to_end(&mut content)?;
            content.pop();
            visit(number, &content);
        }
        Ok(())
    })
}

/// Whether git takes a file for text.
pub(crate) fn is_text(content: &[u8]) -> bool {
    !content[..content.len().min(BINARY_PROBE_BYTES)].contains(&0)
}

/// `<id> <type> <size>`; `None` for an object that is missing.
fn size(pipe: &mut dyn BufRead) -> io::Result<Option<u64>> {
    let mut line = String::new();
    pipe.read_line(&mut line)?;
    Ok(line.trim_end().rsplit(' ').next().and_then(|size| size.parse().ok()))
}

fn lines(ids: &[&str]) -> Vec<u8> {
    let mut input = ids.join("\n").into_bytes();
    input.push(b'\n');
    input
}
