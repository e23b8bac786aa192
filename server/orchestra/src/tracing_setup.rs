//! Where log lines go: to standard error for commands, to the log file for the daemon.

use std::{
    fs::{self, OpenOptions},
    io,
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
    sync::Mutex,
};
use tracing_subscriber::EnvFilter;

/// A daemon's log that has grown beyond this is set aside when the next daemon starts.
const LARGE_LOG: u64 = 10 << 20;

fn filter(default: &str) -> EnvFilter {
    EnvFilter::try_from_env("ORCHESTRA_LOG").unwrap_or_else(|_| EnvFilter::new(default))
}

/// `-v` shows what is done, `-vv` everything. `ORCHESTRA_LOG` has the last word.
pub(crate) fn for_command(verbosity: u8) {
    let level = match verbosity {
        0 => "error",
        1 => "info",
        2 => "debug",
        _ => "trace",
    };
    tracing_subscriber::fmt()
        .with_env_filter(filter(level))
        .with_writer(io::stderr)
        .without_time()
        .init();
}

pub(crate) fn for_daemon(log: &Path) -> io::Result<()> {
    if let Some(parent) = log.parent() {
        fs::create_dir_all(parent)?;
    }
    if fs::metadata(log).is_ok_and(|metadata| metadata.len() > LARGE_LOG) {
        fs::rename(log, log.with_extension("log.old"))?;
    }
    let file = OpenOptions::new().create(true).append(true).mode(0o600).open(log)?;
    tracing_subscriber::fmt()
        .with_env_filter(filter("info"))
        .with_writer(Mutex::new(file))
        .with_ansi(false)
        .init();
    Ok(())
}
