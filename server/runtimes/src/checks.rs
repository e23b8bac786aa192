//! The commands that check work: how they are started, what their output says, and what is remembered
//! of it.

mod compare;
mod lines;
mod parse;
mod report;

pub use compare::{Comparison, compare};
pub use parse::parse;
pub use report::{MAX_TESTS, PlacedFinding, TestCase, TestReport, TestStatus};
