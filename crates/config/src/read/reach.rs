//! Rules of access lists, the services of the server, and tests of both.

use std::collections::BTreeSet;

use adit_diag::{Code, nearest};
use adit_policy::reach::{MAX_RULES, Question, Rule, RuleError, ServerReach};

use crate::model::{ReachTest, TestAs};
use crate::read::{Problem, Read, list, part_span, quote, want_text, wrong_type};
use crate::tree::{Node, Value};

/// The most tests.
const MAX_TESTS: usize = 1024;
/// The most destinations of one list of a test.
const MAX_PLACES: usize = 1024;
/// The keys of a test.
const TEST_KEYS: [&str; 3] = ["as", "allow", "deny"];

/// A list of rules.
pub(crate) fn rules(node: &Node) -> Read<Vec<Rule>> {
    let Value::List(items) = &node.value else {
        return list(node, &(0..=MAX_RULES), rule);
    };
    let mut rules = Vec::with_capacity(items.len().min(MAX_RULES));
    let mut known = BTreeSet::new();
    let mut problems = Vec::new();
    for item in items.iter().take(MAX_RULES + 1) {
        match rule(item) {
            Ok(rule) if known.insert(rule.clone()) => rules.push(rule),
            Ok(_) => {
                problems.push(Problem::new(item, Code::F06, "has a rule twice").label("already in the list"))
            }
            Err(more) => problems.extend(more),
        }
    }
    if problems.is_empty() && items.len() > MAX_RULES {
        let surplus = items.get(MAX_RULES).unwrap_or(node);
        let message = format!("has {} rules, {MAX_RULES} are possible", items.len());
        problems.push(Problem::new(surplus, Code::F06, message).label("one too many"));
    }
    if problems.is_empty() { Ok(rules) } else { Err(problems) }
}

fn rule(node: &Node) -> Read<Rule> {
    let text = want_text(node, "a rule such as \"allow 192.168.10.0/24 tcp 443\"")?;
    Rule::parse(text).map_err(|error| vec![problem(node, text, error)])
}

/// The value of `access.server`.
pub(crate) fn server_reach(node: &Node) -> Read<ServerReach> {
    let text = want_text(node, "a text such as \"ping+dns\"")?;
    ServerReach::parse(text).map_err(|error| vec![problem(node, text, error)])
}

/// The problem at the place of the text that is wrong, with what was probably meant there.
fn problem(node: &Node, text: &str, error: RuleError) -> Problem {
    let RuleError { at, message, expected, meant } = error;
    let problem = Problem::new(node, Code::F04, format!("has {text:?}: {message}"));
    let problem = problem.label(format!("expected {expected}"));
    if part_span(node, at.clone()).is_some() {
        return problem.part(node, at).maybe(meant);
    }
    // The place is not known in a string with escapes, so the whole value is marked.
    let (before, after) = (text.get(..at.start).unwrap_or_default(), text.get(at.end..).unwrap_or_default());
    problem.maybe(meant.map(|meant| quote(&format!("{before}{meant}{after}"))))
}

/// `[[test]]` tables.
pub(crate) fn reach_tests(node: &Node) -> Read<Vec<ReachTest>> {
    if let Value::Table(_) = node.value {
        return Err(vec![wrong_type(node, "a list of tables").advice("[[test]] with two brackets")]);
    }
    list(node, &(0..=MAX_TESTS), test)
}

fn test(node: &Node) -> Read<ReachTest> {
    let Some(table) = node.table() else {
        return Err(vec![wrong_type(node, "a table with as, allow, deny")]);
    };
    let mut problems: Vec<Problem> =
        table.iter().filter_map(|(name, entry)| unknown(name, &entry.node)).collect();
    let user = match table.get("as") {
        Some(entry) => test_as(&entry.node),
        None => {
            let missing = Problem::new(node, Code::F08, "has a table without \"as\"");
            missing.label("whose reach is tested?").advice("as = \"group:NAME\", or \"default\"").fail()
        }
    };
    let mut places =
        |name: &str| match table.get(name).map(|entry| list(&entry.node, &(0..=MAX_PLACES), place)) {
            Some(Ok(places)) => places,
            Some(Err(more)) => {
                problems.extend(more);
                Vec::new()
            }
            None => Vec::new(),
        };
    let (allow, deny) = (places("allow"), places("deny"));
    if problems.is_empty() && allow.is_empty() && deny.is_empty() {
        let empty = Problem::new(node, Code::F08, "has a table without destinations");
        problems.push(empty.label("it tests nothing").advice("allow = [\"192.168.10.20:443\"], or deny"));
    }
    match user {
        Ok(user) if problems.is_empty() => Ok(ReachTest { user, allow, deny }),
        Ok(_) => Err(problems),
        Err(more) => Err([more, problems].concat()),
    }
}

fn unknown(name: &str, node: &Node) -> Option<Problem> {
    if TEST_KEYS.contains(&name) {
        return None;
    }
    let problem =
        Problem::new(node, Code::F03, format!("has the unknown key {name:?}")).label("as, allow or deny");
    Some(match nearest(name, TEST_KEYS) {
        Some(meant) => problem.advice(format!("did you mean {meant:?}?")),
        None => problem.advice("known: as, allow, deny"),
    })
}

fn test_as(node: &Node) -> Read<TestAs> {
    let text = want_text(node, "\"group:NAME\" or \"default\"")?;
    match text.strip_prefix("group:") {
        Some(group) if !group.is_empty() => Ok(TestAs::Group(group.to_owned())),
        None if text == "default" => Ok(TestAs::Default),
        _ => Problem::new(node, Code::F04, format!("has as = {text:?}"))
            .label("\"group:NAME\", or \"default\" for users without a group")
            .fail(),
    }
}

fn place(node: &Node) -> Read<Question> {
    let text = want_text(node, "a destination such as \"192.168.10.20:443\"")?;
    text.parse().or_else(|error| {
        Problem::new(node, Code::F04, format!("has {text:?}, which is no destination"))
            .label(format!("{error}"))
            .fail()
    })
}
