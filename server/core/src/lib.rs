//! The domain of Orchestra, sans I/O: types, plan checking, and the pure functions that decide what
//! happens next. It knows no clock, no file, no process; whoever calls it brings those.

pub mod agent;
pub mod agent_file;
pub mod apply;
pub mod capability;
pub mod catalog;
pub mod change;
pub mod command;
pub mod config;
pub mod confinement;
mod context;
pub mod decide;
pub mod decision;
pub mod diagnostic;
pub mod event;
pub mod evidence;
pub mod folders;
pub mod ids;
pub mod memory;
pub mod merge;
pub mod operation;
pub mod outcome;
pub mod pending;
pub mod plan;
pub mod planner;
pub mod ports;
pub mod provenance;
pub mod review;
pub mod selection;
pub mod snapshot;
mod source;
pub mod state;
pub mod template;
pub mod time;
pub mod view;
mod view_of;
pub mod workflow;
