//! Which `orchestra` the tests run.

use std::{env, path::PathBuf};

/// `$ORCHESTRA_BIN`, else the program that the same build put beside the tests' own folder.
///
/// # Panics
/// When it has not been built.
pub fn orchestra() -> PathBuf {
    let program = match env::var_os("ORCHESTRA_BIN") {
        Some(program) => PathBuf::from(program),
        None => {
            // target/debug/deps/<test> runs target/debug/orchestra; so does target/debug/<program>.
            let test = env::current_exe().expect("a test knows its own path");
            let deps = test.parent().expect("a program lies in a folder");
            let build = if deps.ends_with("deps") { deps.parent().unwrap_or(deps) } else { deps };
            build.join("orchestra")
        }
    };
    assert!(
        program.is_file(),
        "there is no {}: run cargo xtask test, or cargo build -p orchestra --features failpoints",
        program.display()
    );
    program
}
