//! Collecting: what an agent has left in its tree becomes a commit, and what is doubtful waits.

use super::{Attempt, blocking};
use orchestra_core::{
    change::{Change, Held},
    outcome::{Failure, FailureKind},
};
use orchestra_runtimes::{
    confine::{self, Scope},
    native::certain_secret,
};
use orchestra_vcs::{
    collect::{Limits, Request, collect},
    trees::Tree,
    wrapper::Wrapper,
};
use std::{io, path::Path};

/// Of a larger text file, nobody can say quickly whether it holds a secret.
const LONGEST_SCAN: u64 = 4 << 20;

/// Added to the name of the reference for what an agent has put right of a merge: the plain one is for the merge.
const RESOLVED: &str = "-resolved";

/// Takes over what the agent has left, with the files that a person wants to be `included` in spite of what
/// held each of them back. Done again, it answers the same.
pub(super) async fn collect_from(
    attempt: &Attempt,
    tree: &Tree,
    included: &[Held],
) -> io::Result<Result<Change, Failure>> {
    let (attempt, tree, included) = (attempt.clone(), tree.clone(), included.to_owned());
    blocking(move || Ok(now(&attempt, &tree, &included))).await
}

fn now(attempt: &Attempt, tree: &Tree, included: &[Held]) -> Result<Change, Failure> {
    let (shared, work) = (&attempt.shared, &attempt.work);
    let scratch = shared.folders.scratch(&shared.workspace);
    let limits = &shared.collect;
    let secrets = work.secrets();
    let wrapper = wrapper(attempt, &scratch).map_err(|error| failure(error.to_string(), None))?;
    let reference = attempt.reference(if work.merge.is_some() { RESOLVED } else { "" });
    let names = work.names();
    let author = names.author();
    let request = Request {
        root: &shared.root,
        src: &tree.src,
        base: &tree.commit,
        index: Some(&tree.index),
        scratch: &scratch,
        reference: &reference,
        author,
        subject: &format!("{}: {}", work.executor, work.step),
        limits: Limits {
            file: limits.file_limit.0,
            total: limits.total_limit.0,
            count: usize::try_from(limits.files).unwrap_or(usize::MAX),
            scan: LONGEST_SCAN,
        },
        included,
        suspects: &|path, content, before| {
            // What was there before is none of the agent's doing.
            match secrets.new_in(content, before) {
                Some(name) => Some(format!("the value of {name}")),
                None => match certain_secret(path, content, before) {
                    Ok(found) => found.map(str::to_owned),
                    Err(problem) => Some(format!("not known: {problem}")),
                },
            }
        },
        wrapper: wrapper.as_ref(),
    };
    collect(&request).map(|collected| collected.change).map_err(|error| {
        let hint = error.hint();
        failure(error.to_string(), Some(hint))
    })
}

/// Git that looks at an agent's files runs confined: it writes to `scratch` and nothing else.
fn wrapper(attempt: &Attempt, scratch: &Path) -> io::Result<Option<Wrapper>> {
    let scope = Scope {
        write: vec![scratch.to_owned()],
        hidden: vec![attempt.shared.folders.runtime.clone()],
        choice: attempt.shared.attempt.sandbox,
    };
    let (program, zero, arguments) = confine::command(&scope, false)?;
    Ok(Some(Wrapper { program, arguments, argument_zero: Some(zero) }))
}

fn failure(message: String, hint: Option<String>) -> Failure {
    let message = format!("take over what the agent has left: {message}");
    Failure { kind: FailureKind::Environment, message, hint }
}
