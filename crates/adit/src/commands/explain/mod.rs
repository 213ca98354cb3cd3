//! `adit explain`

mod conclusions;
pub(crate) mod key;
pub(crate) mod route;
pub(crate) mod user;

use adit_diag::{Code, Entry, Explanation, Foreign, NotKnown};
use schemars::JsonSchema;
use serde::Serialize;

use crate::document::Document;
use crate::failure::{Exit, Failure};
use crate::output::Output;
use crate::places::Places;
use crate::style::Tone;

/// Explain a code, a log line or a user's failed calls
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Without arguments, lists the codes of adit.
Examples:
  adit explain G01                                    a code of adit
  adit explain 619                                    an error of Windows
  adit explain pppd:16 pptp:result:3 mschap:691       codes of other programs
  adit explain event 20209                            an event of Windows
  adit explain 'LCP: timeout sending Config-Requests' a line of a log
  adit explain connected but no traffic               a symptom
  adit explain user alice                             why a user cannot connect
  adit explain route alice 192.168.10.20:443          whether a user may reach a destination: exit status 0 or 1
  adit explain key link.mtu                           a key of adit.toml")]
pub(crate) struct Args {
    /// Explain codes, numbers, log lines or symptoms; or user NAME, route USER DEST, key CONFIG.KEY
    #[arg(value_name = "CODE|TEXT")]
    questions: Vec<String>,
    /// Print the whole catalogue
    #[arg(long, conflicts_with = "questions")]
    all: bool,
    /// Select the format of the whole catalogue
    #[arg(long, requires = "all", value_name = "FORM", value_enum, default_value_t)]
    format: Format,
}

/// The format of the whole catalogue.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// Text for a terminal.
    #[default]
    Text,
    /// Markdown, for the documentation.
    Md,
}

/// What `adit explain --json` prints.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Explain {
    /// The answers, in the order of the questions.
    answers: Vec<Answer>,
}

impl Document for Explain {
    const NAME: &'static str = "adit.explain/1";
}

#[derive(Serialize, JsonSchema)]
struct Answer {
    /// The question.
    question: String,
    /// Our codes.
    codes: Vec<CodePage>,
    /// Codes and log lines of other programs.
    foreign: Vec<ForeignPage>,
}

/// The page of a code of adit.
#[derive(Serialize, JsonSchema)]
struct CodePage {
    code: &'static str,
    layer: &'static str,
    /// Exit code of a command that ends with this code.
    exit: u8,
    title: &'static str,
    meaning: String,
    /// How adit detects it.
    proof: String,
    /// Who can fix it.
    owner: String,
    /// Fixes, most likely first.
    fix: Vec<String>,
    /// Similar problems that it is not.
    confused_with: Vec<String>,
    /// The next test to run.
    next: String,
    /// Names in other programs.
    elsewhere: Vec<String>,
}

/// A code or log line of another program.
#[derive(Serialize, JsonSchema)]
struct ForeignPage {
    /// Key, such as windows:619
    key: String,
    /// The program, such as Windows
    system: &'static str,
    says: String,
    note: Option<String>,
    /// Whether the meaning was verified in the program's documentation or source, or in a real log.
    confirmed: bool,
    /// The layers of the causes, most likely first.
    layers: Vec<&'static str>,
    /// Codes of adit that it can mean, most likely first.
    causes: Vec<CausePage>,
    see_also: Vec<String>,
}

#[derive(Serialize, JsonSchema)]
struct CausePage {
    code: &'static str,
    layer: &'static str,
    title: &'static str,
    /// The condition of this cause.
    when: String,
    /// Who can fix it.
    owner: String,
    /// The first thing to do.
    fix: Option<String>,
    /// The next test to run.
    next: String,
}

impl From<&Entry> for CodePage {
    fn from(entry: &Entry) -> CodePage {
        CodePage {
            code: entry.code.as_str(),
            layer: entry.code.layer().word(),
            exit: entry.code.exit_code(),
            title: entry.title,
            meaning: entry.meaning.clone(),
            proof: entry.proof.clone(),
            owner: entry.owner.clone(),
            fix: entry.fix.clone(),
            confused_with: entry.confused_with.clone(),
            next: entry.next.clone(),
            elsewhere: entry.elsewhere.iter().map(|elsewhere| elsewhere.key.clone()).collect(),
        }
    }
}

impl From<&Foreign> for ForeignPage {
    fn from(foreign: &Foreign) -> ForeignPage {
        let cause = |cause: &adit_diag::Cause| {
            let entry = cause.code.entry();
            CausePage {
                code: cause.code.as_str(),
                layer: cause.code.layer().word(),
                title: entry.title,
                when: cause.when.clone(),
                owner: entry.owner,
                fix: entry.fix.into_iter().next(),
                next: entry.next,
            }
        };
        ForeignPage {
            key: foreign.key.clone(),
            system: foreign.system(),
            says: foreign.wording.clone(),
            note: foreign.note.clone(),
            confirmed: foreign.confirmed,
            layers: foreign.layers().into_iter().map(adit_diag::Layer::word).collect(),
            causes: foreign.causes.iter().map(cause).collect(),
            see_also: foreign.see_also.clone(),
        }
    }
}

pub(crate) fn run(args: &Args, output: &Output, places: &Places) -> Result<Exit, Failure> {
    let words: Vec<&str> = args.questions.iter().map(String::as_str).collect();
    match words.as_slice() {
        [] if args.all => return all(args.format, output),
        [] => return list(output),
        ["key", keys @ ..] if !keys.is_empty() => return key::run(keys, output),
        ["user", name] => return user::run(name, output, places),
        ["route", user, to] => return route::run(user, to, output, places),
        ["route", ..] => {
            return Err(Failure::usage("who wants to reach what?").fix("adit explain route USER DEST[:PORT]"));
        }
        _ => {}
    }
    let answers = match ask(&args.questions) {
        Ok(answers) => answers,
        // A configuration key with its section.
        Err(_) if words.iter().all(|word| key::is_one(word)) => return key::run(&words, output),
        Err(unknown) => return Err(not_known(&unknown)),
    };
    if output.is_text() {
        let pages: Vec<String> = answers.iter().map(|(_, answer)| answer.to_string()).collect();
        output.text(&pages.join("\n"))?;
        return Ok(Exit::Done);
    }
    let answers = answers.iter().map(|(question, answer)| match answer {
        Explanation::Code(entry) => Answer::code(question, entry),
        Explanation::Foreign(pages) => Answer::foreign(question, pages),
    });
    output.document(&Explain { answers: answers.collect() })?;
    Ok(Exit::Done)
}

/// The error for an unknown question, with suggestions.
fn not_known(unknown: &NotKnown) -> Failure {
    let keys = key::named(&unknown.query).into_iter().map(|key| format!("adit explain key {key}"));
    let near = unknown.near.iter().map(|near| format!("adit explain '{near}'"));
    let near = near.map(|line| line.replace("'\"", "'").replace("\"'", "'"));
    // An exact key name takes precedence over similar spellings.
    let mut fixes: Vec<String> = keys.collect();
    if fixes.is_empty() && !is_like_a_code(&unknown.query) {
        fixes.extend(near);
    }
    let failure = Failure::new(
        Exit::NotFound,
        format!("nothing is known about \"{}\"", crate::table::printable(&unknown.query)),
    );
    failure.fix(match fixes.is_empty() {
        true => "adit explain lists the codes".to_owned(),
        false => fixes.join("\n"),
    })
}

impl Answer {
    fn code(question: &str, entry: &Entry) -> Answer {
        Answer { question: question.to_owned(), codes: vec![entry.into()], foreign: Vec::new() }
    }

    fn foreign(question: &str, pages: &[Foreign]) -> Answer {
        let foreign = pages.iter().map(ForeignPage::from).collect();
        Answer { question: question.to_owned(), codes: Vec::new(), foreign }
    }
}

/// Prints the whole catalogue: codes of adit, then codes and log lines of other programs.
fn all(format: Format, output: &Output) -> Result<Exit, Failure> {
    let foreign = adit_diag::foreign();
    if !output.is_text() {
        let codes = Code::ALL.iter().map(|code| Answer::code(code.as_str(), &code.entry()));
        let foreign = foreign.iter().map(|page| Answer::foreign(&page.key, std::slice::from_ref(page)));
        output.document(&Explain { answers: codes.chain(foreign).collect() })?;
    } else if format == Format::Md {
        output.text(&adit_diag::reference())?;
    } else {
        let codes = Code::ALL.iter().map(|code| code.entry().to_string());
        let pages: Vec<String> = codes.chain(foreign.iter().map(Foreign::to_string)).collect();
        output.text(&pages.join("\n"))?;
    }
    Ok(Exit::Done)
}

/// Whether a text has the form of our codes; codes with similar letters have unrelated meanings.
fn is_like_a_code(text: &str) -> bool {
    let mut chars = text.chars();
    chars.next().is_some_and(|c| c.is_ascii_alphabetic())
        && chars.clone().count() == 2
        && chars.all(|c| c.is_ascii_digit())
}

/// Answers each question. If a word alone has no meaning, all words together are one log line or symptom, unless they
/// begin with a code or a number.
fn ask(questions: &[String]) -> Result<Vec<(String, Explanation)>, NotKnown> {
    let each: Result<Vec<_>, NotKnown> =
        questions.iter().map(|question| Ok((question.clone(), adit_diag::explain(question)?))).collect();
    each.or_else(|unknown| {
        let line = questions.join(" ");
        let exact =
            |question: &String| !question.contains('=') && question.chars().any(|c| c.is_ascii_digit());
        if questions.first() != Some(&unknown.query) && questions.first().is_some_and(exact) {
            return Err(unknown);
        }
        match adit_diag::explain(&line) {
            Ok(answer) => Ok(vec![(line, answer)]),
            Err(_) => Err(unknown),
        }
    })
}

/// Lists every code with its title, by layer.
fn list(output: &Output) -> Result<Exit, Failure> {
    if !output.is_text() {
        let page = |code: &Code| Answer::code(code.as_str(), &code.entry());
        output.document(&Explain { answers: Code::ALL.iter().map(page).collect() })?;
        return Ok(Exit::Done);
    }
    let (mut text, mut last) = (String::new(), None);
    for code in Code::ALL {
        let layer = code.layer();
        if last != Some(layer) {
            last = Some(layer);
            let heading = format!("{} {}", layer.letter(), layer.title());
            text.push_str(&format!("{}\n", output.paint(Tone::Head, &heading)));
        }
        text.push_str(&format!("  {code}  {}\n", code.title()));
    }
    output.text(&text)?;
    Ok(Exit::Done)
}
