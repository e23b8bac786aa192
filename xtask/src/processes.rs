//! Processes that outlive the run which started them: found, named and ended.

#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "linux")]
pub(crate) use linux::{adopt_orphans, end_leftovers};

#[cfg(not(target_os = "linux"))]
mod elsewhere;
#[cfg(not(target_os = "linux"))]
pub(crate) use elsewhere::{adopt_orphans, end_leftovers};

/// A process that a test left behind.
pub(crate) struct Leftover {
    pub(crate) pid: i32,
    pub(crate) command_line: String,
    /// Which test started it, from the markers in its environment.
    pub(crate) test: String,
}

/// The failure that names every leftover, if there are any.
pub(crate) fn verdict(leftovers: &[Leftover]) -> anyhow::Result<()> {
    if leftovers.is_empty() {
        return Ok(());
    }
    let lines: Vec<String> = leftovers
        .iter()
        .map(|left| format!("  pid {} of {}: {}", left.pid, left.test, left.command_line))
        .collect();
    anyhow::bail!(
        "the tests left {} running (now killed):\n{}",
        if lines.len() == 1 {
            "a process".to_owned()
        } else {
            format!("{} processes", lines.len())
        },
        lines.join("\n")
    )
}
