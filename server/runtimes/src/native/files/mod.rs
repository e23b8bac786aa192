//! Reading the workspace's text files: in parallel, by git's ignore rules, and never more than that.

mod coverage;
mod ignore_files;
#[cfg(unix)]
mod unix;
mod walk;

pub use coverage::{Coverage, LeftOut, Skipped};
#[cfg(unix)]
use unix::open_regular;
pub(crate) use walk::{MAX_FILE_BYTES, Options, ReadText, TextFile, read_text, scan};
