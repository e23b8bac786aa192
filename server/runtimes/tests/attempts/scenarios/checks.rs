//! Commands that check work, as jobs of an attempt under a shim of their own.

use super::Scenario;
use orchestra_core::{
    config::AttemptConfig,
    evidence::{CheckOutcome, TestCounts},
    time::Millis,
};
use orchestra_runtimes::{
    attempt::{AttemptDir, spawn_shim},
    checks::{self, CheckRequest, Ran, Unready},
    confine::Scope,
};
use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::{PermissionsExt as _, symlink},
    path::{Path, PathBuf},
};
use tempfile::TempDir;

pub(crate) const SCENARIOS: &[Scenario] = &[
    ("a_green_check_says_which_tests_it_ran", green),
    ("a_red_check_names_its_failures", red),
    ("a_check_that_hangs_is_ended_and_says_so", hangs),
    ("a_check_killed_by_a_signal_is_not_red", signalled),
    ("what_is_not_installed_is_no_failing_test", missing),
    ("a_program_with_a_path_comes_from_the_tree", from_the_tree),
    ("a_log_that_was_cut_is_not_taken_for_whole", cut),
    ("an_old_report_is_not_this_runs", old_report),
    ("a_check_gets_no_secrets_and_caches_of_its_own", environment),
];

/// A slot for checks, and where its attempt keeps its jobs.
struct Slot {
    folder: TempDir,
    environment: BTreeMap<String, String>,
    config: AttemptConfig,
    timeout: Millis,
}

impl Slot {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        for part in ["slot/src", "slot/tmp", "slot/out"] {
            fs::create_dir_all(folder.path().join(part)).unwrap();
        }
        let path = ("PATH".to_owned(), "/usr/local/bin:/usr/bin:/bin".to_owned());
        Self {
            folder,
            environment: BTreeMap::from([path]),
            config: AttemptConfig::default(),
            timeout: Millis::minutes(1),
        }
    }

    fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    fn script(&self, path: &str, text: &str) {
        fs::write(self.path(path), text).unwrap();
        fs::set_permissions(self.path(path), fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn prepare(&self, command: &[&str]) -> Result<orchestra_runtimes::cli::Prepared, Unready> {
        let command: Vec<String> = command.iter().map(|&word| word.to_owned()).collect();
        checks::prepare(&CheckRequest {
            workspace: &"abcdefgh".parse().unwrap(),
            attempt: "r1.2@1".parse().unwrap(),
            command: &command,
            slot: &self.path("slot"),
            directory: &self.path("slot/src"),
            scope: Scope { write: vec![self.path("slot")], ..Scope::default() },
            caches: &self.path("caches"),
            environment: &self.environment,
            timeout: self.timeout,
            config: &self.config,
            daemon: None,
        })
    }

    /// Runs it to its end.
    fn run(&self, command: &[&str]) -> Ran {
        let prepared = match self.prepare(command) {
            Ok(prepared) => prepared,
            Err(Unready::Ends(outcome)) => return Ran::not_started(outcome),
            Err(Unready::Failed(failure)) => panic!("{failure:?}"),
        };
        // A job lies in the folder of the attempt that it is for.
        let job = self.path("state/attempts/r1.2-1/jobs/verify-1");
        let job = AttemptDir::create(&job, &prepared.spec).unwrap();
        assert_eq!(Ran::read(&job).unwrap(), None);
        let mut shim = spawn_shim(&job, &prepared.environment).unwrap();
        shim.child.wait().unwrap();
        Ran::read(&job).unwrap().unwrap()
    }

    /// Shows the file and exits with this code.
    fn show(&self, file: &Path, code: u8) -> Ran {
        let (file, code) = (file.to_str().unwrap(), code.to_string());
        self.run(&["sh", "-c", "cat \"$1\"; exit $2", "sh", file, &code])
    }
}

fn sample(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/test-output").join(path)
}

fn green() {
    let ran = Slot::new().show(&sample("cargo-test/green.txt"), 0);
    assert_eq!(ran.run.outcome, CheckOutcome::Green);
    let expected = TestCounts {
        runner: "cargo test".to_owned(),
        passed: 1,
        failed: 0,
        skipped: 0,
        failures: vec![],
        cut: false,
    };
    assert_eq!(ran.run.tests, Some(expected));
    assert!(ran.run.last_lines.last().unwrap().starts_with("test result: ok"));
    assert!(!ran.run.cached && ran.run.confined.is_some());
}

fn red() {
    let ran = Slot::new().show(&sample("nextest/failing.txt"), 100);
    assert_eq!(ran.run.outcome, CheckOutcome::Red { code: 100 });
    let failures = ran.run.tests.unwrap().failures;
    assert_eq!(
        failures,
        ["sample tests::fails_here", "sample::more errors", "sample::more same_name"]
    );
}

fn hangs() {
    let mut slot = Slot::new();
    let limit = Millis(200);
    (slot.timeout, slot.config.grace) = (limit, Millis(100));
    // Who ignores the signal, and what it has started, are ended all the same.
    let ran = slot.run(&["sh", "-c", "trap '' TERM; sleep 600 & while :; do sleep 600; done"]);
    assert_eq!(ran.run.outcome, CheckOutcome::TimedOut { limit });
}

fn signalled() {
    let ran = Slot::new().run(&["sh", "-c", "kill -SEGV $$"]);
    assert_eq!(ran.run.outcome, CheckOutcome::Signalled { signal: 11 });
}

fn missing() {
    let slot = Slot::new();
    let what = |ran: Ran| match ran.run.outcome {
        CheckOutcome::Missing { what } => what,
        other => panic!("{other:?}"),
    };
    assert_eq!(what(slot.run(&["no-such-program", "test"])), "program no-such-program");
    assert_eq!(what(slot.run(&["./gradlew", "test"])), "program ./gradlew");
    for (file, code, expected) in [
        ("pytest", 2, "module no_such_module"),
        ("pytest-some", 2, "module no_such_module"),
        ("python", 1, "module no_such_runner"),
        ("go", 1, "module example.org/no/such"),
        ("jest", 1, "module no-such-package"),
        ("vitest", 1, "module no-such-package"),
        ("node", 1, "module no-such-package"),
        ("cargo", 101, "program cargo-nope"),
        ("sh", 127, "program no-such-tool"),
    ] {
        let slot = Slot::new();
        let ran = slot.show(&sample(&format!("missing/{file}.txt")), code);
        assert_eq!(what(ran), expected, "{file}");
    }
    // Tests that ran and failed are no missing program, whatever they write.
    let slot = Slot::new();
    let file = slot.path("output");
    let noise = fs::read_to_string(sample("pytest/v.txt")).unwrap();
    fs::write(&file, format!("sh: 1: jest: not found\n{noise}")).unwrap();
    assert_eq!(slot.show(&file, 1).run.outcome, CheckOutcome::Red { code: 1 });
}

fn from_the_tree() {
    let slot = Slot::new();
    slot.script("slot/src/check.sh", "#!/bin/sh\npwd\n");
    let ran = slot.run(&["./check.sh"]);
    assert_eq!(ran.run.outcome, CheckOutcome::Green);
    let directory = slot.path("slot/src").canonicalize().unwrap();
    assert_eq!(ran.run.last_lines, [directory.to_str().unwrap()]);

    slot.script("outside.sh", "#!/bin/sh\n");
    symlink(slot.path("outside.sh"), slot.path("slot/src/link.sh")).unwrap();
    for name in ["./link.sh", "../../outside.sh"] {
        let expected =
            CheckOutcome::NotStarted { message: format!("{name} leads out of the tree") };
        assert_eq!(slot.prepare(&[name]), Err(Unready::Ends(expected)));
    }
}

fn cut() {
    let mut slot = Slot::new();
    slot.config.log_limit.0 = 4_096;
    let file = slot.path("output");
    let tests: String = (0..1_000).map(|n| format!("test t{n} ... ok\n")).collect();
    let whole =
        format!("running 1000 tests\n{tests}test result: ok. 1000 passed; 0 failed; 0 ignored\n");
    fs::write(&file, whole).unwrap();
    let counts = slot.show(&file, 0).run.tests.unwrap();
    assert_eq!((counts.passed, counts.cut), (1_000, true));
}

fn old_report() {
    let slot = Slot::new();
    let report = |name: &str| format!("<testsuite><testcase name=\"{name}\"/></testsuite>");
    let path = slot.path("slot/src/report.xml");
    fs::write(&path, report("old")).unwrap();
    let long_ago = std::time::SystemTime::UNIX_EPOCH;
    fs::File::options().write(true).open(&path).unwrap().set_modified(long_ago).unwrap();
    assert_eq!(slot.run(&["sh", "-c", ":", "--junitxml=report.xml"]).report, None);

    let slot = Slot::new();
    let script = format!("echo '{}' > report.xml", report("new"));
    let report = slot.run(&["sh", "-c", &script, "--junitxml=report.xml"]).report.unwrap();
    assert_eq!((report.runner.as_str(), report.tests[0].name.as_str()), ("junit", "new"));
}

fn environment() {
    let mut slot = Slot::new();
    slot.environment.insert("API_TOKEN".to_owned(), "hush".to_owned());
    slot.environment.insert("LANG".to_owned(), "C".to_owned());
    let ran = slot.run(&["sh", "-c", "echo \"$API_TOKEN|$LANG|$CI|$CARGO_HOME\""]);
    let cargo = slot.path("caches").canonicalize().unwrap().join("cargo/");
    assert_eq!(ran.run.last_lines, [format!("|C|true|{}", cargo.display())]);
}
