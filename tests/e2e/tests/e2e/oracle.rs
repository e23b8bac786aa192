//! The oracle: whatever lies in a user's repository and whatever an agent does in its tree, after the run all that
//! is the user's is as it was, the agent has seen what the user saw, and the commit of the run is what the agent left.

mod case;
mod contents;
mod forms;
mod steps;

use case::Case;
use forms::Form;
use orchestra_testkit::{Dice, Running, Sandbox, seed, size};
use std::fs;

/// Given to every repository, by its number in the prompt: an agent of the user's own.
const AGENT: &str = "---
name: random
description: does what was drawn for it
writes: true
command: [sh, -c, 'exec sh \"$0/agent-$(grep -o \"case [0-9]*\" \"$2\" | head -n 1)\" \"$1\" \"$0\"', 'SCRIPTS', 'OUTSIDE', '{prompt_file}']
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
    fs::create_dir(case::scripts(&sandbox)).unwrap();
    for (folder, name, text) in
        [("agents", "random.md", AGENT), ("workflows", "random.yaml", WORKFLOW)]
    {
        let folder = sandbox.config().join(folder);
        fs::create_dir_all(&folder).unwrap();
        let [scripts, outside] = [case::scripts(&sandbox), sandbox.outside()];
        let text = text.replace("SCRIPTS", &scripts.display().to_string());
        let text = text.replace("OUTSIDE", &outside.display().to_string());
        fs::write(folder.join(name), text).unwrap();
    }
    let rounds = size().pick(1, 20);
    let mut traps = 0;
    for round in 0..rounds {
        // While one runs, the next is made.
        let runs: Vec<(Case, Running)> = Form::ALL
            .into_iter()
            .enumerate()
            .map(|(number, form)| {
                let number = round * Form::ALL.len() + number;
                let case = Case::draw(&mut dice, form, number, &sandbox);
                let run = case.start(&sandbox);
                (case, run)
            })
            .collect();
        for (case, run) in runs {
            println!("{case:?}");
            traps += usize::from(case.check(&sandbox, run));
        }
    }
    assert!(traps > 0, "no trap was set that works");
}
