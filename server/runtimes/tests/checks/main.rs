//! Checks: what the output of real runners says, what is missing, what is remembered.

mod golden;
