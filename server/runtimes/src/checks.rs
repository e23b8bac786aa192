//! The commands that check work: how they are started, what their output says, and what is remembered
//! of it.

mod cache;
mod compare;
mod lines;
mod missing;
mod parse;
mod prepare;
mod ran;
mod report;
mod setup;

pub use cache::{Bounds, CheckCache, Key};
pub use compare::{Comparison, compare};
pub use parse::parse;
pub use prepare::{CheckRequest, Unready, prepare};
pub use ran::{Ran, check};
pub use report::{MAX_TESTS, PlacedFinding, TestCase, TestReport, TestStatus};
pub use setup::{SetupInputs, setup_key};
