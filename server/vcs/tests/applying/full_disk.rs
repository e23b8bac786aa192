//! A disk that is really full: a small file system of its own, in a namespace where everybody may mount one.

use crate::support::{Sandbox, Wish, Work, command, ready, refusal, write};
use orchestra_core::operation::FileState;
use std::{env, fs, path::PathBuf, process::Command};

const SANDBOX: &str = "ORCHESTRA_TEST_SANDBOX";
const SIZE: usize = 2 << 20;
const FILE: usize = 200 << 10;

#[test]
fn a_disk_that_is_full_after_some_files_costs_the_others_nothing() {
    if let Some(folder) = env::var_os(SANDBOX) {
        return in_the_small_file_system(&Sandbox::at(PathBuf::from(folder)));
    }
    let sandbox = Sandbox::empty();
    let script = format!("mount -t tmpfs -o size={SIZE} tmpfs \"$1\" && shift && exec \"$@\"");
    let run = |program: &[&std::ffi::OsStr]| {
        let mut command = Command::new("unshare");
        command.args(["-rm", "sh", "-c", &script, "sh"]).arg(sandbox.user()).args(program);
        command.env(SANDBOX, sandbox.folder()).output()
    };
    if !run(&["true".as_ref()]).is_ok_and(|output| output.status.success()) {
        eprintln!("no namespace with a file system of its own here: not tested");
        return;
    }
    let name = "full_disk::a_disk_that_is_full_after_some_files_costs_the_others_nothing";
    let program = env::current_exe().unwrap();
    let output =
        run(&[program.as_os_str(), "--exact".as_ref(), name.as_ref(), "--nocapture".as_ref()]);
    let output = output.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

fn in_the_small_file_system(sandbox: &Sandbox) {
    let user = sandbox.user();
    // What git keeps has room.
    let made = command(&user)
        .args(["init", "-q", "--separate-git-dir"])
        .arg(sandbox.path("repository"))
        .output()
        .unwrap();
    assert!(made.status.success());
    let names: Vec<String> = (0..5).map(|number| format!("f{number}")).collect();
    for name in &names {
        write(&user, name, "old\n");
    }
    crate::support::commit(&user, "first");
    let base = sandbox.snapshot();
    let tree = |content: &dyn Fn(usize) -> String| {
        // Made beside, where there is room.
        let agent = sandbox.path("beside");
        fs::create_dir_all(&agent).unwrap();
        for (number, name) in names.iter().enumerate() {
            write(&agent, name, content(number));
        }
        let git = |arguments: &[&str]| {
            let output = command(&agent)
                .env("GIT_DIR", sandbox.path("repository"))
                .env("GIT_WORK_TREE", &agent)
                .env("GIT_INDEX_FILE", sandbox.path("beside-index"))
                .args(arguments)
                .output()
                .unwrap();
            assert!(output.status.success());
            String::from_utf8(output.stdout).unwrap().trim().to_owned()
        };
        git(&["add", "-A"]);
        let tree = git(&["write-tree"]);
        let theirs = git(&["commit-tree", "-p", &base, "-m", "work", &tree]);
        Work { base: base.clone(), theirs }
    };

    let huge = tree(&|number| format!("{number}").repeat(SIZE / 4));
    let message = refusal(sandbox.call(1, &huge, &Wish::default(), None).unwrap());
    assert!(
        message.starts_with(&format!("the files take {} bytes, and ", 5 * (SIZE / 4))),
        "{message}"
    );

    let work = tree(&|number| format!("{number}").repeat(if number == 4 { 100 } else { FILE }));
    let transition = ready(sandbox.call(2, &work, &Wish::default(), None).unwrap());
    // Meanwhile somebody else takes the room, but for two and a half of them.
    let free = SIZE - FILE * 5 / 2;
    write(&user, "somebody-elses", "x".repeat(free));
    let results = sandbox.carry_out_only(2, &transition.files);
    let failed: Vec<&str> = results
        .iter()
        .filter(|result| matches!(&result.state, FileState::Failed { problem } if problem.contains("No space left")))
        .map(|result| result.path.as_str())
        .collect();
    let applied = results.iter().filter(|result| result.state == FileState::Applied).count();
    assert_eq!((applied, failed.len()), (3, 2), "{results:?}");
    assert_eq!(sandbox.read("f4"), "4".repeat(100), "a small one after those that failed");
    for name in &failed {
        assert_eq!(sandbox.read(name), "old\n");
    }
    assert!(!user.join(".orchestra-writing").exists());

    // With room again it goes on.
    fs::remove_file(user.join("somebody-elses")).unwrap();
    crate::support::assert_applied(&sandbox.carry_out_only(2, &transition.files));
}
