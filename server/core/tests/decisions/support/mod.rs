//! Small plans, a shell that lives in memory, and what must hold whatever happens.

mod invariants;
mod operations;
mod outcomes;
mod plans;
mod simulator;

pub(crate) use operations::*;
pub(crate) use outcomes::*;
pub(crate) use plans::{PlanBuilder, plan};
pub(crate) use simulator::{Simulator, limits};
