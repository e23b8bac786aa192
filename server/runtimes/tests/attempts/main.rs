//! Attempts with real processes, from the spawn of the shim to its result.
//!
//! A shim is this very program started anew, so the executable of the tests is shim and confine, too.

// Always true here; clippy knows by it that this is test code.
#[cfg(test)]
mod scenarios;

use libtest_mimic::{Arguments, Trial};
use std::{env, process::ExitCode};

fn main() -> ExitCode {
    let mut arguments = env::args_os().skip(1);
    match arguments.next().as_deref().and_then(|first| first.to_str()) {
        Some("__shim") => return orchestra_runtimes::shim::main(arguments),
        Some("__mcp") => return orchestra_runtimes::mcp::main(),
        Some("__confine") => return orchestra_runtimes::confine::main(arguments),
        Some("__sandbox") => return orchestra_runtimes::confine::sandbox_main(arguments),
        Some(scenarios::CALLS) => return scenarios::calls(arguments),
        Some(scenarios::STARTED) => return scenarios::started(arguments),
        Some(scenarios::ATTACK) => return scenarios::attack(arguments),
        Some(scenarios::TABLE) => return scenarios::run_table(arguments),
        Some(scenarios::TINY_DISK) => return scenarios::on_tiny_disk(arguments),
        _ => {}
    }
    let trials = scenarios::all().map(|(name, run)| {
        Trial::test(name, move || {
            run();
            Ok(())
        })
    });
    libtest_mimic::run(&Arguments::from_args(), trials.collect()).exit_code()
}
