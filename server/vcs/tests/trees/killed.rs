//! What a git of a daemon that was killed still writes stops nobody from deleting its slot.

use crate::support::Sandbox;
use std::{
    io::{self, Read as _},
    process::{Command, Stdio},
};

#[test]
fn a_slot_in_which_the_git_of_a_killed_daemon_still_writes_is_removed() {
    let sandbox = Sandbox::with_commit();
    let tree = sandbox.tree("r1.1-1");
    // As git does it: below the folder in which it works, wherever that has gone.
    let script = "i=0; while mkdir -p d$i; do : > d$i/f; echo; i=$((i+1)); done 2> /dev/null";
    let mut writer = Command::new("sh")
        .args(["-c", script])
        .current_dir(&tree.src)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut output = writer.stdout.take().unwrap();
    // It is in the middle of its work.
    output.read_exact(&mut [0; 50]).unwrap();
    let draining = std::thread::spawn(move || io::copy(&mut output, &mut io::sink()));

    sandbox.pool.discard("r1.1-1").unwrap();

    assert_eq!(sandbox.names(), [""; 0]);
    writer.wait().unwrap();
    draining.join().unwrap().unwrap();
}
