//! `orchestra completions`: scripts for the user's shell.

use crate::{arguments::Arguments, commands::Done, failure::Failure};
use clap::CommandFactory as _;

pub(crate) fn print(shell: clap_complete::Shell) -> Result<Done, Failure> {
    clap_complete::generate(shell, &mut Arguments::command(), "orchestra", &mut std::io::stdout());
    Ok(Done::Well)
}
