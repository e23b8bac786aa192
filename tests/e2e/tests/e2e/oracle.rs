//! The oracle: whatever lies in a user's repository and whatever an agent does in its tree, after the run all that
//! is the user's is as it was, the agent has seen what the user saw, and the commit of the run is what the agent left.

mod case;
mod contents;
mod forms;
mod steps;

use case::Case;
use forms::Form;
use orchestra_testkit::{Dice, Sandbox, seed, size};
use std::fs;

/// Given to every repository, by its number in the prompt: an agent of the user's own.
const AGENT: &str = "---
name: random
description: does what was drawn for it
writes: true
command: [sh, -c, 'exec sh \"$0/agent-$(grep -o \"case [0-9]*\" \"$1\" | head -n 1)\" \"$0\"', 'OUTSIDE', '{prompt_file}']
state: ['OUTSIDE']
---
You do what was drawn for you.
";

const WORKFLOW: &str = "name: random
params: { case: { required: true } }
steps:
  - { id: work, agent: random, prompt: \"case {{ params.case }}\", allow_empty: true }
";

#[test]
fn whatever_a_user_has_stays_as_it_is_and_whatever_an_agent_leaves_is_collected() {
    let seed = seed();
    println!("seed {seed}; repeat with ORCHESTRA_TEST_SEED={seed}");
    let mut dice = Dice::new(seed);
    let sandbox = Sandbox::new();
    for (folder, name, text) in
        [("agents", "random.md", AGENT), ("workflows", "random.yaml", WORKFLOW)]
    {
        let folder = sandbox.config().join(folder);
        fs::create_dir_all(&folder).unwrap();
        let outside = sandbox.outside().display().to_string();
        fs::write(folder.join(name), text.replace("OUTSIDE", &outside)).unwrap();
    }
    let rounds = size().pick(1, 20);
    let mut traps = 0;
    for round in 0..rounds {
        let cases: Vec<Case> = Form::ALL
            .into_iter()
            .enumerate()
            .map(|(number, form)| {
                Case::draw(&mut dice, form, round * Form::ALL.len() + number, &sandbox)
            })
            .collect();
        let runs: Vec<_> = cases.iter().map(|case| case.start(&sandbox)).collect();
        for (case, run) in cases.iter().zip(runs) {
            println!("{case:?}");
            traps += usize::from(case.check(&sandbox, run));
        }
    }
    assert!(traps > 0, "no trap was set that works");
}
