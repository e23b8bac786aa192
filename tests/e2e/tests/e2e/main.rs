//! What a user does with the program, from the outside; one file for each concern.

mod bad_agent_files;
mod bad_targets;
mod bad_workflows;
mod large_workflows;
mod durability;
mod program;
