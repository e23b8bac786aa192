//! Opening a file so that nothing but a regular file is ever waited for.

use rustix::fs::{Mode, OFlags};
use std::{fs::File, io, path::Path};

/// Opens `path` for reading when it is a regular file; `None` for a link, a FIFO, a socket, a device
/// or a folder. Does not block on any of them, even when the path has changed since it was listed.
pub(super) fn open_regular(path: &Path) -> io::Result<Option<File>> {
    let flags =
        OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let file = match rustix::fs::open(path, flags, Mode::empty()) {
        Ok(descriptor) => File::from(descriptor),
        // A link, and a socket or a device without a driver.
        Err(rustix::io::Errno::LOOP | rustix::io::Errno::NXIO) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    Ok(file.metadata()?.is_file().then_some(file))
}
