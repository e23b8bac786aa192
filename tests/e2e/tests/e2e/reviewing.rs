//! What a person does with the work of a run: looks at it, judges it, applies it, takes it back.

use orchestra_testkit::{Cmd, Outcome, Process, Sandbox, Terminal};
use serde_json::Value;
use std::{fs, time::Duration};

const LIMIT: Duration = Duration::from_secs(30);

/// Lines enough for two hunks.
const BEFORE: &str = "one\ntwo\nthree\n4\n5\n6\n7\n8\n9\n10\neleven\ntwelve\n";
const AFTER: &str = "ONE\ntwo\nthree\n4\n5\n6\n7\n8\n9\n10\neleven\nTWELVE\n";

/// A run whose agent has changed both ends of a file and added another one: three hunks.
fn reviewed() -> Sandbox {
    let sandbox = Sandbox::new();
    let script = "sed -i 's/^one$/ONE/; s/^twelve$/TWELVE/' count.txt; echo new > added.txt";
    sandbox.agent_script_with("writer", "writes: true", script);
    sandbox.git_repo([("count.txt", BEFORE), ("other.txt", "mine\n")]).trust();
    sandbox.orchestra(["start", "writer", "shout", "--follow"]).run().success();
    sandbox
}

fn review(sandbox: &Sandbox) -> Value {
    sandbox.orchestra(["review", "r1", "--json"]).run().success().json()
}

/// The ids of all hunks: that of the new file, then the two of the changed one.
fn hunks(sandbox: &Sandbox) -> Vec<String> {
    let review = review(sandbox);
    let files = review["data"]["files"].as_array().cloned().unwrap_or_default();
    let hunks = files.iter().flat_map(|file| file["hunks"].as_array().cloned().unwrap_or_default());
    hunks.map(|hunk| hunk["id"].as_str().expect("an id").to_owned()).collect()
}

fn orchestra(sandbox: &Sandbox, line: &str) -> Cmd {
    sandbox.orchestra(line.split(' '))
}

#[track_caller]
fn done(sandbox: &Sandbox, line: &str) -> Outcome {
    orchestra(sandbox, line).run().success()
}

#[test]
fn a_review_reads_well_in_a_pipe_and_as_a_patch_that_git_takes() {
    let sandbox = reviewed();
    let ids = hunks(&sandbox);
    let text = done(&sandbox, "review r1");
    let [added, first, second] = ids.as_slice() else { panic!("{ids:?}") };
    text.stdout_has("review open: 2 files, 3 hunks, +3 -2\n")
        .stdout_has("\n0 accepted, 0 rejected, 3 undecided\n")
        .stdout_has("by writer (r1.1@1)\n")
        .stdout_has("  nothing checks it: no `verify` is configured\n")
        .stdout_has("added.txt  added, 1 hunk, +1 -0\n")
        .stdout_has(&format!("@@ -0,0 +1,1 @@  {added}  by "))
        .stdout_has(&format!("@@ -1,4 +1,4 @@  {first}  by "))
        .stdout_has("-one\n+ONE\n two\n")
        .stdout_has(&format!("@@ -9,4 +9,4 @@  {second}  by "))
        .stdout_has("(writer, r1.1@1): undecided\n");
    let patch = done(&sandbox, "review r1 --diff").stdout;
    fs::write(sandbox.outside().join("patch"), patch).expect("keep the patch");
    sandbox.git(["apply", "../outside/patch"]);
    assert_eq!(
        (sandbox.read("count.txt").as_str(), sandbox.read("added.txt").as_str()),
        (AFTER, "new\n")
    );
}

#[test]
fn hunks_are_accepted_and_rejected_by_the_beginnings_of_their_ids() {
    let sandbox = reviewed();
    let ids = hunks(&sandbox);
    done(&sandbox, "review r1 --accept --all")
        .stdout_has("r1: 3 accepted, 0 rejected, 0 undecided\n");
    done(&sandbox, "review r1 --undecide --file count.txt")
        .stdout_has("r1: 1 accepted, 0 rejected, 2 undecided\n");
    let judged = format!("review r1 --accept {} --reject {}", &ids[1][..6], ids[2]);
    done(&sandbox, &judged).stdout_has("r1: 2 accepted, 1 rejected, 0 undecided\n");
    // Verdicts outlive the daemon.
    done(&sandbox, "daemon stop");
    let review = review(&sandbox);
    assert_eq!(
        [&ids[0], &ids[1], &ids[2]].map(|id| review["review"]["verdicts"][id.as_str()].clone()),
        ["accepted", "accepted", "rejected"].map(Value::from)
    );

    for (line, code, problem) in [
        ("review r1 --accept", 2, "nothing says which hunks are meant"),
        ("review r1 --accept zz", 2, "no hunk has an id that begins with `zz`"),
        ("review r1 --reject --file nothing.txt", 2, "has no file"),
        ("review r1 --all", 2, "nothing says what of them"),
        ("review r7", 2, "there is no such run"),
        ("review 1", 2, "a run id such as r12"),
    ] {
        let words = line.split(' ');
        sandbox.orchestra(words).run().code(code).stderr_has(problem);
    }
    let nothing = sandbox.orchestra(["review", "r1", "--send-back", " "]).run().code(2);
    nothing.stderr_has("the comment is empty");
}

#[test]
fn what_is_accepted_is_applied_and_taken_back_byte_for_byte() {
    let sandbox = reviewed();
    let ids = hunks(&sandbox);
    sandbox.write("other.txt", "mine, and changed since\n");
    done(&sandbox, &format!("review r1 --accept {}", ids[2]));
    done(&sandbox, "apply r1")
        .stdout_has("r1/o1 apply to your files: done\n")
        .stdout_has("  count.txt\n")
        .stdout_has("1 file changed and not committed\n")
        .stdout_has("`orchestra undo r1/o1` takes it back\n");
    let applied = BEFORE.replace("twelve", "TWELVE");
    assert_eq!(sandbox.read("count.txt"), applied);
    assert!(!sandbox.workspace().join("added.txt").exists());
    orchestra(&sandbox, "apply r1").run().code(1).stderr_has("is in your files already");

    let json = done(&sandbox, "apply r1 --all --json").json();
    assert_eq!((&json["id"], &json["end"]["type"]), (&"r1/o2".into(), &"applied".into()), "{json}");
    assert_eq!(
        (sandbox.read("count.txt").as_str(), sandbox.read("added.txt").as_str()),
        (AFTER, "new\n")
    );

    done(&sandbox, "undo").stdout_has("r1/o3 undo r1/o2: done\n");
    assert_eq!(sandbox.read("count.txt"), applied);
    done(&sandbox, "undo").stdout_has("r1/o4 undo r1/o1: done\n");
    assert_eq!(sandbox.read("count.txt"), BEFORE);
    assert_eq!(sandbox.read("other.txt"), "mine, and changed since\n");
    orchestra(&sandbox, "undo").run().code(1).stderr_has("there is nothing to undo");
    let list = done(&sandbox, "undo --list").stdout;
    let lines: Vec<Vec<&str>> = list.lines().map(|line| line.split('\t').collect()).collect();
    let columns = |column: usize| lines.iter().map(|line| line[column]).collect::<Vec<_>>();
    assert_eq!(columns(0), ["r1/o4", "r1/o3", "r1/o2", "r1/o1"]);
    assert_eq!(
        columns(1),
        ["undo r1/o1", "undo r1/o2", "apply to your files", "apply to your files"]
    );
    assert_eq!(columns(5)[2..], ["taken back by r1/o3", "taken back by r1/o4"]);
    // An undo is taken back, too: that is how something is done again.
    done(&sandbox, "undo r1/o4");
    assert_eq!(sandbox.read("count.txt"), applied);
}

#[test]
fn what_does_not_fit_changes_nothing_and_shows_both_sides() {
    let sandbox = reviewed();
    let theirs = BEFORE.replace("one\n", "uno\n");
    sandbox.write("count.txt", &theirs);
    let conflict = orchestra(&sandbox, "apply r1").run().code(1);
    conflict
        .stdout_has("r1/o1 apply to your files: conflict\n")
        .stdout_has("  count.txt: both changed the same lines\n")
        .stdout_has("    you have, line 1:\n    | uno\n")
        .stdout_has("    what comes in, line 1:\n    | ONE\n")
        .stdout_has("nothing was changed; --ours keeps what you have there");
    assert_eq!(sandbox.read("count.txt"), theirs);
    assert!(!sandbox.workspace().join("added.txt").exists());
    done(&sandbox, "apply r1 --ours");
    assert_eq!(sandbox.read("count.txt"), AFTER.replace("ONE", "uno"));
    done(&sandbox, "undo");
    done(&sandbox, "apply r1 --theirs");
    assert_eq!(sandbox.read("count.txt"), AFTER);
    orchestra(&sandbox, "apply r1 --ours --theirs").run().code(2);
}

#[test]
fn a_branch_or_a_commit_leaves_the_files_alone() {
    let sandbox = reviewed();
    done(&sandbox, "apply r1 --branch shouting").stdout_has("apply to branch shouting: done\n");
    assert_eq!(sandbox.git(["show", "shouting:count.txt"]), AFTER);
    let json = done(&sandbox, "apply r1 --commit --json").json();
    let commit = json["after"].as_str().expect("a commit").to_owned();
    assert_eq!(sandbox.git(["show", &format!("{commit}:added.txt")]), "new\n");
    assert_eq!(sandbox.read("count.txt"), BEFORE);
    orchestra(&sandbox, "apply r1 --branch x --commit").run().code(2);
    orchestra(&sandbox, "apply r1 --branch shouting").run().code(1);
}

#[test]
fn text_that_an_editor_has_not_saved_comes_back_changed_to_where_it_came_from() {
    let sandbox = reviewed();
    let buffer = sandbox.outside().join("buffer");
    let typed = |text: &str| text.replace("6\n", "six\n");
    fs::write(&buffer, typed(BEFORE)).expect("the text of an editor");
    let unsaved = format!("--unsaved=count.txt={}", buffer.display());
    sandbox.orchestra(["apply", "r1", &unsaved]).run().success();
    let text = || fs::read_to_string(&buffer).expect("the text of the editor");
    assert_eq!(text(), typed(AFTER));
    assert_eq!(sandbox.read("count.txt"), BEFORE, "the file is the editor's to save");
    sandbox.orchestra(["undo", &unsaved]).run().success();
    assert_eq!(text(), typed(BEFORE));
}

#[test]
fn a_review_is_discarded_and_runs_are_cleaned_up() {
    let sandbox = reviewed();
    let refs = || sandbox.git(["for-each-ref", "--format=%(refname)", "refs/orchestra/*/r1/**"]);
    orchestra(&sandbox, "clean r1").run().code(1).stderr_has("neither applied nor rejected");
    done(&sandbox, "clean").stdout_has("nothing to clean up\n");
    done(&sandbox, "discard r1").stdout_has("r1/o1 discard: done\n");
    orchestra(&sandbox, "apply r1").run().code(1);
    assert!(refs().contains("/r1/base\n"), "{}", refs());
    done(&sandbox, "clean").stdout_has("r1/o2 clean up: done\n");
    assert_eq!(refs(), "");
    done(&sandbox, "undo");
    assert!(refs().contains("/r1/base\n"), "{}", refs());
    done(&sandbox, "undo r1/o1");
    assert_eq!(review(&sandbox)["review"]["status"], "open");
}

#[test]
fn lines_tell_who_wrote_them() {
    let sandbox = reviewed();
    done(&sandbox, "apply r1");
    sandbox.write("count.txt", sandbox.read("count.txt").replace("two\n", "2\n"));
    let blamed = done(&sandbox, "blame count.txt --line 1,3").stdout;
    let lines: Vec<Vec<&str>> = blamed.lines().map(|line| line.split('\t').collect()).collect();
    let who: Vec<(&str, &str)> = lines.iter().map(|line| (line[1], line[3])).collect();
    assert_eq!(who, [("writer (r1.1@1)", "ONE"), ("you, not committed", "2"), ("Test", "three")]);
    let json = done(&sandbox, "blame count.txt -L 12 --json").json();
    assert_eq!(json["lines"][0]["author"]["attempt"], "r1.1@1", "{json}");
    for (line, problem) in [
        ("blame nothing.txt", "nothing.txt"),
        ("blame count.txt -L 99", "no line 99"),
        ("blame count.txt -L 3,1", "write a line as 12"),
        ("blame ../outside/x", "it is not in"),
    ] {
        orchestra(&sandbox, line).run().code(2).stderr_has(problem);
    }
}

#[test]
fn a_hunk_is_sent_back_and_the_agent_goes_on() {
    let sandbox = Sandbox::new();
    let script = "if grep -q 'use lower case' \"$1\"; then sed -i 's/ONE/One/' count.txt\n\
                  else sed -i 's/^one$/ONE/' count.txt; fi";
    sandbox.agent_script_with("writer", "writes: true", script);
    sandbox.git_repo([("count.txt", BEFORE)]).trust();
    sandbox.orchestra(["start", "writer", "shout", "--follow"]).run().success();
    let id = hunks(&sandbox).remove(0);
    sandbox
        .orchestra(["review", "r1", "--send-back", "use lower case", "--hunk", &id])
        .run()
        .success()
        .stdout_has("r1 goes on");
    sandbox.orchestra(["watch", "r1"]).run().success();
    done(&sandbox, "review r1").stdout_has("+One\n");
}

/// The pager on a terminal, with the first hunk on its screen.
fn paged(sandbox: &Sandbox) -> Terminal {
    let terminal = orchestra(sandbox, "review r1").spawn_on_terminal();
    terminal.wait_for("hunk 1/3: undecided", LIMIT);
    terminal
}

fn verdicts(sandbox: &Sandbox) -> usize {
    review(sandbox)["review"]["verdicts"].as_object().map_or(0, serde_json::Map::len)
}

const ALTERNATE: &str = "\u{1b}[?1049h";
const BACK: &str = "\u{1b}[?1049l";

#[test]
fn the_pager_judges_searches_explains_and_applies() {
    let sandbox = reviewed();
    let mut terminal = paged(&sandbox);
    terminal.press("y");
    terminal.wait_for("hunk 2/3: undecided | 1 accepted, 0 rejected, 2 undecided", LIMIT);
    // It is kept already.
    assert_eq!(verdicts(&sandbox), 1);
    terminal.press("n");
    terminal.wait_for("hunk 3/3: undecided | 1 accepted, 1 rejected, 1 undecided", LIMIT);
    terminal.press("?");
    terminal.wait_for("accept or reject all hunks of this file", LIMIT);
    terminal.press("q/twelve\r");
    terminal.press("y");
    terminal.wait_for("2 accepted, 1 rejected, 0 undecided", LIMIT);
    terminal.press("a");
    let screen = terminal.wait(LIMIT).success().stdout;
    assert!(screen.contains(ALTERNATE) && screen.contains(BACK), "{screen:?}");
    assert!(screen.contains(" apply to your files: done"), "{screen:?}");
    assert_eq!(sandbox.read("count.txt"), BEFORE.replace("twelve", "TWELVE"));
}

#[test]
fn a_pager_that_is_killed_or_left_loses_no_verdict_and_gives_the_terminal_back() {
    let sandbox = reviewed();
    let mut terminal = paged(&sandbox);
    terminal.press("y");
    terminal.wait_for("hunk 2/3", LIMIT);
    let pid = pager(&sandbox).pid.to_string();
    sandbox.command("kill").args(["-TERM", &pid]).run().success();
    let screen = terminal.wait(LIMIT).success().stdout;
    assert!(screen.contains(BACK), "{screen:?}");
    assert_eq!(verdicts(&sandbox), 1);
    let mut terminal = orchestra(&sandbox, "review r1").spawn_on_terminal();
    terminal.wait_for("hunk 2/3: undecided | 1 accepted", LIMIT);
    terminal.press("q");
    terminal.wait(LIMIT).success();
}

#[test]
fn the_pager_follows_the_size_of_its_terminal() {
    let sandbox = reviewed();
    let mut terminal = paged(&sandbox);
    let tty = fs::read_link(format!("/proc/{}/fd/0", pager(&sandbox).pid)).expect("its terminal");
    sandbox.command("stty").arg("-F").arg(tty).args(["rows", "3", "cols", "30"]).run().success();
    terminal.wait_for("hunk 1/3: undecided | 0 accep…", LIMIT);
    terminal.press("q");
    terminal.wait(LIMIT).success();
}

/// The process of the pager.
fn pager(sandbox: &Sandbox) -> Process {
    let is_pager = |process: &Process| {
        process.command_line.contains("orchestra review r1")
            && !process.command_line.contains("script")
            && !process.command_line.contains("sh -c")
    };
    sandbox.processes().into_iter().find(is_pager).expect("the pager runs")
}
