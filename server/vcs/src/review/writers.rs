//! Who wrote a hunk.
//!
//! Where one work alone has touched a file, and it is as that work left it, the hunks are that work's. Else
//! git's own blame says who wrote the lines that are new, and what each work by itself took out says whose
//! those are that are gone.

use super::{
    CompareRequest,
    hunks::{self, File, Part},
};
use crate::{
    GitError,
    bare::Bare,
    collect::{
        blobs,
        difference::{self, Difference, Side},
    },
    repo::diff::lines,
};
use orchestra_core::ports::{DiffLineKind, Hunk};
use std::{
    collections::{BTreeSet, HashMap, HashSet},
    ffi::OsStr,
    os::unix::ffi::OsStrExt as _,
};

/// What the works have done by themselves.
struct Works {
    /// By path: the number of each work that has touched it, and how.
    touched: HashMap<Vec<u8>, Vec<(u32, Difference)>>,
    /// Which commit belongs to which work.
    of_commit: HashMap<String, u32>,
}

/// For every part of every file, the numbers of the works that wrote it; none where that is not known.
pub(super) fn of(
    bare: &Bare,
    request: &CompareRequest<'_>,
    files: &[File],
) -> Result<Vec<Vec<Vec<u32>>>, GitError> {
    let works = Works::read(bare, request)?;
    files.iter().map(|file| works.of_file(bare, request, file)).collect()
}

impl Works {
    fn read(bare: &Bare, request: &CompareRequest<'_>) -> Result<Self, GitError> {
        let mut works = Self { touched: HashMap::new(), of_commit: HashMap::new() };
        for (number, work) in (0..).zip(request.works) {
            let git = bare.git("diff-tree");
            for difference in difference::read(git, &work.base, &work.commit, false)? {
                let touched = works.touched.entry(difference.path.clone()).or_default();
                touched.push((number, difference));
            }
            let git = bare.git("rev-list").args([&work.commit, &format!("^{}", work.base)]);
            for commit in String::from_utf8_lossy(&git.output()?).lines() {
                works.of_commit.entry(commit.to_owned()).or_insert(number);
            }
        }
        Ok(works)
    }

    fn of_file(
        &self,
        bare: &Bare,
        request: &CompareRequest<'_>,
        file: &File,
    ) -> Result<Vec<Vec<u32>>, GitError> {
        let touched = self.touched.get(&file.difference.path).map_or(&[][..], Vec::as_slice);
        let new = file.difference.new.as_ref();
        if let [(only, difference)] = touched
            && difference.new.as_ref() == new
        {
            return Ok(vec![vec![*only]; file.parts.len()]);
        }
        let is_text = file.parts.iter().any(|(_, part)| matches!(part, Part::Text(_)));
        let lines = match is_text {
            true => Some(Lines {
                blamed: self.blame(bare, request, file)?,
                own: own(bare, request, file, touched)?,
            }),
            false => None,
        };
        let of_part = |(_, part): &(_, Part)| {
            let writers = match (part, &lines) {
                (Part::Text(hunk), Some(lines)) => lines.writers(hunk),
                (Part::Mode, _) => modes(touched, new),
                (Part::Text(_) | Part::Whole, _) => entries(touched, new),
            };
            writers.into_iter().collect()
        };
        Ok(file.parts.iter().map(of_part).collect())
    }

    /// The work to which each line of the new side belongs, by its number.
    fn blame(
        &self,
        bare: &Bare,
        request: &CompareRequest<'_>,
        file: &File,
    ) -> Result<HashMap<u32, u32>, GitError> {
        let mut found = HashMap::new();
        if file.difference.new.is_none() {
            return Ok(found);
        }
        let git = bare.git("blame").args(["--incremental"]);
        let git = git.args([&format!("{}..{}", request.base, request.result), "--"]);
        let path = OsStr::from_bytes(&file.difference.path);
        git.args([path]).stream(|pipe| {
            let mut line = Vec::new();
            while pipe.read_until(b'\n', &mut line)? > 0 {
                // `<commit> <line there> <line here> <count>`; what else is said begins with a word.
                let text = String::from_utf8_lossy(&line);
                let words: Vec<&str> = text.trim_end().split(' ').collect();
                if let [commit, _, first, count] = words.as_slice()
                    && let Some(work) = self.of_commit.get(*commit)
                    && let (Ok(first), Ok(count)) = (first.parse::<u32>(), count.parse::<u32>())
                {
                    found.extend((first..first.saturating_add(count)).map(|line| (line, *work)));
                }
                line.clear();
            }
            Ok(())
        })?;
        Ok(found)
    }
}

/// Whose the lines of one file are.
struct Lines {
    /// By the number of a line on the new side, as blame has it.
    blamed: HashMap<u32, u32>,
    own: Vec<(u32, Own)>,
}

/// What one work by itself has done to a file.
struct Own {
    removed: Removed,
    /// Their texts. Where they are when all works are together, nobody knows.
    added: HashSet<Vec<u8>>,
}

/// Lines that one work has taken out.
enum Removed {
    /// By their numbers in the base.
    Numbers(HashSet<u32>),
    /// By their text, where the work began with another one.
    Texts(HashSet<Vec<u8>>),
}

impl Lines {
    fn writers(&self, hunk: &Hunk) -> BTreeSet<u32> {
        let mut writers = BTreeSet::new();
        let (mut old, mut new) = (hunk.old_start, hunk.new_start);
        for line in &hunk.lines {
            match line.kind {
                DiffLineKind::Context => (old, new) = (old + 1, new + 1),
                DiffLineKind::Added => {
                    match self.blamed.get(&new) {
                        Some(work) => drop(writers.insert(*work)),
                        // It is from the base: somebody has moved it here, perhaps with its file.
                        None => {
                            writers.extend(self.who(|own| own.added.contains(&line.content)));
                        }
                    }
                    new += 1;
                }
                DiffLineKind::Removed => {
                    writers.extend(self.who(|own| match &own.removed {
                        Removed::Numbers(numbers) => numbers.contains(&old),
                        Removed::Texts(texts) => texts.contains(&line.content),
                    }));
                    old += 1;
                }
            }
        }
        writers
    }

    fn who(&self, has: impl Fn(&Own) -> bool) -> impl Iterator<Item = u32> {
        self.own.iter().filter(move |(_, own)| has(own)).map(|(work, _)| *work)
    }
}

/// What each work by itself has done to a file.
fn own(
    bare: &Bare,
    request: &CompareRequest<'_>,
    file: &File,
    touched: &[(u32, Difference)],
) -> Result<Vec<(u32, Own)>, GitError> {
    let base = file.difference.old.as_ref();
    let mut found = Vec::new();
    for (work, difference) in touched {
        let sides = [&difference.old, &difference.new];
        let sides = sides.map(|side| side.as_ref().filter(|side| side.is_file()));
        let of_sides: Vec<(usize, &str)> = (0..)
            .zip(sides)
            .filter_map(|(number, side)| Some((number, side?.id.as_str())))
            .collect();
        let ids: Vec<&str> = of_sides.iter().map(|(_, id)| *id).collect();
        let mut contents = [Vec::new(), Vec::new()];
        blobs::contents(bare.git("cat-file"), &ids, request.limits.file, |number, content| {
            contents[of_sides[number].0] = content.to_owned();
        })?;
        let [old, new] = &contents;
        let (mut added, mut texts, mut numbers) = (HashSet::new(), HashSet::new(), HashSet::new());
        // Without context, those that are removed follow one another.
        for hunk in lines::hunks(old, new, 0).map_err(|error| hunks::failed(bare, file, &error))? {
            numbers.extend(hunk.old_start..hunk.old_start + hunk.old_lines);
            for line in hunk.lines {
                match line.kind {
                    DiffLineKind::Context => {}
                    DiffLineKind::Added => drop(added.insert(line.content)),
                    DiffLineKind::Removed => drop(texts.insert(line.content)),
                }
            }
        }
        let began_with = |old: &Side| base.is_some_and(|base| base.id == old.id);
        let removed = match sides[0] {
            Some(old) if began_with(old) => Removed::Numbers(numbers),
            Some(_) | None => Removed::Texts(texts),
        };
        found.push((*work, Own { removed, added }));
    }
    Ok(found)
}

/// Who has given the file the mode that it has.
fn modes(touched: &[(u32, Difference)], new: Option<&Side>) -> BTreeSet<u32> {
    let mode = |side: Option<&Side>| side.map(|side| side.mode.clone());
    let has = |difference: &Difference| {
        let (before, after) = (mode(difference.old.as_ref()), mode(difference.new.as_ref()));
        before != after && after == mode(new)
    };
    touched.iter().filter(|(_, difference)| has(difference)).map(|(work, _)| *work).collect()
}

/// Who has made the file what it is; all that have touched it where none has left it so.
fn entries(touched: &[(u32, Difference)], new: Option<&Side>) -> BTreeSet<u32> {
    let as_it_is = touched.iter().filter(|(_, difference)| difference.new.as_ref() == new);
    let exact: BTreeSet<u32> = as_it_is.map(|(work, _)| *work).collect();
    if exact.is_empty() { touched.iter().map(|(work, _)| *work).collect() } else { exact }
}
