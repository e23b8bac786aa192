//! Maven.

use super::{DependencyKind, Found};
use roxmltree::{Document, Node};

/// `pom.xml`: every `<dependency>`, with its version as written (properties are not filled in).
pub(super) fn pom(text: &str) -> Result<Vec<Found>, String> {
    let document = Document::parse(text).map_err(|error| error.to_string())?;
    let dependencies = document.descendants().filter(|node| node.has_tag_name_local("dependency"));
    Ok(dependencies
        .filter_map(|node| {
            let (group, artifact) = (child(node, "groupId")?, child(node, "artifactId")?);
            let is_optional = child(node, "optional").and_then(|it| it.text()) == Some("true");
            let kind = match child(node, "scope").and_then(|it| it.text()).map(str::trim) {
                Some("test") => DependencyKind::Dev,
                _ if is_optional => DependencyKind::Optional,
                _ => DependencyKind::Normal,
            };
            let version = child(node, "version").and_then(|it| it.text()).unwrap_or_default();
            Some(Found {
                name: format!("{}:{}", group.text()?.trim(), artifact.text()?.trim()),
                version: version.trim().to_owned(),
                kind,
                at: artifact.range().start,
            })
        })
        .collect())
}

trait LocalName {
    fn has_tag_name_local(&self, name: &str) -> bool;
}

impl LocalName for Node<'_, '_> {
    /// Whatever the namespace: files with and without one are common.
    fn has_tag_name_local(&self, name: &str) -> bool {
        self.is_element() && self.tag_name().name() == name
    }
}

fn child<'a, 'i>(node: Node<'a, 'i>, name: &str) -> Option<Node<'a, 'i>> {
    node.children().find(|child| child.has_tag_name_local(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dependencies_are_read_with_their_scope() {
        let text = "<project xmlns=\"http://maven.apache.org/POM/4.0.0\"><dependencies><dependency><groupId>g</groupId>\n<artifactId>a</artifactId><version>${v}</version><scope>test</scope></dependency></dependencies></project>";
        let found = pom(text).unwrap();
        assert_eq!(
            found,
            [Found {
                name: "g:a".into(),
                version: "${v}".into(),
                kind: DependencyKind::Dev,
                at: text.find("<artifactId>").unwrap(),
            }]
        );
    }

    #[test]
    fn hostile_files_are_refused() {
        assert!(pom("<!DOCTYPE p [<!ENTITY a \"b\">]><p>&a;</p>").is_err());
        assert!(pom(&"<a>".repeat(200_000)).is_err());
    }
}
