//! `orchestra __sandbox`: a helper that runs to its end and is held on the way, such as git where it looks at
//! files that an agent could write. No shim watches over it: whoever starts it waits for it.

use super::{Held, Scope, hold};
use crate::shim::exit;
use orchestra_core::confinement::SandboxChoice;
use std::{
    ffi::OsString,
    io::{self, Write as _},
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::{Command, ExitCode, Stdio},
};

/// The first argument by which this program knows that it is to hold itself and become a helper.
const SANDBOX: &str = "__sandbox";

/// It could not be held, or the helper could not be run.
const REFUSED: u8 = 126;

/// Program, argument zero and first arguments of a command that holds itself to `scope` before it becomes
/// the program that is given by the arguments which follow. `require`: it exits with 126 when the kernel
/// does not hold it; otherwise it goes on.
pub fn command(scope: &Scope, require: bool) -> io::Result<(PathBuf, OsString, Vec<OsString>)> {
    let program = crate::attempt::this_program()?;
    let mut arguments =
        vec![OsString::from(SANDBOX), "--choice".into(), scope.choice.to_string().into()];
    for (option, paths) in [("--write", &scope.write), ("--hide", &scope.hidden)] {
        for path in paths {
            arguments.extend([OsString::from(option), path.into()]);
        }
    }
    if require {
        arguments.push("--require".into());
    }
    arguments.push("--".into());
    Ok((PathBuf::from(program.get_program()), crate::attempt::NAME.into(), arguments))
}

/// Whether the kernel of this machine holds what is started with this choice: it is tried out.
pub fn can_hold(choice: SandboxChoice) -> bool {
    let scope = Scope { choice, ..Scope::default() };
    let Ok((program, zero, arguments)) = command(&scope, true) else { return false };
    let mut tried = Command::new(program);
    tried.arg0(zero).args(arguments).arg("true");
    tried.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    tried.status().is_ok_and(|status| status.success())
}

/// Becomes the helper, so it returns only when that failed.
pub fn main(arguments: impl Iterator<Item = OsString>) -> ExitCode {
    let Some(Call { scope, require, program, arguments }) = Call::read(arguments) else {
        complain("it takes --write, --hide, --choice, --require, --, and a program");
        return exit::USAGE.into();
    };
    let shown = Path::new(&program).display().to_string();
    match hold(&scope, None, program, arguments) {
        Ok((Held { confinement, problem }, mut command)) => {
            if require && !confinement.is_kernel() {
                let problem = problem.unwrap_or_else(|| format!("the sandbox is `{confinement}`"));
                complain(&format!("{shown} does not run unconfined: {problem}"));
            } else {
                let error = command.exec();
                complain(&format!("{shown}: {error}"));
            }
        }
        Err(refused) => complain(&format!("{shown} does not run: {refused}; {}", refused.hint())),
    }
    REFUSED.into()
}

fn complain(problem: &str) {
    // There is nobody else to tell when this fails.
    let _ = writeln!(io::stderr(), "orchestra {SANDBOX}: {problem}");
}

struct Call {
    scope: Scope,
    require: bool,
    program: OsString,
    arguments: Vec<OsString>,
}

impl Call {
    fn read(mut arguments: impl Iterator<Item = OsString>) -> Option<Self> {
        let mut scope = Scope::default();
        let mut require = false;
        loop {
            match arguments.next()?.to_str()? {
                "--write" => scope.write.push(arguments.next()?.into()),
                "--hide" => scope.hidden.push(arguments.next()?.into()),
                "--choice" => {
                    let word = arguments.next()?;
                    let choices = SandboxChoice::WORDS;
                    scope.choice = choices.iter().find(|(name, _)| word == *name)?.1;
                }
                "--require" => require = true,
                "--" => break,
                _ => return None,
            }
        }
        let program = arguments.next()?;
        Some(Self { scope, require, program, arguments: arguments.collect() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_says_what_the_command_was_made_from() {
        let scope = Scope {
            write: vec!["/a b".into(), "/--".into()],
            hidden: vec!["/run".into()],
            choice: SandboxChoice::Bubblewrap,
        };
        let (program, zero, mut arguments) = command(&scope, true).unwrap();
        assert_eq!((program, zero), ("/proc/self/exe".into(), "orchestra".into()));
        assert_eq!(arguments.remove(0), SANDBOX);
        arguments.extend(["git", "--", "x"].map(OsString::from));
        let call = Call::read(arguments.into_iter()).unwrap();
        assert_eq!((call.scope, call.require, call.program), (scope, true, "git".into()));
        assert_eq!(call.arguments, ["--", "x"]);
        for wrong in [&["--write"][..], &["--"], &["git"], &["--choice", "any", "--", "git"]] {
            assert!(Call::read(wrong.iter().map(OsString::from)).is_none(), "{wrong:?}");
        }
    }
}
