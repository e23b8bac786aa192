//! `report.write`: one Markdown report from the results of the steps before it.

mod left_out;
mod markdown;
mod sections;

use super::{
    arguments::Arguments,
    contract::{
        Argument, ArgumentKind, Context, DefaultValue, Info, Native, OutputFile, Report, Stop,
    },
    listing::counted,
};
use markdown::{Align, code, table, text};
use orchestra_core::{ports::StepInput, view::TaskStatus};
use schemars::{JsonSchema, Schema, schema_for};
use sections::Section;
use serde::{Deserialize, Serialize};

pub(crate) struct WriteReport;

const INFO: Info = Info {
    name: "report.write",
    description: "Writes a Markdown report from the results of the steps that it needs.",
    capabilities: &["report.write", "documentation"],
    // It reads no file, but a long report takes a while: not something to do between two events.
    inline: false,
    arguments: &[
        Argument {
            name: "title",
            kind: ArgumentKind::Text,
            default: DefaultValue::Absent,
            description: "The heading; the run's description or name when it is not given.",
        },
        Argument {
            name: "top",
            kind: ArgumentKind::Count { min: 1, max: 500 },
            default: DefaultValue::Count(15),
            description: "How many rows each table and list shows.",
        },
    ],
};

/// What `report.write` made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReportResult {
    pub title: String,
    /// Below `.orchestra/workspace/`.
    pub path: String,
    pub sections: u64,
    /// How many places it quotes.
    pub quotes: u64,
}

/// A table of contents is worth its lines from here on.
const LONG_REPORT_LINES: usize = 120;

/// How many things the report names first.
const HIGHLIGHTS: usize = 8;

impl Native for WriteReport {
    fn info(&self) -> Info {
        INFO
    }

    fn result_schema(&self) -> Schema {
        schema_for!(ReportResult)
    }

    fn run(&self, ctx: &Context<'_>) -> Result<Report, Stop> {
        let arguments = Arguments::read(INFO, ctx.with)?;
        let title = arguments.text("title").map_or_else(|| default_title(ctx), str::to_owned);
        let top = arguments.count("top");
        let mut sections = Vec::new();
        for input in ctx.inputs {
            ctx.check_cancelled()?;
            sections.push(Section::of(input, top));
        }
        let content = compose(ctx, &title, &sections);
        let path = ctx.output.unwrap_or("documentation/report.md").to_owned();
        let quotes = sections.iter().map(|section| section.quotes).sum();
        let result =
            ReportResult { title, path: path.clone(), sections: sections.len() as u64, quotes };
        let summary = format!(
            "{path}: {}, {}",
            counted(result.sections, "section", "sections"),
            counted(quotes, "quoted place", "quoted places")
        );
        let result = super::listing::to_result(result, |_| {})?;
        Ok(Report { summary, result, files: vec![OutputFile { path, content: content.into() }] })
    }
}

fn default_title(ctx: &Context<'_>) -> String {
    let title =
        [ctx.run_description, ctx.run_name].into_iter().find(|text| !text.trim().is_empty());
    title.unwrap_or("Report").trim().to_owned()
}

fn compose(ctx: &Context<'_>, title: &str, sections: &[Section]) -> String {
    let mut body = String::new();
    for section in sections {
        body.push_str(&format!("\n## {}\n\n{}\n", text(&section.title), section.body.trim()));
    }
    let left_out = left_out::section(ctx.inputs);
    body.push_str(&format!("\n## Left out\n\n{}\n", left_out.trim()));

    let mut report = format!("# {}\n\n{}\n", text(title), introduction(ctx));
    report.push_str(&overview(ctx.inputs));
    let highlights = highlights(sections);
    if !highlights.is_empty() {
        report.push_str(&format!("\n## What to look at first\n\n{}\n", highlights.join("\n")));
    }
    if body.lines().count() > LONG_REPORT_LINES {
        report.push_str(&contents(sections));
    }
    report + &body
}

/// The one paragraph that says what this is.
fn introduction(ctx: &Context<'_>) -> String {
    let succeeded = ctx.inputs.iter().filter(|it| it.status == TaskStatus::Succeeded).count();
    let workspace = ctx
        .root
        .file_name()
        .map_or_else(String::new, |name| format!(" of {}", code(&name.to_string_lossy())));
    let results: Vec<String> = ctx
        .inputs
        .iter()
        .filter(|input| input.status == TaskStatus::Succeeded)
        .filter(|input| !input.output.summary.is_empty())
        .map(|input| text(input.output.summary.trim_end_matches('.')))
        .collect();
    let mut paragraph = format!(
        "Run {}{workspace}, {}: {succeeded} of {} succeeded.",
        code(ctx.run_name),
        ctx.now,
        counted(ctx.inputs.len() as u64, "step", "steps"),
    );
    if !results.is_empty() {
        paragraph = format!("{paragraph} In short: {}.", results.join("; "));
    }
    paragraph
}

/// Who did what, and how it ended.
fn overview(inputs: &[StepInput]) -> String {
    if inputs.is_empty() {
        return "\nThis step needs no other step, so there is nothing to report.\n".to_owned();
    }
    let rows: Vec<Vec<String>> = inputs
        .iter()
        .map(|input| {
            let by = if input.executor.is_empty() { String::new() } else { code(&input.executor) };
            let result = match input.status {
                TaskStatus::Succeeded => &input.output.summary,
                _ => &input.detail,
            };
            vec![code(input.step.as_str()), by, input.status.to_string(), text(result)]
        })
        .collect();
    let align = [Align::Left; 4];
    format!("\n{}", table(&["step", "by", "status", "result"], &align, &rows))
}

/// The first of each section in turn, so that no section crowds out the others.
fn highlights(sections: &[Section]) -> Vec<&str> {
    let longest = sections.iter().map(|section| section.highlights.len()).max().unwrap_or(0);
    (0..longest)
        .flat_map(|round| sections.iter().filter_map(move |it| it.highlights.get(round)))
        .take(HIGHLIGHTS)
        .map(String::as_str)
        .collect()
}

fn contents(sections: &[Section]) -> String {
    let mut list = String::from("\n## Contents\n\n");
    let titles = sections.iter().map(|section| section.title.as_str()).chain(["Left out"]);
    for title in titles {
        list.push_str(&format!("- [{}](#{})\n", text(title), markdown::anchor(title)));
    }
    list
}
