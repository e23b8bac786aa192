//! What the options of `orchestra review` say about which hunks.

use crate::{
    arguments::reviews::Review as Arguments,
    failure::{Class, Failure},
};
use orchestra_core::{
    ids::{HunkId, RunId},
    review::{Review, Selection, Verdict},
};
use orchestra_protocol::command::Command;

/// The commands that the options ask for, in the order accept, reject, undecide.
pub(super) fn judgements(review: &Review, arguments: &Arguments) -> Result<Vec<Command>, Failure> {
    let run = arguments.run;
    let said = [
        ("accept", &arguments.accept, Some(Verdict::Accepted)),
        ("reject", &arguments.reject, Some(Verdict::Rejected)),
        ("undecide", &arguments.undecide, None),
    ];
    let whole = match (&arguments.file, arguments.all) {
        (Some(path), _) => Some(Selection::File { path: path.clone() }),
        (None, true) => Some(Selection::All),
        (None, false) => None,
    };
    let bare = said.iter().filter(|(_, ids, _)| ids.as_ref().is_some_and(Vec::is_empty)).count();
    match (bare, &whole) {
        (0, None) | (1, Some(_)) => {}
        (0, Some(_)) => {
            return Err(usage(
                run,
                "--file and --all say which hunks, and nothing says what of them",
            ));
        }
        (_, None) => return Err(usage(run, "nothing says which hunks are meant")),
        (_, Some(_)) => return Err(usage(run, "two options are about the same hunks")),
    }
    let mut commands = Vec::new();
    for (_, ids, verdict) in said {
        let Some(ids) = ids else { continue };
        let selection = match (ids.as_slice(), &whole) {
            ([], Some(whole)) => whole.clone(),
            (ids, _) => Selection::Hunks { hunks: hunks(review, run, ids)? },
        };
        commands.push(Command::Judge { run, selection, verdict });
    }
    Ok(commands)
}

fn usage(run: RunId, what: &str) -> Failure {
    let hint = format!(
        "such as `orchestra review {run} --accept 1f2e`, `… --reject --file PATH` or `… --accept --all`"
    );
    Failure::new(Class::Usage, format!("judge {run}: {what}"), hint)
}

/// The hunks whose ids begin so, each with one of its own.
pub(super) fn hunks(
    review: &Review,
    run: RunId,
    begins: &[String],
) -> Result<Vec<HunkId>, Failure> {
    begins.iter().map(|begin| hunk(review, run, begin)).collect()
}

fn hunk(review: &Review, run: RunId, begin: &str) -> Result<HunkId, Failure> {
    let mut found = review
        .hunks()
        .map(|(_, hunk)| hunk.id)
        .filter(|id| !begin.is_empty() && id.to_string().starts_with(begin));
    let shown: String = begin.chars().take(20).collect();
    let problem = match (found.next(), found.next()) {
        (Some(id), None) => return Ok(id),
        (Some(first), Some(second)) => format!("`{shown}` begins the ids {first} and {second}"),
        (None, _) => format!("no hunk has an id that begins with `{shown}`"),
    };
    let hint = format!("`orchestra review {run} --json` lists them");
    Err(Failure::new(Class::Usage, format!("find a hunk of {run}: {problem}"), hint))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{arguments::Command as Chosen, show::testing::review};
    use clap::Parser as _;

    fn asked(arguments: &str) -> Result<Vec<Command>, String> {
        let words = "orchestra review r1".split(' ').chain(arguments.split_whitespace());
        let read = crate::arguments::Arguments::try_parse_from(words);
        let Chosen::Review(arguments) = read.map_err(|error| error.to_string())?.command else {
            return Err("another command".to_owned());
        };
        judgements(&review(), &arguments).map_err(|failure| failure.to_string())
    }

    fn judged(selection: Selection, verdict: Option<Verdict>) -> Command {
        Command::Judge { run: "r1".parse().unwrap(), selection, verdict }
    }

    #[test]
    fn hunks_are_named_by_what_their_ids_begin_with() {
        let ids: Vec<HunkId> = review().hunks().map(|(_, hunk)| hunk.id).collect();
        let hunks =
            |hunks: &[usize]| Selection::Hunks { hunks: hunks.iter().map(|&h| ids[h]).collect() };
        assert_eq!(asked(""), Ok(vec![]));
        assert_eq!(
            asked("--accept aa01 bb --reject aa02 --undecide cc"),
            Ok(vec![
                judged(hunks(&[0, 2]), Some(Verdict::Accepted)),
                judged(hunks(&[1]), Some(Verdict::Rejected)),
                judged(hunks(&[3]), None),
            ])
        );
        let file = Selection::File { path: "a.py".to_owned() };
        assert_eq!(asked("--reject --file a.py"), Ok(vec![judged(file, Some(Verdict::Rejected))]));
        assert_eq!(
            asked("--accept --all --reject bb"),
            Ok(vec![
                judged(Selection::All, Some(Verdict::Accepted)),
                judged(hunks(&[2]), Some(Verdict::Rejected)),
            ])
        );
    }

    #[test]
    fn what_is_not_clear_is_not_done() {
        for (arguments, problem) in [
            ("--accept aa", "`aa` begins the ids aa01000000 and aa02000000"),
            ("--accept 99", "no hunk has an id that begins with `99`"),
            ("--accept", "nothing says which hunks are meant"),
            ("--all", "nothing says what of them"),
            ("--accept --reject --all", "two options are about the same hunks"),
            ("--file a.py --all --accept", "cannot be used with"),
            ("--hunk aa", "--send-back"),
            ("--send-back no --accept aa", "cannot be used with"),
        ] {
            let said = asked(arguments).unwrap_err();
            assert!(said.contains(problem), "{arguments}: {said}");
        }
    }
}
