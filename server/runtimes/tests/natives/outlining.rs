//! What is defined where, in every language, and in sources that are meant to break a parser.

use crate::support::Bench;
use orchestra_runtimes::native::{OutlineResult, Stop};
use serde_json::{Value, json};

fn outline(bench: &Bench, with: Value) -> OutlineResult {
    serde_json::from_value(bench.run("workspace.outline", with).result).unwrap()
}

/// One line for each symbol, in the order of the file: `+` public, place, kind, name, documentation.
fn symbols(path: &str, text: &str) -> Vec<String> {
    let bench = Bench::new();
    bench.write(path, text);
    let mut result = outline(&bench, json!({}));
    result.symbols.sort();
    assert_eq!(result.total, result.symbols.len() as u64);
    let lines: Vec<&str> = text.split('\n').collect();
    let mut shown = Vec::new();
    for symbol in result.symbols {
        let line = lines[usize::try_from(symbol.line).unwrap() - 1];
        assert!(line.contains(&symbol.signature) && line.contains(&symbol.name), "{symbol:?}");
        assert!(symbol.start_line <= symbol.line && symbol.line <= symbol.end_line, "{symbol:?}");
        let public = if symbol.public { '+' } else { '-' };
        let container = if symbol.container.is_empty() {
            String::new()
        } else {
            format!("{} | ", symbol.container)
        };
        let doc = if symbol.doc.is_empty() { String::new() } else { format!(": {}", symbol.doc) };
        let (kind, name) = (symbol.kind.as_str(), symbol.name);
        shown.push(format!(
            "{public}{}-{} {kind} {container}{name}{doc}",
            symbol.start_line, symbol.end_line
        ));
    }
    shown
}

#[test]
fn rust() {
    let text = "\
/// A shape.
///
/// More.
#[derive(Debug)]
pub struct Shape<T> {
    side: T,
}

impl<T> Shape<T> {
    /// Its area.
    pub fn area(&self) -> T {
        fn hidden() {}
        const HIDDEN: u8 = 1;
        self.side
    }
    fn inner(&self) {}
}

impl<T> std::fmt::Display for Shape<T> {
    fn fmt(&self) {}
}

// No documentation.
pub trait Draw { fn draw(&self); }
pub(crate) enum Colour { Red }
pub const MOST: usize = 3;
mod inner { pub static ONE: u8 = 1; }
macro_rules! twice { () => {} }
pub type Short = Shape<u8>; pub union Both { a: u8 }
";
    assert_eq!(
        symbols("src/a.rs", text),
        [
            "+5-7 struct Shape: A shape.",
            "+11-15 method Shape | area: Its area.",
            "-16-16 method Shape | inner",
            "-20-20 method Shape | fmt",
            "+24-24 trait Draw",
            "+24-24 method Draw | draw",
            "-25-25 enum Colour",
            "+26-26 constant MOST",
            "-27-27 module inner",
            "-27-27 variable inner | ONE",
            "-28-28 macro twice",
            "+29-29 type Short",
            "+29-29 union Both",
        ]
    );
}

#[test]
fn typescript_and_javascript() {
    let text = "\
/** Says who. */
export interface Named { name(): string }
/**
 * A person.
 */
export class Person extends Being {
  private secret() {}
  /** Its name. */
  greet(): string { function hidden() {} return '' }
}
export const add = (a: number) => a + 1
export const MOST = 3
const local = 1
enum Kind { A }
export type Id = string
namespace Inner { export function f() {} }
export default function main() {}
export abstract class Base { abstract run(): void }
declare function outside(): void
";
    let expected = [
        "+2-2 interface Named: Says who.",
        "+2-2 method Named | name",
        "+6-10 class Person: A person.",
        "-7-7 method Person | secret",
        "+9-9 method Person | greet: Its name.",
        "+11-11 function add",
        "+12-12 constant MOST",
        "-14-14 enum Kind",
        "+15-15 type Id",
        "-16-16 module Inner",
        "-16-16 function Inner | f",
        "+17-17 function main",
        "+18-18 class Base",
        "+18-18 method Base | run",
        "-19-19 function outside",
    ];
    assert_eq!(symbols("a.ts", text), expected);
    assert_eq!(symbols("a.tsx", &format!("{text}const view = <b>{{MOST}}</b>\n")), expected);
    let text = "\
/** Doubles. */
export const twice = x => 2 * x
function* each() {}
class Box { #hidden() {} open() {} }
const element = <div>{twice(2)}</div>
";
    assert_eq!(
        symbols("a.jsx", text),
        [
            "+2-2 function twice: Doubles.",
            "-3-3 function each",
            "-4-4 class Box",
            "-4-4 method Box | #hidden",
            "-4-4 method Box | open",
        ]
    );
}

#[test]
fn python() {
    let text = "\
MOST = 3
lower = 1

class Shape(Base):
    '''A shape.

    More.
    '''
    SIDES = 4

    @property
    def area(self):
        r\"\"\"Its area.\"\"\"
        def hidden(): pass

    def _inner(self): pass

    def __len__(self): pass

async def main():
    # No documentation.
    pass
";
    assert_eq!(
        symbols("a.py", text),
        [
            "+1-1 constant MOST",
            "+4-18 class Shape: A shape.",
            "+12-14 method Shape | area: Its area.",
            "-16-16 method Shape | _inner",
            "+18-18 method Shape | __len__",
            "+20-22 function main",
        ]
    );
}

#[test]
fn go() {
    let text = "\
package a

// Shape is a shape.
// More.
type Shape struct{ side int }

// Area is its area.
func (s *Shape) Area() int { return s.side }

func (p *pair[T]) Both() {}

type Drawer interface{ Draw() }
type id = string
const Most, least = 3, 1
var (
\tone = 1
)

func main() { hidden := func() {}; hidden() }
";
    assert_eq!(
        symbols("a.go", text),
        [
            "+5-5 struct Shape: Shape is a shape.",
            "+8-8 method Shape | Area: Area is its area.",
            "-10-10 method pair | Both",
            "+12-12 interface Drawer",
            "-13-13 type id",
            "+14-14 constant Most",
            "-14-14 constant least",
            "-16-16 variable one",
            "-19-19 function main",
        ]
    );
}

#[test]
fn java() {
    let text = "\
/** A shape. */
@Deprecated
public class Shape {
    /** Makes one. */
    public Shape() {}
    @Override
    public String toString() { class Hidden {} return \"\"; }
    void inner() {}
    public enum Kind { A; public int of() { return 1; } }
}
interface Draw { void draw(); }
public record Pair(int a) {}
";
    assert_eq!(
        symbols("Shape.java", text),
        [
            "+2-10 class Shape: A shape.",
            "+5-5 method Shape | Shape: Makes one.",
            "+6-7 method Shape | toString",
            "-8-8 method Shape | inner",
            "+9-9 enum Shape | Kind",
            "+9-9 method Shape.Kind | of",
            "-11-11 interface Draw",
            "-11-11 method Draw | draw",
            "+12-12 class Pair",
        ]
    );
}

#[test]
fn c_and_its_headers() {
    let text = "\
#define MOST 3
#define TWICE(x) ((x) * 2)
/* A shape. */
struct shape { int side; };
typedef struct pair { int a; } pair_t;
enum colour { RED };

/**
 * Its area.
 */
int area(struct shape *s)
{
    return s->side;
}
static char *name(void) { return 0; }
int later(int);
";
    assert_eq!(
        symbols("a.c", text),
        [
            "-1-1 macro MOST",
            "-2-2 macro TWICE",
            "-4-4 struct shape: A shape.",
            "-5-5 struct pair",
            "-5-5 type pair_t",
            "-6-6 enum colour",
            "+11-14 function area: Its area.",
            "-15-15 function name",
            "+16-16 function later",
        ]
    );
    let text = "\
#ifndef A_H
#define A_H
struct shape { int side; };
int area(struct shape *);
#endif
";
    assert_eq!(symbols("a.h", text), ["+3-3 struct shape", "+4-4 function area"]);
}

#[test]
fn cpp() {
    let text = "\
namespace geo {
// A shape.
template <typename T>
class Shape {
 public:
  T area() const { return 1; }
  virtual void draw();
};
using Short = Shape<int>;
}
int geo::Other::size() const { return 1; }
int *free_one() { return nullptr; }
";
    assert_eq!(
        symbols("a.cc", text),
        [
            "+1-10 module geo",
            "-4-8 class geo | Shape: A shape.",
            "-6-6 method geo::Shape | area",
            "-7-7 method geo::Shape | draw",
            "-9-9 type geo | Short",
            "+11-11 method geo::Other | size",
            "+12-12 function free_one",
        ]
    );
}

#[test]
fn public_symbols_come_first_and_the_rest_is_counted() {
    let bench = Bench::new();
    bench.write("a.rs", "fn private() {}\npub mod inner { pub fn deep() {} }\n");
    bench.write("b.py", "def shallow(): pass\n");
    let result = outline(&bench, json!({ "limit": 3 }));
    let names: Vec<&str> = result.symbols.iter().map(|symbol| symbol.name.as_str()).collect();
    assert_eq!((names, result.total), (vec!["inner", "shallow", "deep"], 4));
    let report = bench.run("workspace.outline", json!({ "depth": 0 }));
    assert_eq!(report.summary, "3 symbols in 2 files; 2 public, 0 of them documented");
    assert_eq!(
        report.result["languages"],
        json!([
            { "name": "Rust", "files": 1, "symbols": 2, "public": 1, "documented": 0 },
            { "name": "Python", "files": 1, "symbols": 1, "public": 1, "documented": 0 },
        ])
    );
    assert_eq!(report.files[0].path, "documentation/outline.json");
}

#[test]
fn what_does_not_parse_is_outlined_around_it() {
    let bench = Bench::new();
    bench.write("a.rs", "pub fn good() {}\n} fn ( ;\npub fn better() {}\n");
    bench.write("crlf.py", "class A:\r\n    \"\"\"Doc.\"\"\"\r\n    def f(self): pass\r\n");
    bench.write("empty.go", "");
    bench.write("words.java", "not java at all \u{1F980} \u{0}".trim_end_matches('\0'));
    let result = outline(&bench, json!({}));
    let names: Vec<(&str, &str)> =
        result.symbols.iter().map(|it| (it.name.as_str(), it.doc.as_str())).collect();
    assert_eq!(names, [("good", ""), ("better", ""), ("A", "Doc."), ("f", "")]);
    assert_eq!((result.files, result.with_errors), (4, 2));
}

#[test]
fn deep_nesting_neither_overflows_the_stack_nor_takes_for_ever() {
    let bench = Bench::new();
    let deep = |open: &str, close: &str, depth: usize| {
        format!("{}{}", open.repeat(depth), close.repeat(depth))
    };
    bench.write("brackets.rs", format!("fn a() {{ {} }}\n", deep("(", ")", 100_000)));
    bench.write("modules.rs", deep("mod m { ", "}", 1_000));
    bench.write("blocks.c", format!("int f() {}", deep("{", "}", 50_000)));
    bench.write("lists.py", format!("X = {}\n", deep("[", "]", 50_000)));
    bench.write("open.ts", "f(".repeat(50_000));
    bench.write("classes.java", deep("class A { ", "}", 1_000));
    let result = outline(&bench, json!({ "limit": 5_000, "depth": 3 }));
    assert_eq!(result.out_of_time.count + result.files, 6);
    let in_modules = result.symbols.iter().filter(|it| it.path == "modules.rs").count();
    assert_eq!(in_modules, 4, "no deeper than asked for");
}

#[test]
fn large_files_and_slow_ones_are_named_and_left_out() {
    let bench = Bench::new();
    bench.write("large.rs", "fn a() {}\n".repeat(20_000));
    bench.write("small.rs", "fn a() {}\n");
    let result = outline(&bench, json!({ "parse_bytes": 1_000 }));
    assert_eq!((result.total, result.too_large.paths), (1, vec!["large.rs".to_owned()]));
    let result = outline(&bench, json!({ "parse_time": 1, "glob": "large.rs" }));
    assert_eq!((result.total, result.out_of_time.count), (0, 1));
    assert_eq!(
        bench.run_with("workspace.outline", json!({}), true),
        Err(Stop::Cancelled),
        "it looks whether it is to stop"
    );
}

#[test]
fn a_signature_and_its_documentation_show_no_secret() {
    let secret = crate::support::secret();
    let bench = Bench::new();
    bench.write("a.rs", format!("/// Uses {secret} now.\npub fn f() {{}} // token {secret}\n"));
    let report = bench.run("workspace.outline", json!({}));
    assert!(!report.result.to_string().contains(&secret[5..]), "{}", report.result);
    assert_eq!(report.result["total"], json!(1));
}
