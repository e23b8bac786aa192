//! Descriptors that were left open by whoever started the daemon: an editor, a terminal, a service.

use rustix::io::{Errno, FdFlags, fcntl_getfd, fcntl_setfd};
use std::{fs, io, os::fd::BorrowedFd};

/// Has everything but the standard streams closed in each program that is started from now on: agents
/// must not write into the sockets of an editor.
pub(super) fn keep_from_children() -> io::Result<()> {
    let open: Vec<i32> = fs::read_dir("/proc/self/fd")?
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter(|&number| number > 2)
        .collect();
    for number in open {
        // SAFETY: nothing is read, written or closed through it. Should the number not be open (the
        // one that listed the folder is not, any more), the calls answer `EBADF`.
        let descriptor = unsafe { BorrowedFd::borrow_raw(number) };
        let kept = fcntl_getfd(descriptor)
            .and_then(|flags| fcntl_setfd(descriptor, flags | FdFlags::CLOEXEC));
        match kept {
            Ok(()) | Err(Errno::BADF) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}
