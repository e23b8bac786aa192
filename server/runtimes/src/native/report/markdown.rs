//! Markdown (GitHub's) that can be read back: what is quoted stays exact.

/// How a column is aligned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Align {
    Left,
    Right,
}

/// Text whose marks mean themselves.
pub(super) fn text(plain: &str) -> String {
    let mut escaped = String::with_capacity(plain.len());
    for c in plain.chars() {
        if "\\`*_{}[]<>#|~&".contains(c) {
            escaped.push('\\');
        }
        escaped.push(if c.is_control() { ' ' } else { c });
    }
    escaped
}

/// A code span that holds exactly `content`, which has no line breaks: the fence is longer than any
/// run of backticks inside, and one space is added at both ends where the rules would take one away.
pub(super) fn code(content: &str) -> String {
    let longest = content.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    let ends_with = |c| content.starts_with(c) || content.ends_with(c);
    let is_padded = content.starts_with(' ') && content.ends_with(' ');
    let pad = if ends_with('`') || is_padded || content.is_empty() { " " } else { "" };
    format!("{fence}{pad}{content}{pad}{fence}")
}

/// A place with the text of its line: `` - `path:line` label: `quote` ``.
pub(super) fn citation(path: &str, line: u64, label: &str, quote: &str) -> String {
    let place = code(&format!("{path}:{line}"));
    let label = text(label);
    if quote.is_empty() {
        format!("- {place} {label}")
    } else {
        format!("- {place} {label}: {}", code(quote))
    }
}

/// A table; its cells are Markdown already.
pub(super) fn table(headers: &[&str], align: &[Align], rows: &[Vec<String>]) -> String {
    let rule = |align: &Align| if *align == Align::Right { "---:" } else { "---" };
    let rules: Vec<&str> = align.iter().map(rule).collect();
    let mut lines =
        vec![format!("| {} |", headers.join(" | ")), format!("| {} |", rules.join(" | "))];
    for row in rows {
        let cells: Vec<String> = row.iter().map(|cell| cell_text(cell)).collect();
        lines.push(format!("| {} |", cells.join(" | ")));
    }
    lines.join("\n") + "\n"
}

/// A bar ends a cell, even in a code span, unless it is escaped.
fn cell_text(cell: &str) -> String {
    let mut escaped = String::with_capacity(cell.len());
    let mut is_escaped = false;
    for c in cell.chars() {
        if c == '|' && !is_escaped {
            escaped.push('\\');
        }
        is_escaped = c == '\\' && !is_escaped;
        escaped.push(c);
    }
    escaped
}

/// The anchor that GitHub gives a heading.
pub(super) fn anchor(title: &str) -> String {
    title
        .to_lowercase()
        .chars()
        .filter_map(|c| match c {
            ' ' => Some('-'),
            c if c.is_alphanumeric() || c == '-' || c == '_' => Some(c),
            _ => None,
        })
        .collect()
}

/// A block that is shown as it is.
pub(super) fn block(content: &str) -> String {
    let longest = content.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat((longest + 1).max(3));
    format!("{fence}text\n{}\n{fence}\n", content.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_spans_hold_exactly_what_they_are_given() {
        assert_eq!(code("a"), "`a`");
        assert_eq!(code("a`b"), "``a`b``");
        assert_eq!(code("`a``"), "``` `a`` ```");
        assert_eq!(code(" a "), "`  a  `");
    }

    #[test]
    fn bars_in_cells_are_escaped_once() {
        let rows = [vec![code("a|b"), text("a|b")]];
        let table = table(&["x", "y"], &[Align::Left, Align::Right], &rows);
        assert_eq!(table, "| x | y |\n| --- | ---: |\n| `a\\|b` | a\\|b |\n");
    }

    #[test]
    fn marks_in_text_mean_themselves() {
        assert_eq!(text("a_b <c> *d*\n"), "a\\_b \\<c\\> \\*d\\* ");
        assert_eq!(anchor("Open points (step todo)"), "open-points-step-todo");
    }
}
