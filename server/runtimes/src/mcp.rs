//! `orchestra __mcp`: the tools of an agent, as an MCP server on standard input and output that relays to
//! the shim of the attempt.

mod answer;
mod contact;
mod relay;
mod tools;
pub(crate) mod wire;

use relay::Relay;
use rmcp::ServiceExt as _;
use rustix::thread::set_name;
use std::{
    error::Error,
    io::{self, Write as _},
    process::ExitCode,
};
use tools::Tools;

/// Serves until standard input ends.
pub fn main() -> ExitCode {
    match serve() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Nobody reads it where standard error is closed.
            let _ = writeln!(io::stderr(), "orchestra: failed to serve the tools: {error}");
            ExitCode::FAILURE
        }
    }
}

fn serve() -> Result<(), Box<dyn Error>> {
    set_name(c"orchestra-mcp")?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let served = runtime.block_on(async {
        let server =
            Tools::new(Relay::new(contact::find())).serve(rmcp::transport::stdio()).await?;
        server.waiting().await?;
        Ok(())
    });
    // A thread may still read standard input.
    runtime.shutdown_background();
    served
}
