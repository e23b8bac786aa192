//! One round of bringing two works together, comparing what came out with the base, and choosing of it.

use crate::{
    Result,
    measuring::Rows,
    repository::{Repository, command, git},
};
use orchestra_core::{ids::HunkId, review};
use orchestra_vcs::{
    collect::Author,
    merge::{self, Merged, Work, merge},
    review::{CompareRequest, Limits, SelectRequest, compare, select},
};
use std::{collections::BTreeSet, fs, path::Path, process::Stdio};

/// Nothing here is too large.
const ROOM: u64 = 1 << 30;

/// What holds the commit that git's own steps make.
const RECORDED: &str = "refs/orchestra/bench/recorded";

/// The first round is there to warm up.
pub(crate) fn rows(folder: &Path, repository: &Repository, measured: usize) -> Result<Rows> {
    let scratch = folder.join("scratch");
    fs::create_dir(&scratch)?;
    let mut rows = Rows::default();
    for round in 0..=measured {
        Round { repository, folder, scratch: &scratch, round }.measure(&mut rows)?;
    }
    Ok(rows)
}

struct Round<'a> {
    repository: &'a Repository,
    folder: &'a Path,
    scratch: &'a Path,
    round: usize,
}

impl Round<'_> {
    fn measure(&self, rows: &mut Rows) -> Result<()> {
        let works = self.repository.works(self.round)?;
        let objects = self.folder.join(format!("objects-{}", self.round));
        fs::create_dir(&objects)?;
        rows.time("git merge-tree", || merge_tree(&self.repository.top, &objects, &works))?;
        let round = self.round;
        rows.time("git merge-tree, and what records it", || {
            let objects = self.folder.join(format!("recorded-{round}"));
            fs::create_dir(&objects)?;
            recorded(&self.repository.top, &objects, &self.repository.head, &works)
        })?;
        // Nobody else finds its commit.
        git(&self.repository.top, &["update-ref", "-d", RECORDED])?;
        let merged = rows.time("merge", || self.merged(&works))?;
        let (top, base) = (&self.repository.top, self.repository.head.as_str());
        rows.time("git diff", || {
            let mut diff = command(top, &["diff", base, &merged]);
            Ok(diff.stdout(Stdio::null()).status()?)
        })?;
        let review = rows.time("review", || self.reviewed(&works, &merged))?;
        let ids = review.hunks().map(|(_, hunk)| hunk.id);
        let half: BTreeSet<HunkId> = ids.step_by(2).collect();
        rows.time("every other hunk", || {
            Ok(select(&SelectRequest {
                root: top,
                scratch: self.scratch,
                base,
                result: &merged,
                limits: Limits { file: ROOM, total: ROOM },
                accepted: &half,
                reference: "refs/orchestra/bench/accepted",
                subject: "measured",
            })?)
        })?;
        Ok(())
    }

    fn merged(&self, works: &[String; 2]) -> Result<String> {
        let [one, two] = works;
        let works = [Work { commit: one, name: "r1.1" }, Work { commit: two, name: "r1.2" }];
        let merged = merge(&merge::Request {
            root: &self.repository.top,
            scratch: self.scratch,
            reference: &format!("refs/orchestra/bench/merge/{}", self.round),
            base: &self.repository.head,
            works: &works,
            subject: "measured",
            author: Author {
                agent: "bench",
                run: "r1",
                task: "r1.3",
                attempt: "r1.3@1",
                model: None,
            },
            resolutions: &[],
            limits: merge::Limits { file: ROOM, total: ROOM },
        })?;
        match merged {
            Merged::Whole(change) => Ok(change.commit.ok_or("nothing was merged")?),
            Merged::Conflicts(conflicted) => Err(format!("{conflicted:?}").into()),
        }
    }

    fn reviewed(&self, works: &[String; 2], merged: &str) -> Result<review::Review> {
        let work = |(number, commit): (usize, &String)| {
            Ok(review::Work {
                attempt: format!("r1.{number}@1").parse()?,
                step: "code".parse()?,
                agent: "bench".to_owned(),
                model: None,
                base: self.repository.head.clone(),
                commit: commit.clone(),
            })
        };
        let works: Vec<review::Work> = (1..).zip(works).map(work).collect::<Result<_>>()?;
        Ok(compare(&CompareRequest {
            root: &self.repository.top,
            scratch: self.scratch,
            base: &self.repository.head,
            result: merged,
            works: &works,
            limits: Limits { file: ROOM, total: ROOM },
        })?)
    }
}

/// Into objects of its own: what it writes into the user's, nobody would have to write again.
fn merge_tree(top: &Path, objects: &Path, works: &[String; 2]) -> Result<()> {
    let [one, two] = works;
    asked(top, objects, &["merge-tree", "--write-tree", one, two]).map(drop)
}

/// The same, with a commit that a reference holds, and the lines of every file that has changed.
fn recorded(top: &Path, objects: &Path, base: &str, works: &[String; 2]) -> Result<()> {
    let [one, two] = works;
    let tree = asked(top, objects, &["merge-tree", "--write-tree", one, two])?;
    asked(top, objects, &["diff-tree", "-r", "--raw", "--numstat", base, &tree])?;
    let commit = ["commit-tree", "-m", "measured", "-p", one, "-p", two, &tree];
    let commit = asked(top, objects, &commit)?;
    asked(top, objects, &["update-ref", RECORDED, &commit]).map(drop)
}

fn asked(top: &Path, objects: &Path, arguments: &[&str]) -> Result<String> {
    let mut asked = command(top, arguments);
    for name in ["GIT_AUTHOR_NAME", "GIT_COMMITTER_NAME", "GIT_AUTHOR_EMAIL", "GIT_COMMITTER_EMAIL"]
    {
        asked.env(name, "bench");
    }
    asked.env("GIT_OBJECT_DIRECTORY", objects);
    asked.env("GIT_ALTERNATE_OBJECT_DIRECTORIES", top.join(".git/objects"));
    let output = asked.output()?;
    if !output.status.success() {
        return Err(format!("git {arguments:?} failed").into());
    }
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}
