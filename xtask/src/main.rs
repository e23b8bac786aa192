//! `cargo xtask <chore>`: the one way to do each chore of the project.

mod bench;
mod checkout;
mod packages;
mod processes;
mod scratch;
mod soak;
mod test;
mod tools;

use lexopt::{Arg, Parser, ValueExt as _};
use std::{ffi::OsString, process::ExitCode};

const USAGE: &str = "\
usage: cargo xtask <chore>

  test [--real] [--only STAGE] [-- NEXTEST-ARGUMENTS]
        everything that must be green; --real adds the tests that drive real editors and agents
  bench [--json] [--rounds N] [--tasks N] [GROUP..]
        what Orchestra needs for its work, beside floors and peers measured in the same run
  soak [--seed N] [-- NEXTEST-ARGUMENTS]
        the tests named `soak`, in full size";

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> anyhow::Result<()> {
    let mut arguments = Parser::from_env();
    match arguments.next()? {
        Some(Arg::Value(chore)) if chore == "test" => test::run(&test_options(arguments)?),
        Some(Arg::Value(chore)) if chore == "bench" => bench::run(&bench_options(arguments)?),
        Some(Arg::Value(chore)) if chore == "soak" => soak::run(&soak_options(arguments)?),
        Some(Arg::Long("help") | Arg::Short('h')) => {
            println!("{USAGE}");
            Ok(())
        }
        Some(Arg::Value(chore)) => {
            anyhow::bail!("there is no chore {}\n{USAGE}", chore.to_string_lossy())
        }
        Some(other) => Err(other.unexpected().into()),
        None => anyhow::bail!("which chore?\n{USAGE}"),
    }
}

fn test_options(mut arguments: Parser) -> anyhow::Result<test::Options> {
    let mut options = test::Options::default();
    while let Some(argument) = next_before_rest(&mut arguments, &mut options.nextest)? {
        match argument {
            Arg::Long("real") => options.real = true,
            Arg::Long("only") => options.only = Some(arguments.value()?.string()?),
            other => return Err(other.unexpected().into()),
        }
    }
    Ok(options)
}

fn bench_options(mut arguments: Parser) -> anyhow::Result<bench::Options> {
    let mut options = bench::Options::default();
    while let Some(argument) = arguments.next()? {
        match argument {
            Arg::Long("json") => options.json = true,
            Arg::Long("rounds") => options.rounds = arguments.value()?.parse()?,
            Arg::Long("tasks") => options.tasks = arguments.value()?.parse()?,
            Arg::Value(group) => options.groups.push(group.string()?),
            other => return Err(other.unexpected().into()),
        }
    }
    Ok(options)
}

fn soak_options(mut arguments: Parser) -> anyhow::Result<soak::Options> {
    let mut options = soak::Options::default();
    while let Some(argument) = next_before_rest(&mut arguments, &mut options.nextest)? {
        match argument {
            Arg::Long("seed") => options.seed = Some(arguments.value()?.parse()?),
            other => return Err(other.unexpected().into()),
        }
    }
    Ok(options)
}

/// The next argument before `--`; what follows `--` goes to `rest` as it is.
fn next_before_rest<'a>(
    arguments: &'a mut Parser,
    rest: &mut Vec<OsString>,
) -> Result<Option<Arg<'a>>, lexopt::Error> {
    let at_separator =
        arguments.try_raw_args().is_some_and(|raw| raw.peek() == Some("--".as_ref()));
    if at_separator {
        rest.extend(arguments.raw_args()?.skip(1));
        return Ok(None);
    }
    arguments.next()
}
