//! The commit of a snapshot as text: what is not in it is written into its message, so that it can be
//! told again after a crash.

use orchestra_core::snapshot::{LeftOut, Snapshot};

/// Followed by a [`LeftOut`] as JSON, which has no line breaks.
const LEFT_OUT: &str = "Orchestra-Left-Out: ";

/// Followed by a path as JSON.
const CONFLICTED: &str = "Orchestra-Conflicted: ";

/// The message of a snapshot's commit.
pub(super) fn message(subject: &str, snapshot: &Snapshot) -> String {
    let subject = subject.lines().next().unwrap_or_default();
    // Neither strings nor these types fail to become JSON.
    let left_out = snapshot.left_out.iter().filter_map(|left| serde_json::to_string(left).ok());
    let conflicted = snapshot.conflicted.iter().filter_map(|path| serde_json::to_string(path).ok());
    let lines: Vec<String> = left_out
        .map(|json| format!("{LEFT_OUT}{json}\n"))
        .chain(conflicted.map(|json| format!("{CONFLICTED}{json}\n")))
        .collect();
    if lines.is_empty() {
        format!("{subject}\n")
    } else {
        format!("{subject}\n\n{}", lines.concat())
    }
}

/// The snapshot whose commit is `content`; `None` when that is nothing we wrote.
pub(super) fn read(commit: &str, content: &[u8]) -> Option<Snapshot> {
    let content = str::from_utf8(content).ok()?;
    let (headers, message) = content.split_once("\n\n")?;
    let header = |name: &str| headers.lines().find_map(|line| line.strip_prefix(name));
    let body = || message.lines().skip(1);
    let left_out: Vec<LeftOut> = body()
        .filter_map(|line| line.strip_prefix(LEFT_OUT))
        .map(|json| serde_json::from_str(json).ok())
        .collect::<Option<_>>()?;
    let conflicted: Vec<String> = body()
        .filter_map(|line| line.strip_prefix(CONFLICTED))
        .map(|json| serde_json::from_str(json).ok())
        .collect::<Option<_>>()?;
    Some(Snapshot {
        commit: commit.to_owned(),
        tree: header("tree ")?.to_owned(),
        head: header("parent ").map(str::to_owned),
        left_out,
        conflicted,
    })
}
