//! Plans in a few words: each call after `step` is about that step.

use orchestra_core::{
    agent::{AgentProfile, AgentStatus, Completion, Origin, Runtime},
    plan::{ApplyPolicy, Executor, Mode, Pattern, Plan, PlannedTask, Retry, Source},
    selection::{Criterion, Order},
    time::Millis,
};
use serde_json::{Map, Value};

pub(crate) struct PlanBuilder {
    plan: Plan,
    /// The ids of the steps that each step needs, looked up at the end.
    needs: Vec<Vec<String>>,
}

pub(crate) fn plan() -> PlanBuilder {
    let name = "test".to_owned();
    let source = Source::Workflow { name: name.clone(), origin: Origin::BuiltIn, file: None };
    PlanBuilder {
        plan: Plan {
            name,
            description: String::new(),
            source,
            pattern: Pattern::Dag,
            tasks: Vec::new(),
            agents: Default::default(),
            params: Map::new(),
            order: Default::default(),
            max_parallel: None,
            timeout: None,
            approve: false,
            with_conflicts: false,
            unsaved: Vec::new(),
            tree: Default::default(),
            checks: Default::default(),
            apply: Default::default(),
        },
        needs: Vec::new(),
    }
}

fn agent(name: &str) -> AgentProfile {
    AgentProfile {
        name: name.to_owned(),
        description: String::new(),
        kind: String::new(),
        category: String::new(),
        capabilities: Vec::new(),
        tools: Vec::new(),
        model: None,
        runtime: Runtime::Cli,
        command: vec![name.to_owned()],
        backend: None,
        writes: false,
        completion: Completion::Exit,
        priority: 0,
        max_load: AgentProfile::DEFAULT_MAX_LOAD,
        timeout: AgentProfile::DEFAULT_TIMEOUT,
        fallback: Vec::new(),
        env: Vec::new(),
        state: Vec::new(),
        state_mode: Default::default(),
        caches: Vec::new(),
        own_sandbox: false,
        sandbox_off: Vec::new(),
        variables: Default::default(),
        prints: Default::default(),
        requires: Vec::new(),
        status: AgentStatus::Active,
        origin: Origin::User,
        system_prompt: String::new(),
    }
}

impl PlanBuilder {
    pub(crate) fn step(mut self, id: &str) -> Self {
        self.plan.tasks.push(PlannedTask {
            step: id.parse().unwrap(),
            needs: Vec::new(),
            mode: Mode::Intelligent,
            capabilities: Vec::new(),
            executors: Vec::new(),
            prompt: None,
            with: Map::new(),
            when: None,
            timeout: None,
            retry: Retry::default(),
            priority: 0,
            approve: false,
            output: None,
            verify: Vec::new(),
            accept: Vec::new(),
            allow_empty: false,
            optional: false,
        });
        self.needs.push(Vec::new());
        self
    }

    fn on_step(mut self, change: impl FnOnce(&mut PlannedTask)) -> Self {
        change(self.plan.tasks.last_mut().expect("`step` comes first"));
        self
    }

    fn on_plan(mut self, change: impl FnOnce(&mut Plan)) -> Self {
        change(&mut self.plan);
        self
    }

    fn executor(self, executor: Executor) -> Self {
        self.on_step(|step| step.executors.push(executor))
    }

    /// A native action that takes up a worker; the default of a step.
    pub(crate) fn native(self, action: &str) -> Self {
        self.executor(Executor::Native { action: action.to_owned(), inline: false, spawns: false })
    }

    pub(crate) fn inline(self) -> Self {
        self.executor(Executor::Native {
            action: "value.set".to_owned(),
            inline: true,
            spawns: false,
        })
    }

    /// Brings the works of the steps that it needs together.
    pub(crate) fn merge(self) -> Self {
        let action = Executor::MERGE.to_owned();
        self.executor(Executor::Native { action, inline: false, spawns: true })
    }

    pub(crate) fn agent(self, name: &str) -> Self {
        self.any_agent(name, false)
    }

    pub(crate) fn fallback(self, name: &str) -> Self {
        self.any_agent(name, true)
    }

    fn any_agent(mut self, name: &str, fallback: bool) -> Self {
        self.plan.agents.entry(name.to_owned()).or_insert_with(|| agent(name));
        self.executor(Executor::Agent { name: name.to_owned(), fallback })
    }

    pub(crate) fn needs(mut self, steps: &[&str]) -> Self {
        let needs = self.needs.last_mut().expect("`step` comes first");
        needs.extend(steps.iter().map(|&step| step.to_owned()));
        self
    }

    /// What the step asks for.
    pub(crate) fn capability(self, word: &str) -> Self {
        self.on_step(|step| step.capabilities.push(word.to_owned()))
    }

    pub(crate) fn mode(self, mode: Mode) -> Self {
        self.on_step(|step| step.mode = mode)
    }

    pub(crate) fn when(self, expression: &str) -> Self {
        self.on_step(|step| step.when = Some(expression.to_owned()))
    }

    pub(crate) fn prompt(self, text: &str) -> Self {
        self.on_step(|step| step.prompt = Some(text.to_owned()))
    }

    pub(crate) fn with(self, key: &str, value: Value) -> Self {
        self.on_step(|step| {
            step.with.insert(key.to_owned(), value);
        })
    }

    pub(crate) fn retry(self, max: u32, backoff: u64) -> Self {
        self.on_step(|step| step.retry = Retry { max, backoff: Millis(backoff) })
    }

    pub(crate) fn priority(self, priority: i32) -> Self {
        self.on_step(|step| step.priority = priority)
    }

    pub(crate) fn timeout(self, timeout: u64) -> Self {
        self.on_step(|step| step.timeout = Some(Millis(timeout)))
    }

    pub(crate) fn approve(self) -> Self {
        self.on_step(|step| step.approve = true)
    }

    pub(crate) fn agent_profile(self, name: &str, change: impl FnOnce(&mut AgentProfile)) -> Self {
        self.on_plan(|plan| change(plan.agents.entry(name.to_owned()).or_insert(agent(name))))
    }

    pub(crate) fn param(self, key: &str, value: Value) -> Self {
        self.on_plan(|plan| {
            plan.params.insert(key.to_owned(), value);
        })
    }

    pub(crate) fn order(self, order: &[Criterion]) -> Self {
        self.on_plan(|plan| plan.order = Order(order.to_vec()))
    }

    pub(crate) fn max_parallel(self, max: u32) -> Self {
        self.on_plan(|plan| plan.max_parallel = Some(max))
    }

    pub(crate) fn run_timeout(self, timeout: u64) -> Self {
        self.on_plan(|plan| plan.timeout = Some(Millis(timeout)))
    }

    pub(crate) fn apply(self, policy: ApplyPolicy) -> Self {
        self.on_plan(|plan| plan.apply = policy)
    }

    /// A command that checks the work of the step.
    pub(crate) fn verify(self, command: &[&str]) -> Self {
        let command = command.iter().map(|&word| word.to_owned()).collect();
        self.on_step(|step| step.verify.push(command))
    }

    pub(crate) fn approve_plan(self) -> Self {
        self.on_plan(|plan| plan.approve = true)
    }

    pub(crate) fn build(mut self) -> Plan {
        let steps: std::collections::HashMap<String, u32> =
            (0..).zip(&self.plan.tasks).map(|(at, task)| (task.step.to_string(), at)).collect();
        for (task, needs) in self.plan.tasks.iter_mut().zip(&self.needs) {
            task.needs = needs.iter().map(|step| steps[step]).collect();
            task.needs.sort_unstable();
            if task.executors.is_empty() {
                let action = "todo.scan".to_owned();
                task.executors.push(Executor::Native { action, inline: false, spawns: false });
            }
        }
        self.plan
    }
}
