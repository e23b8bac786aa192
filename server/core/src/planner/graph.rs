//! Who needs whom: cycles, steps that can never start, and who comes before whom.

use super::{called, is_sequential};
use crate::{
    source::{At, Findings, shortened},
    workflow::{Step, Workflow},
};
use fixedbitset::FixedBitSet;
use petgraph::{algo::kosaraju_scc, graph::DiGraph, graph::NodeIndex};
use std::{
    cell::OnceCell,
    collections::{HashMap, VecDeque},
};

/// How many steps of a path are shown.
const MAX_PATH: usize = 8;
/// How many steps that can never start are named one by one; they all have the same few causes.
const MAX_STUCK: usize = 10;

/// The needs of all steps, by position.
pub(super) struct Graph {
    /// Sorted, each once.
    needs: Vec<Vec<u32>>,
    /// Needed steps before those that need them; `None` when there is a cycle.
    order: Option<Vec<usize>>,
    /// For each step all that come before it. Only computed when a template needs it.
    upstream: OnceCell<Vec<FixedBitSet>>,
}

impl Graph {
    /// Resolves `needs`, and finds what cannot work.
    pub(super) fn build(
        workflow: &Workflow<'_>,
        ids: &HashMap<&str, usize>,
        findings: &mut Findings<'_>,
    ) -> Self {
        let mut builder = Builder { steps: &workflow.steps, findings, broken: HashMap::new() };
        let needs: Vec<Vec<u32>> = (0..workflow.steps.len())
            .map(|position| builder.needs(position, ids, is_sequential(workflow)))
            .collect();
        let components = components(&needs);
        let mut order = Vec::with_capacity(needs.len());
        let mut acyclic = true;
        for component in components {
            if component.len() > 1 {
                acyclic = false;
                builder.cycle(&component, &needs);
            }
            order.extend(component);
        }
        builder.stuck(&needs);
        Self { needs, order: acyclic.then_some(order), upstream: OnceCell::new() }
    }

    pub(super) fn needs(&self, position: usize) -> &[u32] {
        self.needs.get(position).map_or(&[], Vec::as_slice)
    }

    /// All steps, needed ones before those that need them; `None` when there is a cycle.
    pub(super) fn order(&self) -> Option<&[usize]> {
        self.order.as_deref()
    }

    /// Whether `step` needs `other`, directly or through others. True when there is a cycle: then the
    /// question has no answer, and there is an error already.
    pub(super) fn is_upstream(&self, other: usize, step: usize) -> bool {
        let Some(order) = &self.order else { return true };
        if let Ok(wanted) = u32::try_from(other)
            && self.needs(step).binary_search(&wanted).is_ok()
        {
            return true;
        }
        self.upstream.get_or_init(|| self.closure(order))[step].contains(other)
    }

    fn closure(&self, order: &[usize]) -> Vec<FixedBitSet> {
        let count = self.needs.len();
        let mut upstream = vec![FixedBitSet::new(); count];
        for &position in order {
            let mut before = FixedBitSet::with_capacity(count);
            for need in self.needs[position].iter().map(|&need| need as usize) {
                before.insert(need);
                before.union_with(&upstream[need]);
            }
            upstream[position] = before;
        }
        upstream
    }
}

/// The strongly connected components, sorted, needed ones first.
fn components(needs: &[Vec<u32>]) -> Vec<Vec<usize>> {
    let edges: usize = needs.iter().map(Vec::len).sum();
    let mut graph = DiGraph::<(), (), u32>::with_capacity(needs.len(), edges);
    for _ in needs {
        graph.add_node(());
    }
    for (position, needs) in needs.iter().enumerate() {
        for &need in needs {
            graph.add_edge(NodeIndex::new(position), NodeIndex::from(need), ());
        }
    }
    let mut components: Vec<Vec<usize>> = kosaraju_scc(&graph)
        .into_iter()
        .map(|component| component.into_iter().map(NodeIndex::index).collect())
        .collect();
    components.iter_mut().for_each(|component: &mut Vec<usize>| component.sort_unstable());
    components
}

struct Builder<'b, 'n, 'f> {
    steps: &'b [Step<'n>],
    findings: &'b mut Findings<'f>,
    /// Steps that can never start, and why, to read after "`x` ".
    broken: HashMap<usize, String>,
}

impl Builder<'_, '_, '_> {
    fn needs(&mut self, position: usize, ids: &HashMap<&str, usize>, sequential: bool) -> Vec<u32> {
        let step = &self.steps[position];
        let mut needs = Vec::with_capacity(step.needs.len() + 1);
        for need in &step.needs {
            let name = shortened(need.value);
            match ids.get(need.value) {
                Some(&needed) if needed == position => {
                    let message = format!("step `{name}` needs itself");
                    self.findings.error(need.at, message, "remove it from `needs`");
                    self.broken.insert(position, "needs itself".to_owned());
                }
                Some(&needed) => needs.extend(u32::try_from(needed)),
                None => {
                    let hint = self.findings.near(need.value, ids.keys().copied());
                    let hint = hint.unwrap_or_else(|| "name the `id` of another step".to_owned());
                    let message = format!("there is no step `{name}` to need");
                    self.findings.error(need.at, message, hint);
                    self.broken.insert(position, format!("needs `{name}`, which does not exist"));
                }
            }
        }
        let named = needs.len();
        needs.sort_unstable();
        needs.dedup();
        if needs.len() < named {
            let hint = "remove all but one of them";
            self.findings.warning(step.at, "`needs` names a step more than once", hint);
        }
        if sequential
            && let Some(before) = position.checked_sub(1).and_then(|p| u32::try_from(p).ok())
            && let Err(place) = needs.binary_search(&before)
        {
            needs.insert(place, before);
        }
        needs
    }

    /// One finding for a component, with the shortest way round from its first step.
    fn cycle(&mut self, component: &[usize], needs: &[Vec<u32>]) {
        let Some(&first) = component.first() else { return };
        let mut path = self.way_round(first, component, needs);
        path.push(first);
        let at = self.need_at(first, path.get(1).copied().unwrap_or(first));
        let message = format!("steps need each other in a cycle: {}", self.shown(&path));
        self.findings.error(at, message, "remove one of these `needs`");
        for &position in component {
            self.broken.entry(position).or_insert_with(|| "is part of a cycle".to_owned());
        }
    }

    /// From `first` along needs to the step that needs it, within `component` (sorted).
    fn way_round(&self, first: usize, component: &[usize], needs: &[Vec<u32>]) -> Vec<usize> {
        let mut from: HashMap<usize, usize> = HashMap::new();
        let mut front = VecDeque::from([first]);
        while let Some(position) = front.pop_front() {
            for need in needs[position].iter().map(|&need| need as usize) {
                if need == first {
                    let mut path = vec![position];
                    while let Some(&before) = path.last().and_then(|last| from.get(last)) {
                        path.push(before);
                    }
                    path.reverse();
                    return path;
                }
                if component.binary_search(&need).is_ok() && !from.contains_key(&need) {
                    from.insert(need, position);
                    front.push_back(need);
                }
            }
        }
        vec![first]
    }

    /// Where `position` says that it needs `need`; in a sequence it does not say so.
    fn need_at(&self, position: usize, need: usize) -> At {
        let step = &self.steps[position];
        let id = self.steps[need].id;
        step.needs.iter().find(|text| Some(text.value) == id).map_or(step.at, |text| text.at)
    }

    /// Steps that wait for a step that can never start.
    fn stuck(&mut self, needs: &[Vec<u32>]) {
        if self.broken.is_empty() {
            return;
        }
        let mut dependents: Vec<Vec<usize>> = vec![Vec::new(); needs.len()];
        for (position, needs) in needs.iter().enumerate() {
            for &need in needs {
                dependents[need as usize].push(position);
            }
        }
        let mut roots: Vec<usize> = self.broken.keys().copied().collect();
        roots.sort_unstable();
        let mut towards: HashMap<usize, usize> = HashMap::new();
        let mut front = VecDeque::from(roots);
        while let Some(position) = front.pop_front() {
            for &dependent in &dependents[position] {
                if !self.broken.contains_key(&dependent) && !towards.contains_key(&dependent) {
                    towards.insert(dependent, position);
                    front.push_back(dependent);
                }
            }
        }
        let mut stuck: Vec<usize> = towards.keys().copied().collect();
        stuck.sort_unstable();
        let more = stuck.len().saturating_sub(MAX_STUCK);
        for &position in stuck.iter().take(MAX_STUCK) {
            let mut path = vec![position];
            while let Some(&next) = path.last().and_then(|last| towards.get(last)) {
                path.push(next);
            }
            let root = path.last().copied().unwrap_or(position);
            let why = self.broken.get(&root).map_or("", String::as_str);
            let (name, cause) = (called(self.steps, position), called(self.steps, root));
            let path = self.shown(&path);
            let message =
                format!("step `{name}` can never start: it waits for {path}, and `{cause}` {why}");
            let hint = match more {
                0 => format!("put `{cause}` right"),
                more => format!("put `{cause}` right ({more} more steps can never start)"),
            };
            self.findings.error(self.steps[position].at, message, hint);
        }
    }

    fn shown(&self, path: &[usize]) -> String {
        let names: Vec<String> = path.iter().map(|&step| called(self.steps, step)).collect();
        if names.len() <= MAX_PATH {
            return names.join(" → ");
        }
        let (start, end) = (&names[..MAX_PATH / 2], &names[names.len() - MAX_PATH / 2..]);
        let hidden = names.len() - start.len() - end.len();
        format!("{} → … {hidden} more … → {}", start.join(" → "), end.join(" → "))
    }
}
