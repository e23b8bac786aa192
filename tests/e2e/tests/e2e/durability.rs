//! No recorded work is lost, and nothing runs twice: whatever is killed, cut short, deleted or full.

mod crew;
mod daemons;
mod damage;
mod failpoints;
mod handover;
mod kills;
mod soak;
