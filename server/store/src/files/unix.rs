//! Who may read the files, and how much space is left for them, as Unix has it.

use std::{
    fs::{DirBuilder, OpenOptions},
    io,
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::Path,
};

/// Has folders made that only their owner can enter.
pub(super) fn make_private_folder(builder: &mut DirBuilder) -> &mut DirBuilder {
    builder.mode(0o700)
}

/// Has files made that only their owner can read.
pub(super) fn make_private_file(options: &mut OpenOptions) -> &mut OpenOptions {
    options.mode(0o600)
}

/// How many bytes this user can still write on the disk of `folder`.
pub(crate) fn free_space(folder: &Path) -> io::Result<u64> {
    let disk = rustix::fs::statvfs(folder)?;
    Ok(disk.f_bavail.saturating_mul(disk.f_frsize))
}
