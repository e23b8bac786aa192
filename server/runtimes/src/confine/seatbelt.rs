//! macOS: the same scope as a profile of `sandbox-exec`. The text is tested; no Mac has run it yet.

use super::Scope;
use std::{fmt::Write as _, path::Path};

/// The command that runs the program inside.
#[cfg(target_os = "macos")]
pub(super) fn command(
    scope: &Scope,
    program: std::ffi::OsString,
    arguments: Vec<std::ffi::OsString>,
) -> std::process::Command {
    let mut command = std::process::Command::new("/usr/bin/sandbox-exec");
    command.args(["-p", &profile(scope)]).arg(program).args(arguments);
    command
}

/// Later rules win.
fn profile(scope: &Scope) -> String {
    let mut profile = String::from(
        "(version 1)\n\
         (allow default)\n\
         (deny file-write*)\n\
         (deny signal (target others))\n\
         (allow signal (target same-sandbox))\n",
    );
    for device in ["/dev/null", "/dev/zero", "/dev/random", "/dev/urandom", "/dev/tty", "/dev/ptmx"]
    {
        // Writing into a string cannot fail.
        let _ = writeln!(profile, "(allow file-write* (literal {}))", quoted(Path::new(device)));
    }
    profile.push_str("(allow file-write* (regex #\"^/dev/ttys[0-9]+$\"))\n");
    for path in &scope.write {
        let _ = writeln!(profile, "(allow file-write* (subpath {}))", quoted(path));
    }
    for path in &scope.hidden {
        let _ = writeln!(profile, "(deny file-read-data (subpath {}))", quoted(path));
    }
    profile
}

/// The kernel compares real paths.
fn quoted(path: &Path) -> String {
    let path = super::scope::resolved(path).to_string_lossy().into_owned();
    format!("\"{}\"", path.replace('\\', "\\\\").replace('"', "\\\""))
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;
    use orchestra_core::confinement::SandboxChoice;

    #[test]
    fn the_profile_follows_from_the_scope_and_no_path_breaks_out_of_it() {
        let scope = Scope {
            write: vec!["/no/slot/src".into(), "/no/\"))(allow default)\\".into()],
            hidden: vec!["/no/run/orchestra".into()],
            choice: SandboxChoice::Auto,
        };
        expect![[r#"
            (version 1)
            (allow default)
            (deny file-write*)
            (deny signal (target others))
            (allow signal (target same-sandbox))
            (allow file-write* (literal "/dev/null"))
            (allow file-write* (literal "/dev/zero"))
            (allow file-write* (literal "/dev/random"))
            (allow file-write* (literal "/dev/urandom"))
            (allow file-write* (literal "/dev/tty"))
            (allow file-write* (literal "/dev/ptmx"))
            (allow file-write* (regex #"^/dev/ttys[0-9]+$"))
            (allow file-write* (subpath "/no/slot/src"))
            (allow file-write* (subpath "/no/\"))(allow default)\\"))
            (deny file-read-data (subpath "/no/run/orchestra"))
        "#]]
        .assert_eq(&profile(&scope));
    }
}
