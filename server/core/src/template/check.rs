//! Checking templates before anything runs: what they refer to, and what they must not do.

use crate::source::did_you_mean;
use minijinja::machinery::{
    Span, Token,
    ast::{self, BinOpKind, CallArg, Expr, Stmt},
    parse, parse_expr, tokenize,
};

/// The filters that templates have, sorted.
pub(super) const FILTERS: &[&str] = &[
    "abs",
    "bool",
    "capitalize",
    "count",
    "default",
    "dictsort",
    "first",
    "float",
    "indent",
    "int",
    "items",
    "join",
    "last",
    "length",
    "lines",
    "list",
    "lower",
    "map",
    "max",
    "min",
    "reject",
    "rejectattr",
    "replace",
    "reverse",
    "round",
    "select",
    "selectattr",
    "sort",
    "split",
    "string",
    "title",
    "tojson",
    "trim",
    "unique",
    "upper",
];

/// The tests that templates have, sorted.
pub(super) const TESTS: &[&str] = &[
    "boolean",
    "defined",
    "endingwith",
    "eq",
    "equalto",
    "even",
    "false",
    "ge",
    "gt",
    "integer",
    "iterable",
    "le",
    "lt",
    "mapping",
    "ne",
    "none",
    "number",
    "odd",
    "sequence",
    "startingwith",
    "string",
    "true",
    "undefined",
];

/// How long a text with templates in it may be, in bytes.
const MAX_TEXT: usize = 256 << 10;
/// How many tokens may stand between one pair of braces: the parser recurses over some of them.
const MAX_TOKENS: usize = 200;
/// How many `{% … %}` one text may have: the parser recurses over nested ones.
const MAX_STATEMENTS: usize = 100;
/// How many `+` one expression may have: each may copy a long text.
const MAX_ADDITIONS: usize = 8;

/// What a text refers to, and what is wrong with it.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Checked {
    pub references: Vec<Reference>,
    pub problems: Vec<Problem>,
    /// The value of an expression that does not depend on anything, as a condition.
    pub constant: Option<bool>,
}

/// One use of a variable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// The variable, such as `steps`.
    pub root: String,
    /// The attributes behind it, as far as they are written out: `scan`, `result` in `steps.scan.result`.
    pub path: Vec<String>,
    /// In bytes of the text.
    pub offset: usize,
}

/// Something wrong in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// In bytes of the text.
    pub offset: usize,
    /// A lowercase fragment.
    pub message: String,
    pub hint: String,
}

/// Checks a text that may contain `{{ … }}` and `{% … %}`.
pub fn check_template(text: &str) -> Checked {
    let mut checker = Checker::default();
    if super::is_template(text) && checker.within_limits(text, false) {
        match parse(text, "template", minijinja::syntax::SyntaxConfig::default()) {
            Ok(template) => checker.statement(&template),
            Err(error) => checker.syntax(text, false, &error),
        }
    }
    checker.checked
}

/// Checks an expression, as `when` has it: without braces.
pub fn check_expression(text: &str) -> Checked {
    let mut checker = Checker::default();
    if checker.within_limits(text, true) {
        match parse_expr(text) {
            Ok(expression) => {
                checker.expression(&expression);
                checker.checked.constant = expression.as_const().map(|value| value.is_true());
            }
            Err(error) => checker.syntax(text, true, &error),
        }
    }
    checker.checked
}

/// The expression in a text that is nothing but `{{ expression }}`.
pub(super) fn sole_expression(text: &str) -> Option<&str> {
    let inside = text.strip_prefix("{{")?.strip_suffix("}}")?;
    let mut ends = tokenize(text, false, minijinja::syntax::SyntaxConfig::default())
        // After an error it goes on with errors for ever.
        .map_while(Result::ok)
        .filter(|(token, _)| matches!(token, Token::VariableEnd))
        .map(|(_, span)| offset(span.end_offset));
    if ends.next() != Some(text.len()) {
        return None;
    }
    let inside = inside.strip_prefix(['-', '+']).unwrap_or(inside);
    Some(inside.strip_suffix(['-', '+']).unwrap_or(inside).trim())
}

#[derive(Default)]
struct Checker<'t> {
    checked: Checked,
    /// The names that `for` has introduced.
    locals: Vec<&'t str>,
    additions: usize,
}

impl<'t> Checker<'t> {
    fn problem(&mut self, at: u32, message: impl Into<String>, hint: impl Into<String>) {
        self.checked.problems.push(Problem {
            offset: offset(at),
            message: message.into(),
            hint: hint.into(),
        });
    }

    /// Before the parser sees it: nothing here recurses.
    fn within_limits(&mut self, text: &str, expression: bool) -> bool {
        let found = self.checked.problems.len();
        if text.len() > MAX_TEXT {
            let message = format!("a template is longer than {} KiB", MAX_TEXT >> 10);
            self.problem(0, message, "put long texts into a file that the agent reads");
            return false;
        }
        let (mut tokens, mut statements) = (0, 0);
        let syntax = minijinja::syntax::SyntaxConfig::default();
        for (token, span) in tokenize(text, expression, syntax).map_while(Result::ok) {
            match token {
                Token::VariableStart | Token::TemplateData(_) => tokens = 0,
                Token::BlockStart => {
                    tokens = 0;
                    statements += 1;
                    if statements == MAX_STATEMENTS + 1 {
                        let message = format!("more than {MAX_STATEMENTS} `{{% … %}}` in one text");
                        self.problem(span.start_offset, message, "split the text");
                        return false;
                    }
                }
                _ => tokens += 1,
            }
            if tokens > MAX_TOKENS {
                let message = format!("an expression of more than {MAX_TOKENS} words and signs");
                self.problem(span.start_offset, message, "compute it in a step of its own");
                return false;
            }
        }
        self.checked.problems.len() == found
    }

    /// The parser knows the line only; the token at which it stopped is found by reading again.
    fn syntax(&mut self, text: &str, expression: bool, error: &minijinja::Error) {
        let message = error.detail().unwrap_or("cannot be read").to_owned();
        let at = error.range().map(|range| range.start).unwrap_or_else(|| {
            let line = error.line().unwrap_or(1).saturating_sub(1);
            text.split_inclusive('\n').take(line).map(str::len).sum()
        });
        let hint = if expression {
            "write an expression such as `steps.scan.result.total > 0`, without braces"
        } else {
            "`{{ … }}` prints a value, `{% if … %}` and `{% for … %}` end with `{% endif %}` and \
             `{% endfor %}`; write `{{ '{{' }}` for the braces themselves"
        };
        self.problem(u32::try_from(at).unwrap_or(u32::MAX), format!("bad syntax: {message}"), hint);
    }

    fn statements(&mut self, statements: &[Stmt<'t>]) {
        for statement in statements {
            self.statement(statement);
        }
    }

    fn statement(&mut self, statement: &Stmt<'t>) {
        let (span, name) = match statement {
            Stmt::Template(template) => return self.statements(&template.children),
            Stmt::EmitRaw(_) => return,
            Stmt::EmitExpr(emit) => {
                self.additions = 0;
                return self.expression(&emit.expr);
            }
            Stmt::IfCond(cond) => {
                self.additions = 0;
                self.expression(&cond.expr);
                self.statements(&cond.true_body);
                return self.statements(&cond.false_body);
            }
            Stmt::ForLoop(for_loop) => return self.for_loop(for_loop, for_loop.span()),
            Stmt::WithBlock(block) => (block.span(), "with"),
            Stmt::Set(set) => (set.span(), "set"),
            Stmt::SetBlock(set) => (set.span(), "set"),
            Stmt::AutoEscape(block) => (block.span(), "autoescape"),
            Stmt::FilterBlock(block) => (block.span(), "filter"),
            Stmt::Do(call) => (call.span(), "do"),
        };
        let message = format!("templates have no `{{% {name} %}}`");
        self.problem(span.start_offset, message, "they have `{{ … }}`, `{% if %}` and `{% for %}`");
    }

    fn for_loop(&mut self, for_loop: &ast::ForLoop<'t>, span: Span) {
        if for_loop.recursive {
            self.problem(
                span.start_offset,
                "templates have no `recursive` loops",
                "nest two loops",
            );
        }
        self.additions = 0;
        self.expression(&for_loop.iter);
        if builds(&for_loop.iter) {
            self.problem(
                span.start_offset,
                "a loop runs over a list that is there, not over one that the template builds",
                "loop over a parameter, a step's result or a list of constants",
            );
        }
        let outer = self.locals.len();
        self.bind(&for_loop.target);
        self.locals.push("loop");
        if let Some(filter) = &for_loop.filter_expr {
            self.expression(filter);
        }
        self.statements(&for_loop.body);
        self.locals.truncate(outer);
        self.statements(&for_loop.else_body);
    }

    fn bind(&mut self, target: &Expr<'t>) {
        match target {
            Expr::Var(var) => self.locals.push(var.id),
            Expr::List(list) => list.items.iter().for_each(|item| self.bind(item)),
            _ => {}
        }
    }

    fn expressions<'e>(&mut self, expressions: impl IntoIterator<Item = &'e Expr<'t>>)
    where
        't: 'e,
    {
        for expression in expressions {
            self.expression(expression);
        }
    }

    fn expression(&mut self, expression: &Expr<'t>) {
        match expression {
            Expr::Const(_) => {}
            Expr::Var(_) | Expr::GetAttr(_) | Expr::GetItem(_) => self.variable(expression),
            Expr::Slice(slice) => {
                self.expression(&slice.expr);
                self.expressions(slice.start.iter().chain(&slice.stop).chain(&slice.step));
            }
            Expr::UnaryOp(unary) => self.expression(&unary.expr),
            Expr::BinOp(binary) => {
                self.operator(binary, binary.span());
                self.expression(&binary.left);
                self.expression(&binary.right);
            }
            Expr::Compare(compare) => {
                self.expression(&compare.expr);
                self.expressions(compare.ops.iter().map(|op| &op.expr));
            }
            Expr::IfExpr(cond) => {
                self.expression(&cond.test_expr);
                self.expression(&cond.true_expr);
                self.expressions(&cond.false_expr);
            }
            Expr::Filter(filter) => {
                self.known("filter", filter.name, FILTERS, filter.span());
                if filter.name == "map" && !only_attribute(&filter.args) {
                    let message = "`map` takes one attribute";
                    self.problem(filter.span().start_offset, message, "map(attribute=\"path\")");
                }
                self.expressions(&filter.expr);
                self.arguments(&filter.args);
            }
            Expr::Test(test) => {
                self.known("test", test.name, TESTS, test.span());
                self.expression(&test.expr);
                self.arguments(&test.args);
            }
            Expr::Call(call) => {
                if !matches!(&call.expr, Expr::Var(var) if var.id == "range") {
                    let message = "the only function of templates is `range`";
                    self.problem(
                        call.expr.span().start_offset,
                        message,
                        "use a filter: `x|length`",
                    );
                }
                self.arguments(&call.args);
            }
            Expr::List(list) => self.expressions(&list.items),
            Expr::Tuple(tuple) => self.expressions(&tuple.items),
            Expr::Map(map) => self.expressions(map.keys.iter().chain(&map.values)),
        }
    }

    fn arguments(&mut self, arguments: &[CallArg<'t>]) {
        for argument in arguments {
            let (CallArg::Pos(value)
            | CallArg::Kwarg(_, value)
            | CallArg::PosSplat(value)
            | CallArg::KwargSplat(value)) = argument;
            self.expression(value);
        }
    }

    fn operator(&mut self, binary: &ast::BinOp<'_>, span: Span) {
        let sign = match binary.op {
            BinOpKind::Mul => "*",
            BinOpKind::Pow => "**",
            BinOpKind::Concat => "~",
            BinOpKind::Add => {
                self.additions += 1;
                if self.additions == MAX_ADDITIONS + 1 {
                    let message = format!("more than {MAX_ADDITIONS} additions in one expression");
                    self.problem(
                        span.start_offset,
                        message,
                        "write `{{ a }}{{ b }}` to join texts",
                    );
                }
                return;
            }
            _ => return,
        };
        let hint = "write `{{ a }}{{ b }}` to join texts; `+`, `-`, `/`, `//` and `%` calculate";
        self.problem(span.start_offset, format!("templates have no `{sign}`"), hint);
    }

    fn known(&mut self, what: &str, name: &str, known: &[&str], span: Span) {
        if !known.contains(&name) {
            // Whoever has more than a few of these has written something else than a template.
            let few = self.checked.problems.len() < 3;
            let near = few.then(|| did_you_mean(name, known.iter().copied())).flatten();
            let hint = match near {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("there are: {}", known.join(", ")),
            };
            self.problem(span.start_offset, format!("there is no {what} `{name}`"), hint);
        }
    }

    /// A variable with the attributes behind it.
    fn variable(&mut self, expression: &Expr<'t>) {
        let mut path = Vec::new();
        let mut inner = expression;
        let root = loop {
            inner = match inner {
                Expr::GetAttr(attribute) => {
                    path.push(attribute.name.to_owned());
                    &attribute.expr
                }
                Expr::GetItem(item) => {
                    match item.subscript_expr.as_const().as_ref().and_then(|key| key.as_str()) {
                        Some(key) => path.push(key.to_owned()),
                        // What comes behind a computed subscript cannot be known.
                        None => path.clear(),
                    }
                    self.expression(&item.subscript_expr);
                    &item.expr
                }
                Expr::Var(var) => break var,
                other => return self.expression(other),
            };
        };
        if !self.locals.contains(&root.id) {
            path.reverse();
            self.checked.references.push(Reference {
                root: root.id.to_owned(),
                path,
                offset: offset(root.span().start_offset),
            });
        }
    }
}

fn offset(offset: u32) -> usize {
    usize::try_from(offset).unwrap_or(usize::MAX)
}

fn only_attribute(arguments: &[CallArg<'_>]) -> bool {
    !arguments.is_empty()
        && arguments
            .iter()
            .all(|argument| matches!(argument, CallArg::Kwarg("attribute" | "default", _)))
}

/// Whether evaluating makes values that were not there before. In nested loops each could be twice as
/// long as the one outside it.
fn builds(expression: &Expr<'_>) -> bool {
    let any = |expressions: &[&Expr<'_>]| expressions.iter().any(|expression| builds(expression));
    match expression {
        Expr::Var(_) | Expr::Const(_) => false,
        Expr::List(_) | Expr::Tuple(_) | Expr::Map(_) => expression.as_const().is_none(),
        Expr::BinOp(binary) => {
            matches!(binary.op, BinOpKind::Add) || any(&[&binary.left, &binary.right])
        }
        Expr::Slice(slice) => builds(&slice.expr),
        Expr::UnaryOp(unary) => builds(&unary.expr),
        Expr::Compare(_) => false,
        Expr::IfExpr(cond) => {
            any(&[&cond.true_expr]) || cond.false_expr.as_ref().is_some_and(builds)
        }
        Expr::Filter(filter) => {
            filter.expr.as_ref().is_some_and(builds) || filter.args.iter().any(argument_builds)
        }
        Expr::Test(_) => false,
        Expr::GetAttr(attribute) => builds(&attribute.expr),
        Expr::GetItem(item) => any(&[&item.expr, &item.subscript_expr]),
        Expr::Call(call) => call.args.iter().any(argument_builds),
    }
}

fn argument_builds(argument: &CallArg<'_>) -> bool {
    let (CallArg::Pos(value)
    | CallArg::Kwarg(_, value)
    | CallArg::PosSplat(value)
    | CallArg::KwargSplat(value)) = argument;
    builds(value)
}
