//! Time as the agent's time-out counts it: it goes on while the machine sleeps.

use rustix::{
    io::Errno,
    param::clock_ticks_per_second,
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
pub(crate) type BootTime = Duration;

pub(crate) fn now() -> BootTime {
    Duration::try_from(clock_gettime(ClockId::Boottime)).unwrap_or_default()
}

/// The point in time that `/proc` gives as so many clock ticks; up to one tick too early.
pub(crate) fn of_ticks(ticks: u64) -> BootTime {
    let a_second = clock_ticks_per_second().max(1);
    let rest = (ticks % a_second) * 1_000_000_000 / a_second;
    Duration::from_secs(ticks / a_second) + Duration::from_nanos(rest)
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
