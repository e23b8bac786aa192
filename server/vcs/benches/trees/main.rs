//! What snapshots, trees and collecting take, beside git's own ways, in turns with them. Prints one JSON
//! object: the seconds of every round, by row; the first round is there to warm up.
//!
//! Arguments: `new` for trees that are made anew, `radar` for looks at two of them and the user's folder,
//! `merge` for bringing two works together and choosing of them, `apply` for changes of a user's files, `blame`
//! for the authors of a long file, or `used` for all the rest; the folder to work in; how many files the
//! repository has; how many rounds are measured; and the command line that collecting is held by, if it is: it
//! may write to `scratch` in that folder.

mod apply;
mod blame;
mod measuring;
mod merging;
mod radar;
mod repository;
mod rounds;

use orchestra_vcs::wrapper::Wrapper;
use repository::Repository;
use rounds::Rounds;
use std::{env, error::Error, ffi::OsString, io::Write as _, path::PathBuf};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> Result<()> {
    // Cargo adds an option of its own.
    let mut arguments = env::args_os().skip(1).filter(|argument| argument != "--bench");
    let mut next = || arguments.next().ok_or("it takes what to do, a folder, files and rounds");
    let what = next()?;
    let folder = PathBuf::from(next()?).canonicalize()?;
    let files = number(&next()?)?;
    let measured = number(&next()?)?;
    let wrapper = arguments.next().map(|program| Wrapper {
        program: program.into(),
        arguments: arguments.collect(),
        argument_zero: None,
    });
    let repository = || Repository::create(&folder.join("user"), files);
    let rows = match what.to_str() {
        Some("radar") => radar::rows(&folder, &repository()?, measured)?.0,
        Some("merge") => merging::rows(&folder, &repository()?, measured)?.0,
        Some("apply") => apply::rows(&folder, &repository()?, measured)?.0,
        Some("blame") => blame::rows(&folder, measured)?.0,
        what => {
            let repository = repository()?;
            let mut rounds = Rounds::new(&folder, &repository, wrapper)?;
            for _ in 0..=measured {
                if what == Some("new") {
                    rounds.new_trees()?;
                } else {
                    rounds.all_but_new_trees()?;
                }
            }
            rounds.rows()
        }
    };
    Ok(writeln!(std::io::stdout(), "{}", serde_json::to_string(&rows)?)?)
}

fn number(text: &OsString) -> Result<usize> {
    Ok(text.to_str().ok_or("a number is text")?.parse()?)
}
