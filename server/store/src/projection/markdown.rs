//! Small pieces of Markdown, safe for whatever text they are made of.

use std::fmt::Write as _;

/// More nodes than that make a picture that nobody can read; the tables say the same.
const NODES_DRAWN: usize = 60;

/// A text in one line.
pub(super) fn line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A text as the cell of a table.
pub(super) fn cell(text: &str) -> String {
    // Angle brackets would be HTML, and a comment would swallow the rest of the file.
    line(text).replace('|', "\\|").replace('<', "&lt;")
}

/// A text as a block that is shown as it is.
pub(super) fn fenced(text: &str, language: &str) -> String {
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    format!("{fence}{language}\n{}\n{fence}\n", text.trim_end_matches('\n'))
}

/// One box of a drawn graph.
#[derive(Debug)]
pub(super) struct Node {
    /// An id of a task.
    pub(super) id: String,
    /// The id of its step, a plain word.
    pub(super) step: String,
    /// A class of its state, a plain word; empty for none.
    pub(super) class: &'static str,
    pub(super) needs: Vec<String>,
}

/// A drawing of the graph; nothing when it is too large or has no edges to draw.
pub(super) fn graph(nodes: &[Node]) -> String {
    if nodes.len() > NODES_DRAWN || nodes.iter().all(|node| node.needs.is_empty()) {
        return String::new();
    }
    let name = |id: &str| id.replace('.', "_");
    let mut text = "flowchart TD\n".to_owned();
    for Node { id, step, class, .. } in nodes {
        let class = if class.is_empty() { String::new() } else { format!(":::{class}") };
        // Writing to a string does not fail.
        let _ = writeln!(text, "  {}[\"{id} {step}\"]{class}", name(id));
    }
    for node in nodes {
        for need in &node.needs {
            let _ = writeln!(text, "  {} --> {}", name(need), name(&node.id));
        }
    }
    for (class, style) in [
        ("ended", "fill:#d9f2d9,stroke:#3c763d,color:#000"),
        ("failed", "fill:#f8d7da,stroke:#a94442,color:#000"),
        ("active", "fill:#d9edf7,stroke:#31708f,color:#000"),
    ] {
        if nodes.iter().any(|node| node.class == class) {
            let _ = writeln!(text, "  classDef {class} {style}");
        }
    }
    format!("{}\n", fenced(&text, "mermaid"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_breaks_out_of_its_cell_or_block() {
        assert_eq!(cell("a | b\n<!-- c"), "a \\| b &lt;!-- c");
        assert_eq!(fenced("x", ""), "```\nx\n```\n");
        assert_eq!(fenced("````\nx\n", "text"), "`````text\n````\nx\n`````\n");
    }
}
