//! Slots that go away.

use crate::support::{Sandbox, read, write};
use orchestra_vcs::clone;
use std::{
    fs,
    io::{self, Read as _},
    process::{Command, Stdio},
};

#[test]
fn a_removed_slot_is_gone_and_the_repository_is_not() {
    let sandbox = Sandbox::with_commit();
    let made = sandbox.clone().unwrap();
    // A link of an agent that leads out of the slot.
    std::os::unix::fs::symlink(sandbox.user(), made.tmp.join("link")).unwrap();

    clone::remove(&sandbox.slot()).unwrap();

    assert_eq!(sandbox.slots(), [""; 0]);
    assert_eq!(read(&sandbox.user(), "README"), "hello\n");
    sandbox.clone().unwrap();
}

#[test]
fn removing_what_is_not_there_is_done_already() {
    let sandbox = Sandbox::empty();
    clone::remove(&sandbox.slot()).unwrap();
    assert!(!sandbox.path("trees").exists());
}

#[test]
fn what_a_crash_left_of_a_removal_goes_with_the_next() {
    let sandbox = Sandbox::with_commit();
    sandbox.clone().unwrap();
    fs::rename(sandbox.slot(), sandbox.path("trees/r1.1-1.removed")).unwrap();
    clone::remove(&sandbox.slot()).unwrap();
    assert_eq!(sandbox.slots(), [""; 0]);

    write(&sandbox.path("trees/r1.1-1.removed"), "half", "");
    sandbox.clone().unwrap();
    clone::remove(&sandbox.slot()).unwrap();
    assert_eq!(sandbox.slots(), [""; 0]);
}

#[test]
fn a_slot_in_which_the_git_of_a_killed_daemon_still_writes_is_removed() {
    let sandbox = Sandbox::empty();
    let partial = sandbox.path("trees/r1.1-1.partial");
    fs::create_dir_all(partial.join("src")).unwrap();
    // As git does it: below the folder in which it works, wherever that has gone.
    let script = "i=0; while mkdir -p d$i; do : > d$i/f; echo; i=$((i+1)); done 2> /dev/null";
    let mut writer = Command::new("sh")
        .args(["-c", script])
        .current_dir(partial.join("src"))
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut output = writer.stdout.take().unwrap();
    // It is in the middle of its work.
    output.read_exact(&mut [0; 50]).unwrap();
    let draining = std::thread::spawn(move || io::copy(&mut output, &mut io::sink()));

    clone::remove(&sandbox.slot()).unwrap();

    assert!(!partial.exists());
    writer.wait().unwrap();
    draining.join().unwrap().unwrap();
}
