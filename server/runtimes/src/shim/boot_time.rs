//! Time as the agent's time-out counts it: it goes on while the machine sleeps.

use rustix::{
    io::Errno,
    time::{
        ClockId, Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec,
        clock_gettime, timerfd_create, timerfd_settime,
    },
};
use std::{
    io,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    time::Duration,
};

/// Time since the boot, sleep included.
pub(super) type BootTime = Duration;

pub(super) fn now() -> BootTime {
    Duration::try_from(clock_gettime(ClockId::Boottime)).unwrap_or_default()
}

/// A descriptor that becomes readable at a point in time.
#[derive(Debug)]
pub(super) struct Timer {
    fd: OwnedFd,
    armed: Option<BootTime>,
}

impl Timer {
    pub(super) fn new() -> io::Result<Self> {
        let flags = TimerfdFlags::CLOEXEC | TimerfdFlags::NONBLOCK;
        Ok(Self { fd: timerfd_create(TimerfdClockId::Boottime, flags)?, armed: None })
    }

    /// Sets it anew; this also makes it unreadable until then. `None`: never.
    pub(super) fn set(&mut self, at: Option<BootTime>) -> io::Result<()> {
        if at == self.armed {
            return Ok(());
        }
        // Zero would disarm it.
        let at_least = |at: BootTime| at.max(Duration::from_nanos(1));
        let value = match at.map(at_least) {
            Some(at) => Timespec::try_from(at).map_err(|_| Errno::INVAL)?,
            None => Timespec::default(),
        };
        let setting = Itimerspec { it_interval: Timespec::default(), it_value: value };
        timerfd_settime(&self.fd, TimerfdTimerFlags::ABSTIME, &setting)?;
        self.armed = at;
        Ok(())
    }
}

impl AsFd for Timer {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}
