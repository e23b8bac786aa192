//! What keys do, on a review of five hunks.

use super::*;
use crate::show::testing::{review, view};
use Verdict::{Accepted, Rejected};

fn pager(height: usize) -> Pager {
    Pager::new(review(), view(), vec!["r1 develop".to_owned()], Size { width: 80, height })
}

/// The keys of a text; `^` is Escape, `\n` Enter, `\t` Tab.
fn press(pager: &mut Pager, keys: &str) -> Vec<Action> {
    let key = |c| match c {
        '^' => Key::Escape,
        '\n' => Key::Enter,
        '\t' => Key::Tab,
        '<' => Key::Backspace,
        c => Key::Char(c),
    };
    keys.chars().filter_map(|c| pager.press(key(c))).collect()
}

/// Carries out what keys ask for, as somebody does for whom everything succeeds.
fn judge(pager: &mut Pager, keys: &str) {
    for key in keys.chars() {
        for action in press(pager, &key.to_string()) {
            match action {
                Action::Judge { selection, verdict } => pager.judged(&selection, verdict),
                other => panic!("{other:?}"),
            }
        }
    }
}

fn ids() -> Vec<HunkId> {
    review().hunks().map(|(_, hunk)| hunk.id).collect()
}

fn verdicts(pager: &Pager) -> Vec<Option<Verdict>> {
    ids().iter().map(|id| pager.view.verdicts.get(id).copied()).collect()
}

fn of_hunk(hunk: usize, verdict: Option<Verdict>) -> Action {
    let selection = Selection::Hunks { hunks: vec![ids()[hunk]] };
    Action::Judge { selection, verdict }
}

#[test]
fn a_key_judges_the_hunk_and_goes_on_to_the_next_undecided_one() {
    let mut pager = pager(30);
    assert_eq!(press(&mut pager, "y"), [of_hunk(0, Some(Accepted))]);
    // Nothing is taken for judged before it is recorded.
    assert_eq!((pager.current, verdicts(&pager)), (0, vec![None; 5]));
    judge(&mut pager, "yn");
    assert_eq!(pager.current, 2);
    assert_eq!(verdicts(&pager), [Some(Accepted), Some(Rejected), None, None, None]);
    // From the last one it goes on with the first that is left.
    judge(&mut pager, "KKu\t\t\t\ty");
    assert_eq!((pager.current, pager.count_undecided()), (0, 3));
    judge(&mut pager, "yyy");
    assert_eq!(pager.count_undecided(), 0);
    assert_eq!(pager.current, 3);
}

#[test]
fn a_file_and_everything_are_judged_at_once() {
    let mut pager = pager(30);
    let file = Selection::File { path: "a.py".to_owned() };
    assert_eq!(
        press(&mut pager, "Y"),
        [Action::Judge { selection: file, verdict: Some(Accepted) }]
    );
    judge(&mut pager, "N");
    assert_eq!(verdicts(&pager), [Some(Rejected), Some(Rejected), None, None, None]);
    assert_eq!(pager.current, 2);
    judge(&mut pager, "A");
    assert_eq!(verdicts(&pager), [Some(Accepted); 5]);
}

#[test]
fn it_opens_at_the_first_hunk_that_is_undecided() {
    let mut judged = view();
    judged.verdicts.insert(ids()[0], Rejected);
    judged.applied.insert(ids()[1]);
    let pager = Pager::new(review(), judged, Vec::new(), Size { width: 80, height: 6 });
    assert_eq!((pager.current, pager.count_undecided()), (2, 3));
    let shown: Vec<usize> = (pager.top..pager.top + 5).collect();
    assert!(shown.contains(&pager.layout.hunks[2].row), "{shown:?}");
}

#[test]
fn hunks_files_and_ends_are_gone_to() {
    let mut pager = pager(8);
    let mut after = |keys: &str| {
        press(&mut pager, keys);
        (pager.current, pager.message.clone())
    };
    assert_eq!(after("J"), (1, String::new()));
    assert_eq!(after("]"), (2, String::new()));
    assert_eq!(after("]"), (3, String::new()));
    assert_eq!(after("]"), (3, "there is no further file in this direction".to_owned()));
    assert_eq!(after("["), (2, String::new()));
    assert_eq!(after("[K"), (0, "there is no further hunk in this direction".to_owned()));
    assert_eq!(after("[").1, "there is no further file in this direction");
    assert_eq!(after("G").0, 2, "the first hunk on the last screen");
    assert_eq!(after("g"), (0, String::new()));
    assert_eq!(after("x").1, "that key does nothing; ? shows those that do");
}

#[test]
fn scrolling_stops_at_both_ends_and_takes_the_current_hunk_along() {
    let mut pager = pager(6);
    let lines = pager.lines();
    assert_eq!((lines, pager.room()), (19, 5));
    press(&mut pager, "k");
    assert_eq!(pager.top, 0);
    press(&mut pager, "  ");
    assert_eq!(pager.top, 8);
    assert_eq!(pager.current, 1, "of hunk 1 its last lines are still to be seen");
    press(&mut pager, "     ");
    assert_eq!(pager.top, lines - 5);
    pager.press(Key::Ctrl('u'));
    assert_eq!(pager.top, lines - 7);
    press(&mut pager, "b\n");
    assert_eq!(pager.top, lines - 10);
}

#[test]
fn what_is_searched_for_is_found_forward_back_and_round_the_end() {
    let mut pager = pager(6);
    press(&mut pager, "/MORE\n");
    assert_eq!(pager.message, "not found: MORE", "capitals matter when there are any");
    press(&mut pager, "/more\n");
    let found = pager.top;
    assert_eq!(pager.line(found).as_deref(), Some("+# more"));
    assert_eq!(pager.current, 1);
    press(&mut pager, ";");
    assert_eq!(pager.top, found, "it is the only one");
    press(&mut pager, "/by\n");
    assert_eq!(pager.current, 2);
    press(&mut pager, ",,");
    assert_eq!(pager.current, 0);
    press(&mut pager, ",");
    assert_eq!(pager.current, 4);
    // What is given up changes nothing.
    let before = pager.top;
    press(&mut pager, "/add^");
    press(&mut pager, "/x<<");
    assert_eq!((pager.top, &pager.mode), (before, &Mode::Look));
}

#[test]
fn a_comment_sends_a_hunk_or_everything_back() {
    let mut pager = pager(20);
    assert_eq!(
        press(&mut pager, "Jcuse q<Y\n"),
        [Action::SendBack { comment: "use Y".to_owned(), hunks: vec![ids()[1]] }]
    );
    assert_eq!(
        press(&mut pager, "Cno\n"),
        [Action::SendBack { comment: "no".to_owned(), hunks: Vec::new() }]
    );
    assert_eq!(press(&mut pager, "c \n"), []);
    assert_eq!(pager.message, "nothing was said, so nothing is sent back");
    assert_eq!(press(&mut pager, "cnever mind^"), []);
    assert_eq!(pager.mode, Mode::Look);
}

#[test]
fn applying_asks_when_something_is_undecided() {
    let mut pager = pager(20);
    assert_eq!(press(&mut pager, "a"), [Action::Apply], "nothing is judged: all is meant");
    judge(&mut pager, "n");
    assert_eq!(press(&mut pager, "a"), []);
    assert_eq!(pager.message, "nothing is accepted: y accepts a hunk, A everything");
    judge(&mut pager, "y");
    assert_eq!(press(&mut pager, "an"), []);
    assert_eq!(press(&mut pager, "ay"), [Action::Apply]);
    judge(&mut pager, "A");
    assert_eq!(press(&mut pager, "a"), [Action::Apply]);
}

#[test]
fn q_and_ctrl_c_leave_and_help_is_left_by_any_key() {
    let mut pager = pager(20);
    assert_eq!(press(&mut pager, "q"), [Action::Quit]);
    assert_eq!(press(&mut pager, "?q"), []);
    assert_eq!(pager.mode, Mode::Look);
    press(&mut pager, "c");
    assert_eq!(pager.press(Key::Ctrl('c')), Some(Action::Quit));
}

#[test]
fn a_review_of_nothing_takes_every_key() {
    let empty = Review { files: Vec::new(), ..review() };
    let mut pager = Pager::new(empty, view(), Vec::new(), Size { width: 80, height: 24 });
    assert_eq!(press(&mut pager, "ynuYNJK[]jk b gG;,/x\n?\tc^"), []);
    assert_eq!(pager.draw().len(), 24);
}

#[test]
fn every_size_of_a_terminal_is_filled_and_never_overrun() {
    let keys = ["", "y", "G", "?", "/äé", "cwhat shall be different", "na", "x"];
    for keys in keys {
        for width in [0, 1, 2, 9, 40, 200] {
            for height in [0, 1, 2, 3, 10, 100] {
                let mut pager = pager(10);
                judge(&mut pager, if keys == "na" { "ny" } else { "" });
                press(&mut pager, keys);
                pager.resize(Size { width, height });
                let lines = pager.draw();
                assert_eq!(lines.len(), height, "{keys} {width}x{height}");
                for line in lines {
                    let taken = console::measure_text_width(&line);
                    assert!(taken <= width, "{keys} {width}x{height}: {line:?}");
                }
            }
        }
    }
}

#[test]
fn the_screen_shows_the_current_hunk_and_where_one_stands() {
    let mut pager = pager(7);
    judge(&mut pager, "y");
    let lines: Vec<String> =
        pager.draw().iter().map(|line| console::strip_ansi_codes(line).into_owned()).collect();
    let shown: Vec<&str> = lines.iter().map(String::as_str).collect();
    assert_eq!(
        shown,
        [
            "▌@@ -9,1 +9,2 @@  aa02000000  by code (coder, r1.2@1, m1) and tests (tester, r1…",
            "▌ end",
            "▌+# more",
            "▌\\ No newline at end of file",
            " .github/ci.yml  added, 1 hunk, +1 -0",
            "   look at this: ci",
            "hunk 2/5: undecided | 1 accepted, 0 rejected, 4 undecided | y n u Y N A c a q, …",
        ]
    );
}
