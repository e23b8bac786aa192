//! Sandboxes in which tests run the real program, with folders of their own and nothing left behind.
//!
//! ```no_run
//! use orchestra_testkit::Sandbox;
//!
//! let sandbox = Sandbox::new();
//! sandbox.git_repo([("src/main.rs", "fn main() {}\n")]);
//! let outcome = sandbox.orchestra(["run", "audit"]).run().success();
//! assert!(outcome.stdout.contains("r1"));
//! ```

mod agents;
mod cmd;
mod dice;
mod eventually;
mod gate;
mod git;
mod processes;
mod program;
mod running;
mod runs;
mod sandbox;
mod simulated_model;
mod size;
mod terminal;
mod tools;
mod untouched;

pub use cmd::{Cmd, Outcome};
pub use dice::Dice;
pub use eventually::eventually;
pub use gate::{Arrived, Gate};
pub use processes::{Process, processes_with_marker};
pub use program::orchestra;
pub use running::Running;
pub use rustix::process::Signal;
pub use sandbox::Sandbox;
pub use simulated_model::{Act, Asked, SimulatedModel, Used};
pub use size::{Size, seed, size};
pub use terminal::{CTRL_C, Terminal};
pub use untouched::Untouched;
