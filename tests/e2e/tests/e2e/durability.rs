//! No recorded work is lost, and nothing runs twice: whatever is killed, cut short, deleted or full.

mod checks;
mod collecting;
mod commands;
mod crew;
mod daemons;
mod damage;
mod environment;
mod failpoints;
mod files;
mod full_disk;
mod handover;
mod kills;
mod merging;
mod soak;
