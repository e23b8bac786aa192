//! What users and agents do in a folder, drawn at random, as lines of `sh`. What git or the system refuses is not done.

use orchestra_testkit::Dice;

/// Few names, so that steps meet one another; some are ignored, some are no text, two differ in their case alone.
const NAMES: [&[u8]; 15] = [
    b"a",
    b"b",
    b"a/b",
    b"a/b/c",
    b"d/a",
    b"d/.gitignore",
    b"B",
    b"x.log",
    b"d/x.log",
    b"out/a",
    b"w.crlf",
    b"f.flt",
    b"line\nbreak",
    b"\xff",
    b"-q \"*'",
];

/// Two of them have the same length.
const CONTENTS: [&str; 5] = [r"one\n", r"two\n", r"three\r\n\000", "", r"four\r\nfive\n"];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Who {
    User,
    /// One who must not end what he is in the middle of.
    UserInTheMiddle,
    Agent,
}

/// So many steps, each a line.
pub(super) fn draw(dice: &mut Dice, who: Who, count: u64) -> Vec<u8> {
    (0..count).flat_map(|_| [&step(dice, who)[..], b"\n"].concat()).collect()
}

fn step(dice: &mut Dice, who: Who) -> Vec<u8> {
    let name = quoted(dice.pick(&NAMES));
    let other = quoted(dice.pick(&NAMES));
    let content = dice.pick(&CONTENTS);
    let git = |words: &str, name: &[u8]| {
        [b"git --literal-pathspecs ", words.as_bytes(), b" -- ", name].concat()
    };
    let to_parent = |name: &[u8]| [b"mkdir -p \"$(dirname ", name, b")\"; "].concat();
    match dice.below(if who == Who::UserInTheMiddle { 14 } else { 20 }) {
        0..5 => {
            let write = format!("printf '{content}' > ");
            [&to_parent(&name)[..], write.as_bytes(), &name].concat()
        }
        5 | 6 => [&to_parent(&name)[..], b"ln -sn ", &other, b" ", &name].concat(),
        7 | 8 => [b"rm -rf ", &name[..]].concat(),
        9 => [&to_parent(&other)[..], b"mv ", &name, b" ", &other].concat(),
        10 => b"test -e b && mv b B || mv B b".to_vec(),
        11 => [b"test -L ", &name[..], b" || test -d ", &name, b" || chmod a+x ", &name].concat(),
        12 => git("add", &name),
        13 => match dice.below(3) {
            0 => git("rm -r -q -f --cached", &name),
            1 => git("add --intent-to-add", &name),
            _ => git("update-index --assume-unchanged", &name),
        },
        14 => b"git add --all".to_vec(),
        15 | 16 => b"git add --all; git commit --quiet --allow-empty -m more".to_vec(),
        17 => b"git commit --quiet -am tracked".to_vec(),
        18 => b"git stash --quiet".to_vec(),
        _ if who == Who::Agent => (*dice.pick(&REWRITES)).as_bytes().to_vec(),
        _ => b"git checkout --quiet -- .".to_vec(),
    }
}

/// What an agent may also do to the history and the repository, which are its own.
const REWRITES: [&&str; 7] = [
    &"git commit --quiet --amend --allow-empty -m rewritten",
    &"git checkout --quiet -b other",
    &"git checkout --quiet --orphan fresh; git commit --quiet -m fresh",
    &"git reset --quiet --soft HEAD~1",
    &"git commit --quiet --allow-empty -m x; GIT_SEQUENCE_EDITOR='sed -i 1ibreak' git rebase --quiet -i HEAD~1",
    &"git update-ref -d HEAD",
    &"rm -rf .git",
];

/// As a word of `sh`, below the current folder.
fn quoted(name: &[u8]) -> Vec<u8> {
    let text: Vec<u8> = name
        .iter()
        .flat_map(|&byte| if byte == b'\'' { b"'\\''".to_vec() } else { vec![byte] })
        .collect();
    [b"'./", &text[..], b"'"].concat()
}
