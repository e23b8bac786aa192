//! Headings and links of Markdown.

use super::{Parsed, ParsedHeading, shown};
use pulldown_cmark::{Event, LinkType, Options, Parser, Tag, TagEnd};

pub(super) fn parse(text: &str) -> Parsed {
    let options = Options::ENABLE_TABLES
        | Options::ENABLE_FOOTNOTES
        | Options::ENABLE_YAML_STYLE_METADATA_BLOCKS;
    let mut parsed = Parsed::default();
    let mut heading: Option<ParsedHeading> = None;
    for (event, range) in Parser::new_ext(text, options).into_offset_iter() {
        match event {
            Event::Start(Tag::Heading { level, .. }) => {
                let at = range.start + leading_breaks(&text[range]);
                heading = Some(ParsedHeading { level: level as u8, text: String::new(), at });
            }
            Event::End(TagEnd::Heading(_)) => {
                if let Some(mut heading) = heading.take() {
                    heading.text = shown(&heading.text);
                    parsed.headings.push(heading);
                }
            }
            Event::Start(
                Tag::Link { link_type, dest_url, .. } | Tag::Image { link_type, dest_url, .. },
            ) if !matches!(link_type, LinkType::Autolink | LinkType::Email) => {
                parsed.links.push((range, dest_url.into_string()));
            }
            Event::Text(part) | Event::Code(part) => {
                if let Some(heading) = &mut heading {
                    heading.text.push_str(&part);
                }
            }
            Event::SoftBreak | Event::HardBreak => {
                if let Some(heading) = &mut heading {
                    heading.text.push(' ');
                }
            }
            _ => {}
        }
    }
    // An image inside a link begins after it, and is met after it, too; footnotes come last.
    parsed.links.sort_by_key(|(range, _)| range.start);
    parsed.headings.sort_by_key(|heading| heading.at);
    parsed
}

/// How much of a heading is white space before it.
fn leading_breaks(heading: &str) -> usize {
    heading.len() - heading.trim_start().len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_and_links_are_found_outside_of_code() {
        let text = "\
---
title: x
---
# A *title* with `code`

See [one](docs/one.md), ![two](two.png \"t\"), [three][3] and <https://example.org>.

```
# no heading [no](link.md)
```

Second
------

[3]: three.md#part
";
        let parsed = parse(text);
        let headings: Vec<_> = parsed
            .headings
            .iter()
            .map(|it| (it.level, it.text.as_str(), &text[it.at..it.at + 3]))
            .collect();
        assert_eq!(headings, [(1, "A title with code", "# A"), (2, "Second", "Sec")]);
        let links: Vec<&str> = parsed.links.iter().map(|(_, target)| target.as_str()).collect();
        assert_eq!(links, ["docs/one.md", "two.png", "three.md#part"]);
    }
}
