//! The files below `.orchestra/`: deleted, unwritable, or led elsewhere, they cost nothing but a rebuild.

use super::crew::{Crew, LIMIT};
use crate::surroundings::Surroundings;
use orchestra_testkit::{Sandbox, eventually};
use std::{collections::BTreeMap, fs, os::unix::fs::symlink, path::Path};

#[test]
fn git_clean_in_the_middle_of_a_run_costs_nothing() {
    deleted_in_the_middle(|crew| {
        // It gives up on a folder into which something is written meanwhile, as a person would not.
        eventually("everything is removed", LIMIT, || {
            let clean = crew.sandbox.command("git").args(["clean", "--quiet", "-fdx"]).run();
            clean.status.success().then_some(())
        });
    });
}

#[test]
fn the_whole_folder_deleted_in_the_middle_of_a_run_costs_nothing() {
    deleted_in_the_middle(|crew| {
        // At once: a removal file by file would meet those that are written meanwhile.
        let outside = crew.sandbox.outside();
        let gone = outside.join(format!("gone-{}", fs::read_dir(&outside).unwrap().count()));
        fs::rename(crew.sandbox.workspace().join(".orchestra"), gone).unwrap();
        // What people have written comes back as they know how.
        crew.sandbox.git(["checkout", "--quiet", "--", ".orchestra"]);
    });
}

#[track_caller]
fn deleted_in_the_middle(delete: impl Fn(&Crew)) {
    let crew = Crew::at_gates();
    crew.start_run();
    let at_work = crew.both_at_work();
    crew.sandbox.wait_for_status("r1/look", "succeeded");
    delete(&crew);
    drop(at_work);

    crew.wait_for_end("r1").success();
    crew.sandbox.orchestra(["rebuild"]).run().success();
    crew.check("r1");
    let before = files(&crew.sandbox.workspace().join(".orchestra"));
    for name in ["plans/r1.md", "plans/r1.status.md", "tasks/r1.4.done", "workspace/notes/join.md"]
    {
        assert!(before.contains_key(name), "{name} is missing among {:?}", before.keys());
    }

    delete(&crew);
    crew.sandbox.orchestra(["rebuild"]).run().success();
    let after = files(&crew.sandbox.workspace().join(".orchestra"));
    assert_eq!(before.keys().collect::<Vec<_>>(), after.keys().collect::<Vec<_>>());
    for (name, content) in &before {
        assert!(
            after[name] == *content,
            "{name} differs: {}",
            String::from_utf8_lossy(&after[name])
        );
    }
}

#[test]
fn in_a_read_only_workspace_natives_work_agents_say_why_not_and_files_are_behind() {
    let crew = Crew::new();
    let natives = "steps:\n  - { id: look, action: todo.scan }\n  - { id: report, action: \
                   report.write, needs: [look], output: documentation/report.md }\n";
    crew.sandbox.workflow("natives", natives);
    let workspace = crew.sandbox.workspace().display().to_string();
    let mounts = format!(
        "mount --bind '{workspace}' '{workspace}'; \
         mount -o remount,bind,ro '{workspace}'"
    );
    let _read_only = match Surroundings::enter(&crew.sandbox, &mounts) {
        Ok(read_only) => read_only,
        Err(refusals) => {
            println!("no read-only workspace can be had here: {refusals}");
            return;
        }
    };
    crew.sandbox.command("touch").arg("probe").run().code(1).stderr_has("Read-only file system");

    let outcome = crew.sandbox.orchestra(["run", "natives"]).limit(LIMIT).run().success();
    outcome.stdout_has("r1 succeeded");
    let status = crew.sandbox.orchestra(["status"]).run().success();
    status.stdout_has("files are behind").stdout_has("Read-only file system");
    let agent = crew.sandbox.orchestra(["start", "left", "go", "-f"]).limit(LIMIT).run().code(1);
    agent.stdout_has("take a snapshot").stdout_has("Read-only file system");

    let writable = format!("mount -o remount,bind,rw '{workspace}'");
    crew.sandbox.command("sh").args(["-c", &writable]).run().success();
    crew.sandbox.orchestra(["rebuild"]).run().success();
    let report = crew.sandbox.read(".orchestra/workspace/documentation/report.md");
    assert!(report.contains("TODO: greet"), "{report}");
    crew.sandbox.orchestra(["retry", "r2"]).run().success();
    crew.wait_for_end("r2").success();
}

#[test]
fn nothing_is_written_through_a_link_that_leads_out_of_the_workspace() {
    let sandbox = Sandbox::new();
    sandbox.git_repo([("main.rs", "fn main() {} // TODO: greet\n")]);
    let elsewhere = sandbox.root().join("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    symlink(&elsewhere, sandbox.workspace().join(".orchestra")).unwrap();

    sandbox.orchestra(["run", "audit"]).limit(LIMIT).run().success();

    assert_eq!(fs::read_dir(&elsewhere).unwrap().count(), 0, "something was written elsewhere");
    let status = sandbox.orchestra(["status"]).run().success();
    status.stdout_has("files are behind").stdout_has(".orchestra");
    // With a folder of its own everything is there after all.
    fs::remove_file(sandbox.workspace().join(".orchestra")).unwrap();
    sandbox.orchestra(["rebuild"]).run().success();
    assert!(sandbox.workspace().join(".orchestra/tasks/r1.1.done").exists());
}

/// Every file below a folder, by its path in it.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(current) = folders.pop() {
        for path in fs::read_dir(current).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(folder).unwrap().display().to_string();
                found.insert(name, fs::read(&path).unwrap());
            }
        }
    }
    found
}
