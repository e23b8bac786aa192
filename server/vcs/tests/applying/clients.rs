//! Files that a client has open are the client's to write.

use crate::support::{Sandbox, Wish, assert_applied, ready, write};
use orchestra_core::operation::{FilePlan, FileState, Owner};
use orchestra_vcs::{
    apply::{check_client, for_client},
    snapshot::Buffer,
};

const TEXT: &str = "one\ntwo\nthree\nfour\nfive\n";

fn planned(path: &str, owner: Owner) -> FilePlan {
    FilePlan { path: path.to_owned(), owner }
}

const REFERENCES: &str = "refs/orchestra/abcdefgh/backup/o1";

#[test]
fn unsaved_text_wins_over_the_disk_and_its_client_is_the_owner() {
    let sandbox = Sandbox::with(&[("a", TEXT), ("open", "o\n"), ("b", "b\n"), ("shut", "s\n")]);
    let work = sandbox.work(|agent| {
        write(agent, "a", TEXT.replace("one", "ONE"));
        write(agent, "open", "opened\n");
        write(agent, "b", "changed\n");
        std::fs::remove_file(agent.join("shut")).unwrap();
    });
    sandbox.write("a", TEXT.replace("three", "saved"));
    let unsaved = TEXT.replace("five", "unsaved");
    let wish = Wish {
        buffers: vec![Buffer { path: "a".into(), content: unsaved.clone().into_bytes() }],
        open: vec!["open".to_owned(), "shut".to_owned(), "not-there".to_owned()],
        ..Wish::default()
    };
    let transition = ready(sandbox.prepare(1, &work, &wish));
    let expected = [
        planned("a", Owner::Client),
        planned("b", Owner::Disk),
        planned("open", Owner::Client),
        planned("shut", Owner::Client),
    ];
    assert_eq!(transition.files, expected);
    assert_eq!(sandbox.shown(&transition.before)["a"], unsaved);

    assert_applied(&sandbox.carry_out(1, &transition.files));
    assert_eq!(sandbox.read("a"), TEXT.replace("three", "saved"), "not ours to write");
    assert_eq!((sandbox.read("open"), sandbox.read("b")), ("o\n".into(), "changed\n".into()));

    let user = sandbox.user();
    let text = |path| for_client(&user, REFERENCES, path).unwrap();
    let wanted = unsaved.replace("one", "ONE").into_bytes();
    assert_eq!(text("a"), Some(wanted.clone()));
    assert_eq!(text("open"), Some(b"opened\n".to_vec()));
    assert_eq!(text("shut"), None);
    let check = |now: Option<&[u8]>| check_client(&user, REFERENCES, "a", now).unwrap();
    assert_eq!(check(Some(&wanted)), FileState::Applied);
    assert_eq!(check(Some(unsaved.as_bytes())), FileState::Unanswered);
    assert_eq!(check(Some(b"typed since\n")), FileState::ChangedMeanwhile);
    assert_eq!(check(None), FileState::ChangedMeanwhile);
    assert_eq!(check_client(&user, REFERENCES, "shut", None).unwrap(), FileState::Applied);
    let error = for_client(&user, REFERENCES, "other").unwrap_err();
    assert_eq!(error.to_string(), "the operation has no file \"other\"");

    // What lay under the text that was not saved is kept, too.
    let kept = sandbox.git(&["show", &format!("{REFERENCES}/raw:saved/a")]);
    assert_eq!(kept, TEXT.replace("three", "saved").trim());
}

#[test]
fn a_buffer_is_taken_back_by_what_was_in_it() {
    let sandbox = Sandbox::with(&[("a", TEXT)]);
    let work = sandbox.work(|agent| write(agent, "a", TEXT.replace("one", "ONE")));
    let unsaved = TEXT.replace("five", "unsaved");
    let with = |text: &str| Wish {
        buffers: vec![Buffer { path: "a".into(), content: text.as_bytes().to_owned() }],
        ..Wish::default()
    };
    let done = ready(sandbox.prepare(1, &work, &with(&unsaved)));
    let taken = for_client(&sandbox.user(), REFERENCES, "a").unwrap().unwrap();
    let taken = String::from_utf8(taken).unwrap();

    let back = crate::support::Work { base: done.after, theirs: done.before };
    let undo = ready(sandbox.try_prepare(2, &back, &with(&taken), Some(REFERENCES)).unwrap());
    assert_eq!(undo.files, [planned("a", Owner::Client)]);
    let second = REFERENCES.replace("o1", "o2");
    let text = for_client(&sandbox.user(), &second, "a").unwrap();
    assert_eq!(text, Some(unsaved.into_bytes()));
}

#[test]
fn a_new_file_that_is_only_in_a_buffer_is_the_clients() {
    let sandbox = Sandbox::with(&[("a", TEXT)]);
    sandbox.write("new", "1\n2\n3\n4\n5\n");
    let work = sandbox.work(|agent| write(agent, "new", "one\n2\n3\n4\n5\n"));
    std::fs::remove_file(sandbox.user().join("new")).unwrap();
    let text = b"1\n2\n3\n4\nfive\n".to_vec();
    let wish =
        Wish { buffers: vec![Buffer { path: "new".into(), content: text }], ..Wish::default() };
    let transition = ready(sandbox.prepare(1, &work, &wish));
    assert_eq!(transition.files, [planned("new", Owner::Client)]);
    let text = for_client(&sandbox.user(), REFERENCES, "new").unwrap();
    assert_eq!(text, Some(b"one\n2\n3\n4\nfive\n".to_vec()));
    assert_eq!(sandbox.carry_out(1, &transition.files), []);
    assert!(!sandbox.user().join("new").exists());
}
