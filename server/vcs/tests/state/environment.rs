//! What the environment of the daemon does to git, and what it must not. A test cannot change its
//! own environment while others run, so each of these runs itself once more in a process that has it.

use crate::support::{Sandbox, commit, git, make_program, read, write};
use orchestra_vcs::{
    GitError, state,
    trees::{Clean, DiskLimit, Pool, Purpose, Tree, TreeRequest},
};
use std::{env, ffi::OsStr, path::Path, process::Command};

const MARK: &str = "ORCHESTRA_TEST_WITH_ENVIRONMENT";

/// Runs the test called `name` in a process with `variables`; true when that was done here, false
/// in that process.
fn ran_with(name: &str, variables: &[(&str, &OsStr)]) -> bool {
    if env::var_os(MARK).is_some() {
        return false;
    }
    let output = Command::new(env::current_exe().unwrap())
        .args(["--exact", name, "--nocapture"])
        .env(MARK, "yes")
        .envs(variables.iter().copied())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    assert!(text.contains("1 passed"), "no such test: {name}: {text}");
    true
}

/// An id that no repository has.
const NO_COMMIT: &str = "0000000000000000000000000000000000000000";

/// A tree of the repository `user`, in a pool inside its `.git`, where nobody else looks.
fn tree(user: &Path, commit: &str) -> Result<Tree, GitError> {
    Pool::open(user.join(".git/pool"), user.to_owned()).acquire(&TreeRequest {
        purpose: Purpose::Write,
        holder: "r1.1-1",
        commit,
        sparse: &[],
        keep: &[],
        copy: &[],
        clean: Clean::Kept,
        limit: DiskLimit::NONE,
        private: false,
    })
}

#[test]
fn variables_of_a_calling_git_do_not_lead_to_another_repository() {
    let decoy = Sandbox::with_commit();
    write(&decoy.user(), "decoy", "");
    let git_dir = decoy.user().join(".git");
    let (index, objects) = (git_dir.join("index"), git_dir.join("objects"));
    let user = decoy.user();
    if ran_with(
        "environment::variables_of_a_calling_git_do_not_lead_to_another_repository",
        &[
            ("GIT_DIR", git_dir.as_ref()),
            ("GIT_WORK_TREE", user.as_ref()),
            ("GIT_INDEX_FILE", index.as_ref()),
            ("GIT_OBJECT_DIRECTORY", objects.as_ref()),
            ("GIT_NAMESPACE", "other".as_ref()),
            ("GIT_CONFIG_PARAMETERS", "'core.bare=true'".as_ref()),
            ("LC_ALL", "de_DE.UTF-8".as_ref()),
        ],
    ) {
        return;
    }
    let sandbox = Sandbox::with_commit();
    write(&sandbox.user(), "mine", "");
    assert_eq!(state::toplevel(&sandbox.user()).unwrap(), Some(sandbox.user()));
    assert_eq!(state::uncommitted(&sandbox.user(), 9).unwrap().paths, ["mine"]);
    let nowhere = Sandbox::empty();
    assert_eq!(state::toplevel(&nowhere.user()).unwrap(), None);
}

#[test]
fn filters_of_the_user_leave_pointers_as_they_are() {
    let home = tempfile::tempdir().unwrap();
    let trap = home.path().join("lfs");
    make_program(&trap, "#!/bin/sh\necho run >>\"$HOME/trace\"\necho content\n");
    let lfs = format!("[filter \"lfs\"]\nsmudge = {0}\nclean = {0}\nrequired\n", trap.display());
    let ignore = home.path().join("ignore");
    write(home.path(), "ignore", "*.swp\n");
    let settings = format!("{lfs}[core]\nautocrlf = input\nexcludesFile = {}\n", ignore.display());
    write(home.path(), ".gitconfig", settings);
    if ran_with(
        "environment::filters_of_the_user_leave_pointers_as_they_are",
        &[("HOME", home.path().as_os_str()), ("XDG_CONFIG_HOME", "/nonexistent".as_ref())],
    ) {
        assert!(!home.path().join("trace").exists(), "the user's filter was run");
        return;
    }
    let sandbox = Sandbox::with_commit();
    let user = sandbox.user();
    write(&user, ".gitattributes", "*.bin filter=lfs\n");
    write(&user, "a.bin", "pointer\n");
    commit(&user, "big files");
    write(&user, "a.bin", "POINTER\n");
    write(&user, ".README.swp", "");
    assert_eq!(state::uncommitted(&user, 9).unwrap().paths, ["a.bin"]);
    let tree = tree(&user, &git(&user, &["rev-parse", "HEAD"])).unwrap();
    assert_eq!(read(&tree.src, "a.bin"), "pointer\n");
    assert_eq!(git(&tree.src, &["config", "--local", "core.autocrlf"]), "input");
}

#[test]
fn without_git_the_next_step_is_named() {
    // A git in a folder relative to wherever the daemon was started is not taken.
    let relative = tempfile::tempdir().unwrap();
    make_program(&relative.path().join("git"), "#!/bin/sh\necho git version 2.99.0\n");
    let up = "../".repeat(env::current_dir().unwrap().components().count());
    let path = format!("{up}{}:/nonexistent", relative.path().display());
    let variables = [("PATH", path.as_ref())];
    if ran_with("environment::without_git_the_next_step_is_named", &variables) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    for refused in [
        state::version().unwrap_err(),
        state::toplevel(folder.path()).unwrap_err(),
        state::uncommitted(folder.path(), 9).unwrap_err(),
        tree(folder.path(), NO_COMMIT).unwrap_err(),
    ] {
        assert!(matches!(refused, GitError::Missing), "{refused}");
        assert!(refused.hint().contains("install git"));
    }
}

#[test]
fn a_git_that_is_too_old_is_refused_before_it_does_anything() {
    let folder = tempfile::tempdir().unwrap();
    let old = "#!/bin/sh\n[ \"$3\" = version ] || exit 9\necho 'git version 2.25.1'\n";
    make_program(&folder.path().join("git"), old);
    let variables = [("PATH", folder.path().as_os_str())];
    if ran_with("environment::a_git_that_is_too_old_is_refused_before_it_does_anything", &variables)
    {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    for refused in [state::version().unwrap_err(), tree(folder.path(), NO_COMMIT).unwrap_err()] {
        assert_eq!(refused.to_string(), "git 2.25.1 is older than 2.32");
        assert_eq!(refused.hint(), "install git 2.32 or newer");
    }
}
