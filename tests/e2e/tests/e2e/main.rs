//! What a user does with the program, from the outside; one file for each concern.

mod agent_library;
mod agents_inside;
mod approval;
mod asking;
mod bad_agent_files;
mod bad_agents;
mod bad_targets;
mod bad_workflows;
mod built_in_workflows;
mod command_line;
mod durability;
mod evidence;
mod following;
mod handing_over;
mod json_output;
mod large_workflows;
mod messy_trees;
mod program;
mod retrying;
mod scheduling;
mod snapshots;
mod stopping;
mod terminal;
mod together;
mod tools;
mod trusting;
