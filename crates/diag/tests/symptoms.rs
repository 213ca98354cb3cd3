//! Every row of the symptom catalogue has an answer, and it is about the row's layer.

#![allow(clippy::panic, reason = "a test that fails says why")]

use adit_diag::{Explanation, Layer, explain};

const SYMPTOMS: &str = include_str!("data/symptoms.tsv");

/// Rows whose first code is on purpose of another layer than the row.
const ELSEWHERE: &[(&str, &str)] = &[
    ("WRAS-731", "a protocol that is off in the client shows as addresses that cannot be agreed"),
    ("WRAS-799", "the address of connection sharing is an overlap, wherever it is set"),
    ("PEXIT-011", "no network protocol came up: encryption or address, not LCP"),
    ("LHOST-025", "a clock is the host's, whatever it breaks"),
];

/// Our layers that can answer a layer of the catalogue. What stands for "died after it was up" can be of several.
fn layers(word: &str) -> &'static [Layer] {
    match word {
        "name" | "reach" => &[Layer::Name],
        "tcp1723" => &[Layer::Control, Layer::Host],
        "control" => &[Layer::Control],
        "call" => &[Layer::Control, Layer::Gre],
        "gre" => &[Layer::Gre, Layer::Host],
        "gre-in" | "gre-out" => &[Layer::Gre],
        "lcp" => &[Layer::Lcp],
        "auth" => &[Layer::Auth],
        "ccp" => &[Layer::Encrypt],
        "ipcp" => &[Layer::Address, Layer::Encrypt],
        "pool" => &[Layer::Address, Layer::Plan, Layer::Control],
        "route" | "target" => &[Layer::Route],
        "dns" => &[Layer::Address, Layer::Route],
        "mtu" => &[Layer::Mtu],
        "session" => &[Layer::Control, Layer::Gre, Layer::Lcp, Layer::Auth],
        "client-host" | "server-host" => &[Layer::Host],
        "security" => &[Layer::Posture],
        "not-pptp" => &[],
        other => panic!("the layer {other} is new"),
    }
}

fn rows() -> impl Iterator<Item = [&'static str; 4]> {
    SYMPTOMS.lines().filter(|row| !row.starts_with('#')).map(|row| {
        let fields: Vec<&str> = row.split('\t').collect();
        fields.try_into().unwrap_or_else(|_| panic!("{row}: four fields"))
    })
}

#[test]
fn every_symptom_has_an_answer_of_its_layer() {
    let mut count = 0;
    for [id, layer, question, wanted] in rows() {
        count += 1;
        let answer = explain(question).unwrap_or_else(|unknown| panic!("{id}: {unknown}"));
        match answer.first_code() {
            Some(code) => {
                assert_eq!(code.as_str(), wanted, "{id}: {question}");
                let excused = ELSEWHERE.iter().any(|(excused, _)| *excused == id);
                assert_ne!(layers(layer).contains(&code.layer()), excused, "{id}: {code} for {layer}");
            }
            // No code: then it explains why there is nothing to fix in PPTP.
            None => {
                assert_eq!(wanted, "-", "{id}: {question}");
                let Explanation::Foreign(pages) = &answer else { panic!("{id}") };
                assert!(pages.iter().all(|page| page.note.is_some()), "{id}: {question}");
            }
        }
    }
    assert_eq!(count, 324);
}

#[test]
fn what_is_not_pptp_is_reported_as_such() {
    for [id, layer, question, _] in rows().filter(|[_, layer, ..]| *layer == "not-pptp") {
        let page = explain(question).unwrap().to_string();
        assert!(page.contains("Not PPTP"), "{id} {layer}: {page}");
    }
}

#[test]
fn every_excuse_is_of_a_row() {
    for (id, why) in ELSEWHERE {
        assert!(rows().any(|[row, ..]| row == *id), "{id}: {why}");
    }
}
