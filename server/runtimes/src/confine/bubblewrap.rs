//! bubblewrap: the same scope as a view of the file system made of bind mounts, for whoever asks for it.

use super::{Refused, Scope};
use rustix::fs::{Access, access};
use std::{
    env,
    ffi::OsString,
    path::{Path, PathBuf},
    process::Command,
};

const PROGRAM: &str = "bwrap";

/// The command that runs the program inside.
pub(super) fn command(
    scope: &Scope,
    program: OsString,
    arguments: Vec<OsString>,
) -> Result<Command, Refused> {
    let bubblewrap = find().ok_or(Refused::NoBubblewrap)?;
    let mut command = Command::new(bubblewrap);
    command.args(view(scope)).arg("--").arg(program).args(arguments);
    Ok(command)
}

/// From absolute entries only: a relative one would find what the workspace brings.
fn find() -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    let is_program = |path: &PathBuf| path.is_file() && access(path, Access::EXEC_OK).is_ok();
    env::split_paths(&path)
        .filter(|folder| folder.is_absolute())
        .map(|folder| folder.join(PROGRAM))
        .find(is_program)
}

/// No namespace for processes: the shim finds everything that was started by its number. The user
/// namespace keeps the memory and environments of all other processes closed, and is all that an
/// unprivileged bubblewrap has to make the mounts with.
fn view(scope: &Scope) -> Vec<OsString> {
    let mut arguments: Vec<OsString> =
        ["--unshare-user", "--cap-drop", "ALL", "--die-with-parent", "--ro-bind", "/", "/"]
            .map(OsString::from)
            .into();
    // A new one: no disks, no other terminals.
    arguments.extend(["--dev", "/dev"].map(OsString::from));
    let exists = |path: &&PathBuf| path.symlink_metadata().is_ok();
    // Before what may be written to, which may lie inside.
    for hidden in scope.hidden.iter().filter(exists) {
        arguments.extend([OsString::from("--tmpfs"), hidden.into()]);
    }
    for write in scope.write.iter().filter(exists) {
        bind(&mut arguments, write);
    }
    arguments
}

fn bind(arguments: &mut Vec<OsString>, path: &Path) {
    arguments.extend([OsString::from("--bind"), path.into(), path.into()]);
}

#[cfg(test)]
mod tests {
    use super::*;
    use orchestra_core::confinement::SandboxChoice;

    #[test]
    fn the_view_follows_from_the_scope() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        for name in ["src", "run"] {
            std::fs::create_dir(at(name)).unwrap();
        }
        let scope = Scope {
            write: vec![at("src"), at("missing")],
            hidden: vec![at("run")],
            choice: SandboxChoice::Bubblewrap,
        };
        let (src, run) = (at("src").display().to_string(), at("run").display().to_string());
        let expected = format!(
            "--unshare-user --cap-drop ALL --die-with-parent --ro-bind / / --dev /dev \
             --tmpfs {run} --bind {src} {src}"
        );
        let view: Vec<String> =
            view(&scope).into_iter().map(|argument| argument.into_string().unwrap()).collect();
        assert_eq!(view.join(" "), expected);
    }
}
