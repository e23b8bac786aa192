//! One round: everything once, in the order in which a run does it.

use crate::{
    Result,
    measuring::Rows,
    repository::{Repository, git, text},
};
use orchestra_vcs::{
    collect::{self, Author},
    snapshot, state,
    trees::{Clean, DiskLimit, Pool, Purpose, Tree, TreeRequest},
    wrapper::Wrapper,
};
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

/// How many files an agent adds when it adds many, and how many of them to a folder.
const NEW: usize = 1_000;
const NEW_IN_FOLDER: usize = 50;

/// No file here is held back.
const ROOM: u64 = 1 << 30;

pub(crate) struct Rounds<'a> {
    repository: &'a Repository,
    folder: &'a Path,
    scratch: PathBuf,
    wrapper: Option<Wrapper>,
    /// Keeps its slot from one round to the next.
    pool: Pool,
    rows: Rows,
    round: usize,
}

impl<'a> Rounds<'a> {
    pub(crate) fn new(
        folder: &'a Path,
        repository: &'a Repository,
        wrapper: Option<Wrapper>,
    ) -> Result<Self> {
        let scratch = folder.join("scratch");
        fs::create_dir(&scratch)?;
        let pool = Pool::open(folder.join("pool"), repository.top.clone());
        let rows = Rows::default();
        Ok(Self { repository, folder, scratch, wrapper, pool, rows, round: 0 })
    }

    pub(crate) fn rows(self) -> BTreeMap<&'static str, Vec<f64>> {
        self.rows.0
    }

    /// The first round makes the slot that it and the others use.
    pub(crate) fn all_but_new_trees(&mut self) -> Result<()> {
        self.round += 1;
        self.snapshots()?;
        self.used_trees()
    }

    fn snapshots(&mut self) -> Result<()> {
        let top = &self.repository.top;
        self.rows.status("git status, quiet", top)?;
        self.rows.time("what is not committed, quiet", || Ok(state::uncommitted(top, 20)?))?;
        self.snapshot("snapshot, quiet")?;

        self.repository.change(top, self.round)?;
        self.rows.status("git status, 10 changed", top)?;
        self.snapshot("snapshot, 10 changed")?;
        git(top, &["reset", "-q", "--hard"])?;

        // As after a copy or a restored backup: every file has to be read.
        let (index, aside) = (top.join(".git/index"), top.join(".git/index-aside"));
        fs::rename(&index, &aside)?;
        git(top, &["read-tree", "HEAD"])?;
        self.rows.status("git status, times unknown", top)?;
        self.snapshot("snapshot, times unknown")?;
        Ok(fs::rename(aside, index)?)
    }

    fn snapshot(&mut self, row: &'static str) -> Result<()> {
        let reference = self.reference(row);
        self.rows.time(row, || {
            Ok(snapshot::take(&snapshot::Request {
                root: &self.repository.top,
                scratch: &self.scratch,
                reference: &reference,
                buffers: &[],
                with_conflicts: false,
                run_filters: true,
                limits: snapshot::Limits { file: ROOM, total: ROOM },
                subject: "measured",
                wrapper: None,
            })?)
        })?;
        Ok(())
    }

    /// A place for a result that nothing has yet.
    fn reference(&self, row: &str) -> String {
        format!("refs/orchestra/bench/{}/{}", row.replace([' ', ','], "-"), self.round)
    }

    pub(crate) fn new_trees(&mut self) -> Result<()> {
        let (top, place) = (&self.repository.top, self.folder.join("checkout"));
        let shown = place.to_str().ok_or("the folder's name is no text")?;
        self.rows.time("git worktree add", || {
            git(top, &["worktree", "add", "-q", "--detach", shown, "HEAD"])
        })?;
        git(top, &["worktree", "remove", "--force", shown])?;
        self.rows
            .time("git clone --shared", || git(top, &["clone", "-q", "--shared", ".", shown]))?;
        fs::remove_dir_all(&place)?;

        let pool = Pool::open(self.folder.join("fresh"), top.clone());
        let mut rows = std::mem::take(&mut self.rows);
        rows.time("tree, new slot", || acquire(&pool, HOLDER, &self.repository.head))?;
        self.rows = rows;
        Ok(pool.discard(HOLDER)?)
    }

    fn used_trees(&mut self) -> Result<()> {
        let head = self.repository.head.as_str();
        let tree = self.tree("tree, used slot, same commit", head)?;
        self.rows.status("git status in the tree, quiet", &tree.src)?;
        self.collect("collect, nothing changed", &tree)?;

        self.repository.change(&tree.src, self.round)?;
        self.rows.status("git status in the tree, 10 changed", &tree.src)?;
        self.collect("collect, 10 changed", &tree)?;
        self.pool.release(HOLDER)?;

        // Ten files were left changed, and the same ten differ between the commits.
        self.tree("tree, used slot, 10 files differ", &self.repository.before)?;
        self.pool.release(HOLDER)?;

        let tree = acquire(&self.pool, HOLDER, head)?;
        for number in 0..NEW {
            let folder = tree.src.join(format!("new/{}", number / NEW_IN_FOLDER));
            fs::create_dir_all(&folder)?;
            fs::write(folder.join(format!("{number}.rs")), text(number, self.round))?;
        }
        self.rows.status("git status in the tree, 1000 new", &tree.src)?;
        self.collect("collect, 1000 new", &tree)?;
        self.pool.release(HOLDER)?;
        // Removes the new files, which no round's first tree is to pay for.
        acquire(&self.pool, HOLDER, head)?;
        Ok(self.pool.release(HOLDER)?)
    }

    fn tree(&mut self, row: &'static str, commit: &str) -> Result<Tree> {
        let mut rows = std::mem::take(&mut self.rows);
        let tree = rows.time(row, || acquire(&self.pool, HOLDER, commit));
        self.rows = rows;
        tree
    }

    fn collect(&mut self, row: &'static str, tree: &Tree) -> Result<()> {
        let reference = self.reference(row);
        self.rows.time(row, || {
            Ok(collect::collect(&collect::Request {
                root: &self.repository.top,
                src: &tree.src,
                base: &tree.commit,
                index: Some(&tree.index),
                scratch: &self.scratch,
                reference: &reference,
                author: Author {
                    agent: "bench",
                    run: "r1",
                    task: "r1.1",
                    attempt: "r1.1@1",
                    model: None,
                },
                subject: "measured",
                limits: collect::Limits { file: ROOM, total: ROOM, count: 1 << 20, scan: ROOM },
                included: &[],
                suspects: &|_, _, _| None,
                wrapper: self.wrapper.as_ref(),
            })?)
        })?;
        Ok(())
    }
}

/// Who has the trees here.
const HOLDER: &str = "r1.1-1";

/// A tree to write in.
pub(crate) fn acquire(pool: &Pool, holder: &str, commit: &str) -> Result<Tree> {
    Ok(pool.acquire(&TreeRequest {
        purpose: Purpose::Write,
        holder,
        commit,
        sparse: &[],
        keep: &[],
        copy: &[],
        clean: Clean::Kept,
        limit: DiskLimit::NONE,
        private: false,
    })?)
}
