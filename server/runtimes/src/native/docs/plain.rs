//! Headings and links of reStructuredText and AsciiDoc, whose marks stand at fixed places of a line.

use super::{Parsed, ParsedHeading, shown};

/// A heading is a line with a line of one punctuation mark below it, as long at least; its level is the
/// number of the mark among those that were met before.
pub(super) fn restructuredtext(text: &str) -> Parsed {
    let mut parsed = Parsed::default();
    let mut styles: Vec<(char, bool)> = Vec::new();
    let mut before: [&str; 2] = [""; 2];
    let mut at = 0;
    for line in text.split('\n') {
        let [over, title] = before;
        if let Some(mark) = rule(line)
            && !title.trim().is_empty()
            && rule(title).is_none()
            && line.trim_end().chars().count() >= title.trim_end().chars().count()
        {
            let style = (mark, rule(over) == Some(mark));
            let level = styles.iter().position(|known| *known == style).unwrap_or_else(|| {
                styles.push(style);
                styles.len() - 1
            });
            let level = u8::try_from(level + 1).unwrap_or(u8::MAX);
            let start = at - title.len() - 1;
            let indent = title.len() - title.trim_start().len();
            parsed.headings.push(ParsedHeading { level, text: shown(title), at: start + indent });
        }
        // `` `text <target>`_ ``, and the files that are included.
        links_between(line, at, "<", ">`_", &mut parsed);
        for directive in [".. include:: ", ".. image:: ", ".. figure:: ", ".. literalinclude:: "] {
            if let Some(start) = line.find(directive) {
                let target = line[start + directive.len()..].trim();
                let start = at + start + directive.len();
                parsed.links.push((start..start + target.len(), target.to_owned()));
            }
        }
        at += line.len() + 1;
        before = [title, line];
    }
    parsed
}

/// The mark of which a whole line consists, two at least.
fn rule(line: &str) -> Option<char> {
    let line = line.trim_end();
    let mark = line.chars().next().filter(char::is_ascii_punctuation)?;
    (line.len() > 1 && line.chars().all(|c| c == mark)).then_some(mark)
}

/// A heading is a line that begins with one to six `=` and a space.
pub(super) fn asciidoc(text: &str) -> Parsed {
    let mut parsed = Parsed::default();
    let mut fence: Option<&str> = None;
    let mut at = 0;
    for line in text.split('\n') {
        let trimmed = line.trim_end();
        if matches!(trimmed, "----" | "...." | "````" | "++++" | "////" | "```") {
            fence = match fence {
                Some(open) if open == trimmed => None,
                Some(open) => Some(open),
                None => Some(trimmed),
            };
        } else if fence.is_none() {
            let level = line.bytes().take_while(|byte| *byte == b'=').count();
            if let Some(title) = line[level..].strip_prefix(' ')
                && (1..=6).contains(&level)
                && !title.trim().is_empty()
            {
                let level = u8::try_from(level).unwrap_or(u8::MAX);
                parsed.headings.push(ParsedHeading { level, text: shown(title), at });
            }
            for macro_name in ["link:", "xref:", "include::", "image::", "image:"] {
                links_between(line, at, macro_name, "[", &mut parsed);
            }
        }
        at += line.len() + 1;
    }
    // What is found of one line by several names is in the order of the names.
    parsed.links.sort_by_key(|(range, _)| range.start);
    parsed.links.dedup_by_key(|(range, _)| range.end);
    parsed
}

/// Adds every text without white space between two marks on a line.
fn links_between(line: &str, at: usize, open: &str, close: &str, parsed: &mut Parsed) {
    let mut from = 0;
    while let Some(start) = line[from..].find(open).map(|start| from + start + open.len()) {
        let Some(length) = line[start..].find(close) else { return };
        let target = &line[start..start + length];
        if !target.contains(|c: char| c.is_whitespace() || c == '<') && !target.starts_with(':') {
            parsed.links.push((at + start..at + start + length, target.to_owned()));
        }
        from = start;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headings(parsed: &Parsed) -> Vec<(u8, &str)> {
        parsed.headings.iter().map(|heading| (heading.level, heading.text.as_str())).collect()
    }

    fn links(parsed: &Parsed) -> Vec<&str> {
        parsed.links.iter().map(|(_, target)| target.as_str()).collect()
    }

    #[test]
    fn restructuredtext_levels_are_told_by_their_marks() {
        let text = "\
=====
Title
=====

Part
----

A `link <other.rst>`_ here.

Sub
~~~

Part two
--------

.. include:: more.rst

too long a line
---
";
        let parsed = restructuredtext(text);
        assert_eq!(headings(&parsed), [(1, "Title"), (2, "Part"), (3, "Sub"), (2, "Part two")]);
        assert_eq!(links(&parsed), ["other.rst", "more.rst"]);
        assert_eq!(&text[parsed.headings[0].at..][..5], "Title");
        assert_eq!(restructuredtext("----\n\n----\n--"), Parsed::default());
    }

    #[test]
    fn asciidoc_headings_stand_outside_of_blocks() {
        let text = "= Title\n\n== Part\n\n----\n== no\n----\nSee link:a.adoc[A] and xref:b.adoc#c[B].\nimage::c.png[]\n=no\n";
        let parsed = asciidoc(text);
        assert_eq!(headings(&parsed), [(1, "Title"), (2, "Part")]);
        assert_eq!(links(&parsed), ["a.adoc", "b.adoc#c", "c.png"]);
    }
}
