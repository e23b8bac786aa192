//! SARIF: what linters found, each rule at each place as a test that fails.

use crate::checks::report::{
    Collected, MAX_FINDINGS, PlacedFinding, Summary, TestReport, TestStatus,
};
use serde::Deserialize;

#[derive(Deserialize)]
struct Log {
    runs: Vec<Run>,
}

#[derive(Deserialize)]
struct Run {
    tool: Option<Tool>,
    #[serde(default)]
    results: Vec<Found>,
}

#[derive(Deserialize)]
struct Tool {
    driver: Driver,
}

#[derive(Deserialize)]
struct Driver {
    #[serde(default)]
    name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Found {
    #[serde(default)]
    rule_id: Option<String>,
    #[serde(default)]
    level: Option<String>,
    #[serde(default)]
    message: Message,
    #[serde(default)]
    locations: Vec<Location>,
}

#[derive(Deserialize, Default)]
struct Message {
    #[serde(default)]
    text: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Location {
    #[serde(default)]
    physical_location: Physical,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
struct Physical {
    #[serde(default)]
    artifact_location: Artifact,
    #[serde(default)]
    region: Region,
}

#[derive(Deserialize, Default)]
struct Artifact {
    #[serde(default)]
    uri: String,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
struct Region {
    #[serde(default)]
    start_line: u32,
    #[serde(default)]
    start_column: u32,
}

/// What the text says, if it is such a log. A test is named by rule and file: lines move.
pub(super) fn parse(text: &str) -> Option<TestReport> {
    let log: Log = serde_json::from_str(text).ok()?;
    let (mut collected, mut summary) = (Collected::default(), Summary::default());
    let (mut tools, mut findings) = (Vec::new(), Vec::new());
    for run in log.runs {
        let tool = run.tool.map_or_else(|| "sarif".to_owned(), |tool| tool.driver.name);
        for found in run.results {
            let place = found.locations.into_iter().next();
            let place = place.map(|location| location.physical_location).unwrap_or_default();
            let uri = place.artifact_location.uri;
            let path = uri.strip_prefix("file://").unwrap_or(&uri).to_owned();
            let rule = found.rule_id.unwrap_or_else(|| "unnamed".to_owned());
            // The default of the format is `warning`.
            let level = found.level.as_deref().unwrap_or("warning");
            let status = match level {
                "none" | "note" => TestStatus::Skipped,
                _ => TestStatus::Failed,
            };
            collected.add(&format!("{rule} {path}"), status);
            summary.add(Summary {
                passed: 0,
                failed: u32::from(status == TestStatus::Failed),
                skipped: u32::from(status == TestStatus::Skipped),
            });
            if findings.len() < MAX_FINDINGS {
                findings.push(PlacedFinding {
                    rule,
                    path,
                    line: place.region.start_line,
                    column: place.region.start_column,
                    message: found.message.text,
                });
            }
        }
        tools.push(tool);
    }
    tools.dedup();
    Some(TestReport { findings, ..collected.finish(&tools.join(", "), Some(summary)) })
}
