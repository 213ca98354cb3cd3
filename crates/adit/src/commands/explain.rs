//! `adit explain`

use adit_diag::{Code, Entry, Explanation, Foreign, NotKnown};
use schemars::JsonSchema;
use serde::Serialize;

use crate::document::Document;
use crate::failure::{Exit, Failure};
use crate::output::Output;
use crate::style::Tone;

/// Say what a code or a log line means, and what to do
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Without a question it lists the codes of adit.
Examples:
  adit explain G01                                    a code of adit
  adit explain 619                                    an error of Windows
  adit explain pppd:16 pptp:result:3 mschap:691       what other programs say
  adit explain 'LCP: timeout sending Config-Requests' a line of a log
  adit explain key link.mtu                           a key of adit.toml")]
pub(crate) struct Args {
    /// Codes, numbers or lines of a log
    #[arg(value_name = "CODE|TEXT")]
    questions: Vec<String>,
}

/// What `adit explain --json` prints.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Explain {
    /// In the order of the questions.
    answers: Vec<Answer>,
}

impl Document for Explain {
    const NAME: &'static str = "adit.explain/1";
}

#[derive(Serialize, JsonSchema)]
struct Answer {
    /// What was asked.
    question: String,
    /// Our codes.
    codes: Vec<CodePage>,
    /// Codes and log lines of other programs.
    foreign: Vec<ForeignPage>,
}

/// The page of one of our codes.
#[derive(Serialize, JsonSchema)]
struct CodePage {
    code: &'static str,
    layer: &'static str,
    /// What a command that ends with it exits with.
    exit: u8,
    title: &'static str,
    meaning: String,
    /// How adit knows.
    proof: String,
    /// Who can do something about it.
    owner: String,
    /// What to do, the likeliest first.
    fix: Vec<String>,
    /// What looks like it and is not.
    confused_with: Vec<String>,
    /// The one test that comes next.
    next: String,
    /// What other programs call it.
    elsewhere: Vec<String>,
}

/// What another program says.
#[derive(Serialize, JsonSchema)]
struct ForeignPage {
    /// windows:619
    key: String,
    says: String,
    note: Option<String>,
    /// Our codes that it can mean, the likeliest first.
    causes: Vec<CausePage>,
    see_also: Vec<String>,
}

#[derive(Serialize, JsonSchema)]
struct CausePage {
    code: &'static str,
    /// What must be true.
    when: String,
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
        let cause =
            |cause: &adit_diag::Cause| CausePage { code: cause.code.as_str(), when: cause.when.clone() };
        ForeignPage {
            key: foreign.key.clone(),
            says: foreign.says.clone(),
            note: foreign.note.clone(),
            causes: foreign.causes.iter().map(cause).collect(),
            see_also: foreign.see_also.clone(),
        }
    }
}

pub(crate) fn run(args: &Args, output: &Output) -> Result<Exit, Failure> {
    match args.questions.as_slice() {
        [] => return list(output),
        [word, keys @ ..] if word == "key" && !keys.is_empty() => {
            keys.iter().try_for_each(|key| config_key(key, output))?;
            return Ok(Exit::Done);
        }
        _ => {}
    }
    let answers = ask(&args.questions).map_err(|unknown| {
        let near = unknown.near.iter().map(|near| format!("adit explain '{near}'"));
        let near: Vec<String> = near.map(|line| line.replace("'\"", "'").replace("\"'", "'")).collect();
        let failure = Failure::new(
            Exit::NotFound,
            format!("nothing is known about \"{}\"", crate::table::printable(&unknown.query)),
        );
        failure.fix(if near.is_empty() || is_like_a_code(&unknown.query) {
            "adit explain lists the codes".to_owned()
        } else {
            near.join("\n")
        })
    })?;
    if output.is_text() {
        let pages: Vec<String> = answers.iter().map(|(_, answer)| answer.to_string()).collect();
        output.text(&pages.join("\n"))?;
        return Ok(Exit::Done);
    }
    let answers = answers.iter().map(|(question, answer)| match answer {
        Explanation::Code(entry) => {
            Answer { question: question.clone(), codes: vec![entry.as_ref().into()], foreign: Vec::new() }
        }
        Explanation::Foreign(pages) => Answer {
            question: question.clone(),
            codes: Vec::new(),
            foreign: pages.iter().map(ForeignPage::from).collect(),
        },
    });
    output.document(&Explain { answers: answers.collect() })?;
    Ok(Exit::Done)
}

/// Whether it is formed like one of our codes; those near it by letters mean something else altogether.
fn is_like_a_code(text: &str) -> bool {
    let mut chars = text.chars();
    chars.next().is_some_and(|c| c.is_ascii_alphabetic())
        && chars.clone().count() == 2
        && chars.all(|c| c.is_ascii_digit())
}

/// An answer per question; when the first word means nothing by itself, all words together are one line of a log.
fn ask(questions: &[String]) -> Result<Vec<(String, Explanation)>, NotKnown> {
    let each: Result<Vec<_>, NotKnown> =
        questions.iter().map(|question| Ok((question.clone(), adit_diag::explain(question)?))).collect();
    each.or_else(|unknown| {
        let line = questions.join(" ");
        if questions.first() != Some(&unknown.query) {
            return Err(unknown);
        }
        match adit_diag::explain(&line) {
            Ok(answer) => Ok(vec![(line, answer)]),
            Err(_) => Err(unknown),
        }
    })
}

/// Every code with its title, by layer.
fn list(output: &Output) -> Result<Exit, Failure> {
    if !output.is_text() {
        let page = |code: &Code| Answer {
            question: code.to_string(),
            codes: vec![CodePage::from(&code.entry())],
            foreign: Vec::new(),
        };
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

/// What a key of the configuration is for.
fn config_key(wanted: &str, output: &Output) -> Result<(), Failure> {
    let paths = |key: &'static adit_config::Key| {
        key.sections.iter().map(move |section| match section.is_empty() {
            true => key.name.to_owned(),
            false => format!("{section}.{}", key.name),
        })
    };
    // `groups.staff.idle` is asked for where the table says `groups.*.idle`.
    let fits = |path: &str| {
        let (known, asked): (Vec<&str>, Vec<&str>) = (path.split('.').collect(), wanted.split('.').collect());
        known.len() == asked.len()
            && known.iter().zip(&asked).all(|(known, asked)| *known == "*" || known == asked)
    };
    let Some(key) = adit_config::keys().iter().find(|key| paths(key).any(|path| fits(&path))) else {
        let all: Vec<String> = adit_config::keys().iter().flat_map(paths).collect();
        let near = adit_diag::nearest(wanted, all.iter().map(String::as_str));
        let failure = Failure::new(Exit::NotFound, format!("there is no key \"{wanted}\""));
        return Err(failure.fix(
            near.map_or("adit.toml(5) lists them".to_owned(), |near| format!("adit explain key {near}")),
        ));
    };
    let fact = |word: &str, text: &str| {
        if text.is_empty() { String::new() } else { format!("  {word:<8} {text}\n") }
    };
    let mut text = format!("{}\n", output.paint(Tone::Head, wanted));
    text.push_str(&fact("takes", &key.takes()));
    text.push_str(&fact("default", key.default));
    text.push_str(&fact("example", key.example));
    text.push_str(&fact("", key.about).replace("           ", "  "));
    let elsewhere: Vec<String> = paths(key).filter(|path| !fits(path)).collect();
    text.push_str(&fact("also", &elsewhere.join(", ")));
    output.text(&text)
}
