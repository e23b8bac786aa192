//! One repository with its user, the agent that is let loose on it, and what has to be true afterwards.

use super::{
    contents::{self, Contents},
    forms::{Form, habits},
    steps::{self, Who},
};
use orchestra_testkit::{Dice, Running, Sandbox, Untouched};
use std::{fmt, fs, os::unix::fs::PermissionsExt as _, path::PathBuf, time::Duration};

const LIMIT: Duration = Duration::from_secs(60);

/// What the agent leaves last: an archive of what it has made, and programs for whoever runs git there.
/// Its own git falls for them, which shows that they work.
const LAST_WORDS: &str = r#"
tar -cf "$1/left-CASE.tar" --exclude=./.git .
test -d .git || exit 0
git config core.fsmonitor "$2/trap-agent-CASE"
mkdir -p .git/hooks nested
cp "$2/trap-agent-CASE" .git/hooks/post-index-change
git init --quiet nested; printf 'x\n' > nested/file; git -C nested add file
git -C nested config filter.trap.clean "$2/trap-agent-CASE"
printf '* filter=trap\n' > nested/.git/info/attributes
printf 'y\n' > nested/file
git status > /dev/null 2>&1; git -C nested diff > /dev/null 2>&1
test -e "$1/mark-agent-CASE" || exit 9
rm "$1/mark-agent-CASE"
echo "$PWD/nowhere" >> .git/objects/info/alternates
"#;

pub(super) struct Case {
    form: Form,
    number: usize,
    /// What the user and the agent do, for whoever looks into a failure.
    scripts: String,
    /// Everything that is the user's.
    folder: PathBuf,
    /// As the agent has to see it; not where something of it is hidden from both.
    seen: Contents,
    before: Untouched,
}

impl fmt::Debug for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { form, number, scripts, .. } = self;
        write!(f, "{form:?} {number}\n{scripts}")
    }
}

impl Case {
    pub(super) fn draw(dice: &mut Dice, form: Form, number: usize, sandbox: &Sandbox) -> Self {
        let folder = sandbox.root().join(format!("case-{number}"));
        fs::create_dir(&folder).unwrap();
        for whose in ["user", "agent"] {
            let mark = sandbox.outside().join(format!("mark-{whose}-{number}"));
            let trap = scripts(sandbox).join(format!("trap-{whose}-{number}"));
            fs::write(&trap, format!("#!/bin/sh\necho \"$0\" >> '{}'\nexit 1\n", mark.display()))
                .unwrap();
            fs::set_permissions(&trap, fs::Permissions::from_mode(0o755)).unwrap();
        }
        let who = if form.is_unmerged() { Who::UserInTheMiddle } else { Who::User };
        let count = 5 + dice.below(20);
        let users =
            [form.script().into_bytes(), steps::draw(dice, who, count), habits(dice).into_bytes()];
        let users = users.concat();
        let script = scripts(sandbox).join(format!("user-{number}"));
        fs::write(&script, &users).unwrap();
        let trap = scripts(sandbox).join(format!("trap-user-{number}"));
        sandbox.command("sh").current_dir(&folder).arg(script).arg(trap).run();
        let workspace = folder.join(form.workspace());
        // Ours; that it comes would change the time of the folder that it is in.
        fs::create_dir(workspace.join(".orchestra")).unwrap();
        let count = 3 + dice.below(20);
        let agents = [
            b"tar -cf \"$1/seen-CASE.tar\" --exclude=./.git .\n".to_vec(),
            steps::draw(dice, Who::Agent, count),
            LAST_WORDS.as_bytes().to_vec(),
        ];
        let agents = replaced(&agents.concat(), number);
        fs::write(scripts(sandbox).join(format!("agent-case {number}")), &agents).unwrap();
        let mut seen = contents::of_folder(&workspace);
        if let Some(filtered) = seen.get_mut("f.flt")
            && !filtered.starts_with("120000")
        {
            *filtered = filtered.to_ascii_uppercase().replace(r"\R", r"\r").replace(r"\N", r"\n");
            *filtered = filtered.replace(r"\X", r"\x");
        }
        let _ = fs::remove_file(sandbox.outside().join(format!("mark-user-{number}")));
        let before = sandbox.untouched(&folder);
        let scripts = [users, agents].map(|script| String::from_utf8_lossy(&script).into_owned());
        let scripts = scripts.join("--- agent\n");
        Self { form, number, scripts, folder, seen, before }
    }

    fn workspace(&self) -> PathBuf {
        self.folder.join(self.form.workspace())
    }

    pub(super) fn start(&self, sandbox: &Sandbox) -> Running {
        let workspace = self.workspace();
        let here = || sandbox.orchestra(["-w"]).arg(&workspace);
        here().args(["trust", "--yes"]).run().success();
        let run = here().args(["run", "random", &format!("-pcase={}", self.number)]);
        let conflicts = self.form.is_unmerged().then_some("--with-conflicts");
        run.args(conflicts).spawn()
    }

    /// The answer is whether the user has a trap that his own git falls for, when he runs it again.
    pub(super) fn check(&self, sandbox: &Sandbox, run: Running) -> bool {
        run.wait(LIMIT).success();

        sandbox.assert_untouched(&self.before);
        let workspace = self.workspace();
        let shown = sandbox.orchestra(["-w"]).arg(&workspace).args(["show", "r1", "--json"]);
        let shown = shown.run().success().json();
        let text = |of: &serde_json::Value| of.as_str().map(str::to_owned);
        let base = text(&shown["run"]["snapshot"]["commit"]).expect("a snapshot");
        let task = sandbox.orchestra(["-w"]).arg(&workspace).args(["show", "r1.1", "--json"]);
        let task = task.run().success().json();
        let commit = text(&task["output"]["change"]["commit"]).unwrap_or_else(|| base.clone());

        let archive = |name: &str| {
            let archive = sandbox.outside().join(format!("{name}-{}.tar", self.number));
            contents::of_archive(sandbox, &archive)
        };
        let (seen, left) = (archive("seen"), archive("left"));
        let base = contents::of_commit(sandbox, &workspace, &base);
        let result = contents::of_commit(sandbox, &workspace, &commit);
        if !self.form.is_sparse() {
            assert_eq!(seen, self.seen, "the agent has seen what the user saw");
            assert_eq!(seen, base, "the snapshot is what the agent has seen");
        }
        // What an agent does not see it can only put something else in the place of.
        let is_in_the_way = |path: &str| {
            let is_below = |one: &str, other: &str| one.starts_with(&format!("{other}/"));
            left.keys().any(|left| left == path || is_below(left, path) || is_below(path, left))
        };
        let mut expected = left.clone();
        let hidden = base.into_iter().filter(|(path, _)| !seen.contains_key(path));
        expected.extend(hidden.filter(|(path, _)| !is_in_the_way(path)));
        assert_eq!(result, expected, "the result is what the agent left: {task:#}");

        let mark = |whose: &str| sandbox.outside().join(format!("mark-{whose}-{}", self.number));
        for mark in ["user", "agent"].map(mark) {
            assert!(!mark.exists(), "{}", fs::read_to_string(mark).unwrap_or_default());
        }
        // What the user does next runs nothing of the agent's either.
        for next in [&["status"][..], &["update-ref", "refs/tags/later", "HEAD"]] {
            sandbox.command("git").arg("-C").arg(&workspace).args(next).run();
        }
        assert!(!mark("agent").exists());
        mark("user").exists()
    }
}

/// Where the programs of users and agents lie. Not in the folder that agents share: what is new there after an
/// attempt and looks like a program is taken away.
pub(super) fn scripts(sandbox: &Sandbox) -> PathBuf {
    sandbox.root().join("scripts")
}

fn replaced(script: &[u8], number: usize) -> Vec<u8> {
    // Byte by byte, because names in it are no text.
    let mut replaced = Vec::new();
    let mut rest = script;
    while let Some(at) = rest.windows(4).position(|window| window == b"CASE") {
        replaced.extend_from_slice(&rest[..at]);
        replaced.extend_from_slice(number.to_string().as_bytes());
        rest = &rest[at + 4..];
    }
    replaced.extend_from_slice(rest);
    replaced
}
