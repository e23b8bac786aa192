//! The `orchestra` binary: command line, daemon and shims.

mod arguments;
mod commands;
mod daemon;
mod failure;
mod pager;
mod session;
mod show;
mod tracing_setup;

use std::process::ExitCode;

fn main() -> ExitCode {
    // A shim runs for every attempt, up to a thousand at once: it must not pay for anything below.
    let mut arguments = std::env::args_os().skip(1);
    match arguments.next().as_deref().and_then(|first| first.to_str()) {
        Some("__shim") => return orchestra_runtimes::shim::main(arguments),
        Some("__mcp") => return orchestra_runtimes::mcp::main(),
        Some("__confine") => return orchestra_runtimes::confine::main(arguments),
        Some("__sandbox") => return orchestra_runtimes::confine::sandbox_main(arguments),
        _ => {}
    }
    commands::main()
}
