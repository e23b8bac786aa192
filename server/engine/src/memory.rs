//! Memory that a large run has used and the daemon does not need any more.

/// Gives free memory back to the system. The allocator of glibc keeps what it once had, and a daemon
/// lives for days.
pub(crate) fn give_back() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: `malloc_trim` may be called at any time from any thread; it only releases free pages.
    unsafe {
        libc::malloc_trim(0);
    }
}
