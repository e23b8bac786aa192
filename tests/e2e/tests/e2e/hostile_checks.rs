//! Checks that misbehave: they are code of the workspace, so an agent may have written them.

use crate::surroundings::Surroundings;
use orchestra_testkit::Sandbox;
use serde_json::Value;
use std::{fs, os::unix::fs::PermissionsExt as _, path::PathBuf};

/// A sandbox in which the work of an agent is checked by this script, which the agent itself brings.
fn checked_by(script: &str) -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("check.sh", "exit 0\n");
    sandbox.agent_script_with(
        "coder",
        "writes: true",
        &format!("cat > check.sh <<'END'\n{script}\nEND"),
    );
    sandbox
        .workflow("w", "steps:\n  - { id: a, agent: coder, prompt: go, verify: [sh check.sh] }\n");
    sandbox.configure("verify.timeout = \"20s\"\nattempt.grace = \"50ms\"\n");
    sandbox.git_repo([("readme.txt", "hello\n")]).trust();
    sandbox
}

fn check(sandbox: &Sandbox, task: &str) -> Value {
    sandbox.show(task)["output"]["evidence"]["checks"][0]["on_result"].clone()
}

#[test]
fn a_check_that_forks_is_ended_with_all_its_descendants() {
    let sandbox = checked_by(
        "trap '' TERM HUP\n\
         fork() { n=$1; [ $n -gt 0 ] || exec sleep 1000; fork $((n - 1)) & fork $((n - 1)) & wait; }\n\
         fork 6 & (setsid env -i sh -c 'trap \"\" TERM; sleep 1000 & setsid sleep 1000 & wait' &)\n\
         exit 0",
    );
    sandbox.orchestra(["run", "w"]).run().success();
    let sleeping =
        |process: &orchestra_testkit::Process| process.command_line.contains("sleep 1000");
    let left: Vec<_> = sandbox.processes().into_iter().filter(sleeping).collect();
    assert_eq!(left, []);
    assert_eq!(sandbox.leases(), Vec::<PathBuf>::new());
}

#[test]
fn a_check_reaches_nothing_of_the_user_nor_the_agents_tree() {
    let sandbox = checked_by(
        "refused=0\nfor file in \"$HOME/.gitconfig\" ../../w1/src/readme.txt ../../w1.contents \
         WORKSPACE/readme.txt WORKSPACE/.git/config; do\n  \
         (echo x >> \"$file\") 2>&1 | grep 'Permission denied' && refused=$((refused + 1))\ndone\n\
         git -C WORKSPACE config a.b c 2>&1 | grep 'Permission denied' && refused=$((refused + 1))\n\
         echo \"$refused refused\"; exit 1",
    );
    let workspace = sandbox.workspace().display().to_string();
    let script = sandbox.read(".orchestra/bin/coder").replace("WORKSPACE", &workspace);
    sandbox.write(".orchestra/bin/coder", script);
    sandbox.git_commit("with the path of the workspace");
    sandbox.trust();
    let (workspace, home) =
        (sandbox.untouched(sandbox.workspace()), sandbox.untouched(sandbox.home()));
    sandbox.orchestra(["run", "w"]).run().code(1);
    sandbox.assert_untouched(&workspace);
    sandbox.assert_untouched(&home);
    let said = check(&sandbox, "r1.1")["last_lines"].to_string();
    if sandbox.show("r1.1")["output"]["confined"]["abi"].is_null() {
        println!("the kernel does not hold checks here");
        return;
    }
    assert!(said.contains("6 refused"), "{said}");
}

#[test]
fn links_that_a_set_up_command_leaves_lead_nobody_out_of_the_slot() {
    let sandbox = Sandbox::new();
    let (login, victim) = (sandbox.home().join(".agent"), sandbox.home().join("victim"));
    sandbox.write(
        ".orchestra/agents/coder.md",
        "---\nname: coder\ndescription: a script of a test\nruntime: cli\nwrites: true\n\
         command: [.orchestra/bin/coder, \"{prompt_file}\"]\nenv: [AGENT_HOME]\n\
         state: [$AGENT_HOME]\nstate_mode: private\n\
         ---\nYou write code.\n",
    );
    let agent = sandbox.write(
        ".orchestra/bin/coder",
        "#!/bin/sh\ngrep -q 'do the work' \"$1\" && cp \"$AGENT_HOME/auth.json\" login.txt\n",
    );
    fs::set_permissions(agent, fs::Permissions::from_mode(0o755)).unwrap();
    sandbox.write(
        "setup.sh",
        format!(
            "mkdir -p ../out/input ../tmp/state\n\
             for name in prompt.md plan.md mcp.json; do ln -s '{0}'/auth.json ../out/input/$name; done\n\
             ln -s '{0}' ../tmp/state/0\n",
            victim.display()
        ),
    );
    for (folder, text) in [(&login, "login\n"), (&victim, "precious\n")] {
        fs::create_dir(folder).unwrap();
        fs::write(folder.join("auth.json"), text).unwrap();
    }
    sandbox.write(".orchestra/config.toml", "tree.setup = [\"sh setup.sh\"]\n");
    sandbox.git_repo([("readme.txt", "hello\n")]).trust();
    let home = sandbox.untouched(sandbox.home());
    let start = sandbox.orchestra(["start", "coder", "do the work", "--follow"]);
    let ended = start.env("AGENT_HOME", &login).run();
    sandbox.assert_untouched(&home);
    ended.success();
    let change = sandbox.show("r1.1")["output"]["change"].clone();
    assert_eq!(change["paths"][0]["path"], "login.txt", "{change:#}");
}

#[test]
fn a_check_that_fills_the_disk_fails_alone_and_the_next_run_has_room() {
    let sandbox = checked_by("cat /dev/zero > \"$TMPDIR/ballast\"");
    let data = sandbox.data().parent().unwrap().display().to_string();
    let mounts = format!("mount -t tmpfs -o size=8m,mode=700 none '{data}'");
    let _disk = match Surroundings::enter(&sandbox, &mounts) {
        Ok(disk) => disk,
        Err(refusals) => return println!("no small disk can be had here: {refusals}"),
    };
    sandbox.orchestra(["run", "w"]).run().code(1);
    let said = check(&sandbox, "r1.1");
    assert!(said["last_lines"].to_string().contains("No space left on device"), "{said:#}");
    assert_eq!(sandbox.leases(), Vec::<PathBuf>::new());
    // What it has filled was its own, and goes with its slot.
    sandbox.agent_script_with(
        "coder",
        "writes: true",
        "echo fine > check.sh; echo true > check.sh",
    );
    sandbox.trust();
    sandbox.orchestra(["run", "w"]).run().success();
}

#[test]
fn what_an_agent_made_before_the_disk_was_full_is_taken_over_and_the_next_has_room() {
    let sandbox = Sandbox::new();
    sandbox.agent_script_with(
        "filler",
        "writes: true",
        "echo small > small.txt; cat /dev/zero > ballast; exit 0",
    );
    sandbox.agent_script_with("modest", "writes: true", "echo fine > fine.txt");
    sandbox.configure("collect.file_limit = \"1MiB\"\ndecision.timeout = \"50ms\"\n");
    sandbox.git_repo([("readme.txt", "hello\n")]).trust();
    let data = sandbox.data().parent().unwrap().display().to_string();
    let mounts = format!("mount -t tmpfs -o size=8m,mode=700 none '{data}'");
    let _disk = match Surroundings::enter(&sandbox, &mounts) {
        Ok(disk) => disk,
        Err(refusals) => return println!("no small disk can be had here: {refusals}"),
    };
    let start = |agent: &str| sandbox.orchestra(["start", agent, "go", "--follow"]).run();
    start("filler").success().stdout_has("No space left on device");
    let change = sandbox.show("r1.1")["output"]["change"].clone();
    assert_eq!(change["paths"][0]["path"], "small.txt", "{change:#}");
    assert_eq!(change["held"][0]["path"], "ballast", "{change:#}");
    start("modest").success();
    assert_eq!(sandbox.show("r2.1")["output"]["change"]["paths"][0]["path"], "fine.txt");
    assert_eq!(sandbox.leases(), Vec::<PathBuf>::new());
}
