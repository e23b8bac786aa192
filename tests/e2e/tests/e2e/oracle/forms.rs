//! The kinds of repositories in which people work, and what they have switched on in them, as lines of `sh`.

use orchestra_testkit::Dice;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Branch,
    Detached,
    Unborn,
    LinkedWorktree,
    Submodule,
    Sparse,
    Partial,
    Shallow,
    Reftable,
    Sha256,
    Merging,
    Rebasing,
}

/// Files that attributes and rules are about. `.crlf` ends its lines as on Windows, `.flt` goes through a filter of the
/// user when it is added, and pointers of LFS stay pointers where LFS is not installed.
const FIRST: &str = r"
printf '*.log\nout/\n' > .gitignore
printf '*.crlf text eol=crlf\n*.flt filter=up\n*.lfs filter=lfs diff=lfs merge=lfs -text\n' > .gitattributes
mkdir -p d
printf 'one\n' > a; printf 'two\n' > b; printf 'three\n' > d/a; printf 'one\r\ntwo\r\n' > w.crlf
printf 'text\n' > f.flt
printf 'version https://git-lfs.github.com/spec/v1\noid sha256:%064d\nsize 3\n' 7 > big.lfs
git config filter.up.clean 'tr a-z A-Z'; git config filter.up.smudge 'tr A-Z a-z'
";

const COMMITTED: &str = r"
git add --all; git commit --quiet -m first
printf 'kept aside\n' > b; git stash --quiet
git tag light; git tag -a -m words heavy; git notes add -m note; git branch another
printf 'again\n' >> d/a; git commit --quiet -am second
";

/// Another branch and this one have changed the same line of a file that nothing else is done to.
const CLASH: &str = r"
printf 'base\n' > clash; git add clash; git commit --quiet -m clash
git checkout --quiet -b theirs; printf 'theirs\n' > clash; git commit --quiet -am theirs
git checkout --quiet -; printf 'ours\n' > clash; git commit --quiet -am ours
";

impl Form {
    pub(super) const ALL: [Self; 12] = [
        Self::Branch,
        Self::Detached,
        Self::Unborn,
        Self::LinkedWorktree,
        Self::Submodule,
        Self::Sparse,
        Self::Partial,
        Self::Shallow,
        Self::Reftable,
        Self::Sha256,
        Self::Merging,
        Self::Rebasing,
    ];

    /// Makes it in the current folder, with the workspace at [`Form::workspace`].
    pub(super) fn script(self) -> String {
        let made = |option: &str| format!("git init --quiet {option} user; cd user{FIRST}");
        let committed = |option: &str| format!("{}{COMMITTED}", made(option));
        // The files of `origin` also lie in a folder that is not shown everywhere.
        let cloned = |options: &str| {
            format!(
                "git init --quiet origin; cd origin{FIRST}mkdir rest; printf 'far\\n' > rest/file\n{COMMITTED}\
                 git config uploadpack.allowFilter true\n\
                 git clone --quiet {options} \"file://$PWD\" ../user; cd ../user\n\
                 git config filter.up.clean 'tr a-z A-Z'; git config filter.up.smudge 'tr A-Z a-z'\n"
            )
        };
        match self {
            Self::Branch => committed(""),
            Self::Detached => format!("{}git checkout --quiet --detach\n", committed("")),
            Self::Unborn => made(""),
            Self::LinkedWorktree => {
                format!(
                    "{}git worktree add --quiet -b linked ../linked; cd ../linked\n",
                    committed("")
                )
            }
            Self::Submodule => format!(
                "git init --quiet library; (cd library{FIRST}{COMMITTED})\n\
                 git init --quiet user; cd user\n\
                 git -c protocol.file.allow=always submodule --quiet add ../library part\n\
                 git commit --quiet -m module; cd part\n\
                 git config filter.up.clean 'tr a-z A-Z'; git config filter.up.smudge 'tr A-Z a-z'\n"
            ),
            Self::Sparse => format!(
                "{}mkdir rest; printf 'far\\n' > rest/file; git add rest; git commit --quiet -m rest\n\
                 git sparse-checkout set d\n",
                committed("")
            ),
            Self::Partial => {
                format!("{}git sparse-checkout set d\n", cloned("--filter=blob:none --sparse"))
            }
            Self::Shallow => cloned("--depth=1"),
            Self::Reftable => committed("--ref-format=reftable"),
            Self::Sha256 => committed("--object-format=sha256"),
            Self::Merging => format!("{}{CLASH}git merge theirs > /dev/null\n", committed("")),
            Self::Rebasing => {
                format!("{}{CLASH}git rebase theirs > /dev/null 2>&1\n", committed(""))
            }
        }
    }

    /// The folder of the workspace, in the one in which the script ran.
    pub(super) fn workspace(self) -> &'static str {
        match self {
            Self::LinkedWorktree => "linked",
            Self::Submodule => "user/part",
            _ => "user",
        }
    }

    /// Whether something has not been resolved, which commits and the like would end.
    pub(super) fn is_unmerged(self) -> bool {
        matches!(self, Self::Merging | Self::Rebasing)
    }

    /// Whether there are files that neither the user nor the agent sees.
    pub(super) fn is_sparse(self) -> bool {
        matches!(self, Self::Sparse | Self::Partial)
    }
}

/// What a user may have switched on, which must not make anything of his run or change. `$1` is a program that
/// leaves a mark and fails.
pub(super) fn habits(dice: &mut Dice) -> String {
    const HABITS: [&str; 7] = [
        "git config commit.gpgSign true; git config tag.gpgSign true; git config gpg.program \"$1\"",
        "mkdir hooks-of-mine; for hook in pre-commit post-commit commit-msg post-checkout post-merge \
         post-index-change reference-transaction pre-auto-gc post-rewrite; do \
         cp \"$1\" hooks-of-mine/$hook; done; printf 'hooks-of-mine\\n' >> \"$(git rev-parse \
         --git-path info/exclude)\"; git config core.hooksPath \"$PWD/hooks-of-mine\"",
        "git config core.fsmonitor \"$1\"",
        "git config diff.external \"$1\"; git config core.editor \"$1\"; git config core.sshCommand \"$1\"",
        "git update-index --split-index",
        "git update-index --untracked-cache",
        "git config core.logAllRefUpdates always",
    ];
    let on = HABITS.iter().filter(|_| dice.once_in(2));
    on.map(|line| format!("{line}\n")).collect()
}
