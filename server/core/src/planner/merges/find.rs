//! Where works come together: whose work each step is given, told from the steps alone.

use super::super::graph::Graph;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

/// What a step does with files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Files {
    /// It has no tree.
    Unused,
    /// It works in a tree, and hands on what it was given.
    Read,
    /// It may change them.
    Written,
}

/// A step, by its position, or a merge: the first one comes behind the last step.
pub(super) type Node = u32;

/// The merges that are needed.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// What the first merge is called as a node: there are so many steps.
    pub(super) first: Node,
    pub(super) merges: Vec<Merge>,
    /// The merges that steps need, by step.
    pub(super) of_steps: BTreeMap<Node, Node>,
}

/// Works that have to come together.
#[derive(Debug)]
pub(super) struct Merge {
    /// Whose: sorted, none of them contained in another one.
    pub(super) works: Vec<Node>,
    /// The first step that needs it; `None`: it comes at the end.
    pub(super) before: Option<Node>,
}

impl Found {
    /// `files` says what each step does.
    pub(super) fn of(graph: &Graph, files: &[Files]) -> Self {
        let writers = files.iter().filter(|files| **files == Files::Written).count();
        let Some(order) = graph.order().filter(|_| writers > 1) else { return Self::default() };
        let mut finder = Finder {
            graph,
            handed_on: vec![HandedOn::Several; files.len()],
            from: vec![Vec::new(); files.len()],
            ranks: vec![0; files.len()],
            known: HashMap::new(),
            found: Self { first: index(files.len()), ..Self::default() },
        };
        for (rank, &step) in order.iter().enumerate() {
            finder.ranks[step] = rank;
            finder.visit(step, files[step]);
        }
        finder.last(files);
        finder.found.put_before_the_first();
        finder.found
    }
}

impl Found {
    /// Steps may need those that are written further down, so they were not visited in their order.
    fn put_before_the_first(&mut self) {
        for (&step, &merge) in self.of_steps.iter().rev() {
            if let Some(merge) = self.merges.get_mut((merge - self.first) as usize) {
                merge.before = Some(step);
            }
        }
    }
}

/// Whose work a step hands on to those that need it.
#[derive(Clone, Copy)]
enum HandedOn {
    /// Of one at most.
    Of(Option<Node>),
    /// That of all that it needs.
    Several,
}

struct Finder<'a> {
    graph: &'a Graph,
    /// By node, as the next two.
    handed_on: Vec<HandedOn>,
    /// Whose works are in the work of a node, directly.
    from: Vec<Vec<Node>>,
    /// Higher than those of all works that it contains.
    ranks: Vec<usize>,
    /// The merges by their works, so that the same works come together once.
    known: HashMap<Vec<Node>, Node>,
    found: Found,
}

impl Finder<'_> {
    /// All that the step needs have been visited.
    fn visit(&mut self, step: usize, files: Files) {
        let node = index(step);
        let mut works: Vec<Node> = self.needed(step).into_iter().collect();
        if files != Files::Unused && works.len() > 1 {
            works = vec![self.merge(works, node)];
        }
        self.handed_on[step] = match (files, works.as_slice()) {
            (Files::Written, _) => HandedOn::Of(Some(node)),
            (_, []) => HandedOn::Of(None),
            (_, [only]) => HandedOn::Of(Some(*only)),
            (_, _) => HandedOn::Several,
        };
        self.from[step] = works;
    }

    /// Whose works a step needs, directly or by way of steps that only pass them on, without those that are in
    /// another one.
    fn needed(&self, step: usize) -> BTreeSet<Node> {
        let mut works = BTreeSet::new();
        let mut seen = HashSet::new();
        let mut front = self.graph.needs(step).to_vec();
        while let Some(need) = front.pop() {
            match self.handed_on[need as usize] {
                HandedOn::Of(writer) => works.extend(writer),
                HandedOn::Several if seen.insert(need) => {
                    front.extend(self.graph.needs(need as usize));
                }
                HandedOn::Several => {}
            }
        }
        if works.len() > 1 {
            self.leave_out_contained(&mut works);
        }
        works
    }

    fn leave_out_contained(&self, works: &mut BTreeSet<Node>) {
        let rank = |node: Node| self.ranks[node as usize];
        // What is older than all of them contains none of them.
        let oldest = works.iter().map(|&node| rank(node)).min().unwrap_or(0);
        let mut front: Vec<Node> = works.iter().copied().collect();
        let mut seen: HashSet<Node> = HashSet::new();
        while let Some(node) = front.pop() {
            for &contained in &self.from[node as usize] {
                if rank(contained) >= oldest && seen.insert(contained) {
                    works.remove(&contained);
                    front.push(contained);
                }
            }
        }
    }

    /// The merge of these works, which is planned before `step` if there is none yet.
    fn merge(&mut self, works: Vec<Node>, step: Node) -> Node {
        let merge = match self.known.get(&works) {
            Some(known) => *known,
            None => {
                let merge = index(self.from.len());
                self.known.insert(works.clone(), merge);
                self.handed_on.push(HandedOn::Of(Some(merge)));
                self.ranks.push(self.ranks[step as usize]);
                self.from.push(works.clone());
                self.found.merges.push(Merge { works, before: Some(step) });
                merge
            }
        };
        self.found.of_steps.insert(step, merge);
        merge
    }

    /// Brings together at the end what nothing else does.
    fn last(&mut self, files: &[Files]) {
        let writes = |node: usize| files.get(node).is_none_or(|files| *files == Files::Written);
        let writers: Vec<usize> = (0..self.from.len()).filter(|&node| writes(node)).collect();
        let contained: HashSet<Node> =
            writers.iter().flat_map(|&writer| &self.from[writer]).copied().collect();
        let leaves: Vec<Node> =
            writers.into_iter().map(index).filter(|writer| !contained.contains(writer)).collect();
        if leaves.len() > 1 {
            self.found.merges.push(Merge { works: leaves, before: None });
        }
    }
}

/// There are far fewer steps than that.
fn index(node: usize) -> Node {
    Node::try_from(node).unwrap_or(Node::MAX)
}
