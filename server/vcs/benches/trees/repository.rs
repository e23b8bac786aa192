//! A repository of as many files as are asked for, in folders as projects have them.

use crate::Result;
use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// Files in a folder, folders in a module, modules in a package.
const FOLDER: usize = 10;
const MODULE: usize = 10;
const PACKAGE: usize = 20;

/// How many files differ between its two commits, and how many are changed when some are.
pub(crate) const CHANGED: usize = 10;

/// How many files each of two works changes.
const WORK: usize = 100;

pub(crate) struct Repository {
    pub(crate) top: PathBuf,
    files: usize,
    /// The commit that is checked out, and one before it.
    pub(crate) head: String,
    pub(crate) before: String,
}

impl Repository {
    /// Two commits in one pack, the second of them checked out.
    pub(crate) fn create(top: &Path, files: usize) -> Result<Self> {
        fs::create_dir_all(top)?;
        git(top, &["init", "-q", "-b", "main"])?;
        let mut stream = Vec::new();
        commit(&mut stream, "first", (0..files).map(|number| (number, 0)));
        let changed = spread(files, CHANGED).map(|number| (number, 1));
        commit(&mut stream, "second", changed);
        import(top, &[], &stream)?;
        git(top, &["reset", "-q", "--hard"])?;
        let (head, before) =
            (git(top, &["rev-parse", "HEAD"])?, git(top, &["rev-parse", "HEAD^"])?);
        Ok(Self { top: top.to_owned(), files, head, before })
    }

    /// Two commits on top of the one that is checked out, as two agents make them: each changes a hundred
    /// files, ten of them both, in different places. No two rounds are alike.
    pub(crate) fn works(&self, round: usize) -> Result<[String; 2]> {
        // None of those in which its two commits differ.
        let of_first: Vec<usize> = spread(self.files, WORK).map(|file| file + 1).collect();
        let step = self.files / WORK;
        // Every tenth is the first one's, too.
        let of_second =
            (0..WORK).map(|number| of_first[number] + (number % 10).min(1) * (step / 2));
        let at_top = of_first.iter().map(|&file| (file, format!("// {round}\n{}", text(file, 0))));
        let at_end = of_second.map(|file| (file, format!("{}// {round}\n", text(file, 0))));
        Ok([self.commit_on_head("one", at_top)?, self.commit_on_head("two", at_end)?])
    }

    fn commit_on_head(
        &self,
        branch: &str,
        files: impl Iterator<Item = (usize, String)>,
    ) -> Result<String> {
        let mut stream = Vec::new();
        begin_commit(&mut stream, branch, "work");
        stream.extend(format!("from {}\n", self.head).bytes());
        files.for_each(|(number, text)| put(&mut stream, number, &text));
        import(&self.top, &["--force"], &stream)?;
        git(&self.top, &["rev-parse", branch])
    }

    /// Puts other text into some of the files of a checkout, with no two rounds alike.
    pub(crate) fn change(&self, checkout: &Path, round: usize) -> Result<()> {
        self.change_many(checkout, CHANGED, round)
    }

    /// The same with so many files.
    pub(crate) fn change_many(&self, checkout: &Path, count: usize, round: usize) -> Result<()> {
        for number in spread(self.files, count) {
            fs::write(checkout.join(path(number)), text(number, round + 2))?;
        }
        Ok(())
    }
}

fn commit(stream: &mut Vec<u8>, message: &str, files: impl Iterator<Item = (usize, usize)>) {
    begin_commit(stream, "main", message);
    files.for_each(|(number, version)| put(stream, number, &text(number, version)));
}

fn begin_commit(stream: &mut Vec<u8>, branch: &str, message: &str) {
    let committer = "committer bench <bench@localhost> 1790000000 +0000";
    let length = message.len();
    let head = format!("commit refs/heads/{branch}\n{committer}\ndata {length}\n{message}\n");
    stream.extend(head.bytes());
}

fn put(stream: &mut Vec<u8>, number: usize, text: &str) {
    let path = path(number);
    stream.extend(format!("M 100644 inline {path}\ndata {}\n{text}\n", text.len()).bytes());
}

fn import(top: &Path, options: &[&str], stream: &[u8]) -> Result<()> {
    let mut import = command(top, &[&["fast-import", "--quiet"], options].concat());
    let mut import = import.stdin(Stdio::piped()).spawn()?;
    import.stdin.take().ok_or("git takes no input")?.write_all(stream)?;
    if import.wait()?.success() { Ok(()) } else { Err("git fast-import failed".into()) }
}

/// So many numbers below `files`, far from one another.
fn spread(files: usize, count: usize) -> impl Iterator<Item = usize> {
    let step = (files / count).max(1);
    (0..files).step_by(step).take(count)
}

fn path(number: usize) -> String {
    let (folder, file) = (number / FOLDER, number % FOLDER);
    let (module, folder) = (folder / MODULE, folder % MODULE);
    let (package, module) = (module / PACKAGE, module % PACKAGE);
    format!("packages/package-{package}/src/module_{module}/part_{folder}/file_{file}.rs")
}

/// A kilobyte or two, of which a few words differ.
pub(crate) fn text(number: usize, version: usize) -> String {
    let line = format!("pub const VALUE_{number}: usize = {number} + {version};\n");
    line.repeat(20 + number % 20)
}

/// Runs git with no configuration of this machine; gives its standard output, trimmed.
pub(crate) fn git(place: &Path, arguments: &[&str]) -> Result<String> {
    let output = command(place, arguments).output()?;
    if !output.status.success() {
        let complaint = String::from_utf8_lossy(&output.stderr);
        return Err(format!("git {arguments:?}: {complaint}").into());
    }
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}

pub(crate) fn command(place: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new("git");
    command.current_dir(place).args(arguments);
    command.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1");
    // Whoever only looks writes nothing, as our own calls do.
    command.env("GIT_OPTIONAL_LOCKS", "0");
    command
}
