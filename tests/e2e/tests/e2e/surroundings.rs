//! Surroundings that a test cannot ask its machine for: a small disk, a workspace that is read-only.

use orchestra_testkit::{Running, Sandbox};
use std::{thread, time::Duration};

/// A mount namespace of the sandbox's own. Everything that the sandbox starts afterwards lives in it.
#[derive(Debug)]
pub(crate) struct Surroundings<'a> {
    sandbox: &'a Sandbox,
    /// Holds the namespace open.
    _holder: Running,
}

impl Drop for Surroundings<'_> {
    fn drop(&mut self) {
        // From outside, its daemon could not be told: it cannot look at who asks.
        if !thread::panicking() {
            self.sandbox.orchestra(["daemon", "stop"]).run();
        }
    }
}

impl<'a> Surroundings<'a> {
    /// Runs these lines of `sh` in a new namespace, which the sandbox then enters. Fails with the
    /// machine's words where it refuses that.
    pub(crate) fn enter(sandbox: &'a Sandbox, mounts: &str) -> Result<Self, String> {
        let mut refusals = String::new();
        // With a user namespace for those who are not root, and without for those who may not have one.
        for (unshare, nsenter) in
            [("-Urm", &["-U", "-m", "--preserve-credentials"][..]), ("-m", &["-m"][..])]
        {
            let script = format!("set -e; {mounts}");
            let trial = sandbox.command("unshare").args([unshare, "sh", "-c", &script]).run();
            if trial.exit_code() != Some(0) {
                refusals += &format!("unshare {unshare}: {}; ", trial.stderr.trim());
                continue;
            }
            let script = format!("{script}\necho entered; exec sleep infinity");
            let holder = sandbox.command("unshare").args([unshare, "sh", "-c", &script]).spawn();
            holder.wait_for_stdout("entered", Duration::from_secs(10));
            let target = ["nsenter".to_owned(), "-t".to_owned(), holder.pid().to_string()];
            let rest = nsenter.iter().map(|&argument| argument.to_owned());
            // Without this, nsenter would start programs in the root folder of the namespace.
            let folder = format!("--wdns={}", sandbox.workspace().display());
            sandbox.start_through(target.into_iter().chain(rest).chain([folder]));
            return Ok(Self { sandbox, _holder: holder });
        }
        Err(refusals)
    }
}
