use super::*;

fn ended(code: Code) -> End {
    End { why: Why::Failed, by: Who::Note, code: Some(code), detail: "nothing came".to_owned() }
}

fn neighbour(name: &str, same_call_id: bool) -> Neighbour {
    Neighbour { name: name.to_owned(), same_call_id, heard: true, began_behind: false }
}

#[test]
fn row_20_the_second_client_behind_one_router_is_g06() {
    for code in [Code::G01, Code::G02, Code::G03] {
        let end = behind_one_address(ended(code), &[neighbour("s41", true)]);
        assert_eq!(end.code, Some(Code::G06));
        assert_eq!(
            end.detail,
            "nothing came, while GRE of s41 from the same address works; both chose the same Call ID"
        );
    }
    // The first one, whose GRE went to the second.
    let second = Neighbour { began_behind: true, ..neighbour("s42", false) };
    let end = behind_one_address(ended(Code::G05), &[second]);
    assert_eq!(end.code, Some(Code::G06));
    assert!(end.detail.ends_with("since s42 called from the same address"), "{}", end.detail);
}

#[test]
fn a_neighbour_proves_nothing_where_it_has_the_same_trouble_or_the_router_tells_calls_apart() {
    let deaf = Neighbour { heard: false, ..neighbour("s41", true) };
    assert_eq!(behind_one_address(ended(Code::G01), &[deaf]).code, Some(Code::G01));
    let two = [neighbour("s41", false), neighbour("s42", false)];
    assert_eq!(behind_one_address(ended(Code::G01), &two).code, Some(Code::G01));
    assert_eq!(behind_one_address(ended(Code::G05), &[neighbour("s41", true)]).code, Some(Code::G05));
    assert_eq!(behind_one_address(ended(Code::A01), &[neighbour("s41", true)]).code, Some(Code::A01));
    let fine = End { code: None, ..ended(Code::G01) };
    assert_eq!(behind_one_address(fine.clone(), &[neighbour("s41", true)]), fine);
}

fn judged(evidence: &Evidence) -> Code {
    evidence.judge(Role::Server, Code::L05, "no LCP").0
}

#[test]
fn row_15_nothing_at_all_proves_no_direction() {
    assert_eq!(judged(&Evidence::default()), Code::G01);
}

#[test]
fn row_13_16_18_22_a_client_that_says_it_hears_us_proves_that_its_own_gre_is_lost() {
    let mut evidence = Evidence::default();
    evidence.told();
    assert_eq!(judged(&evidence), Code::G02);
    // What is heard is heard, whatever is said.
    evidence.acknowledged();
    assert_eq!(judged(&evidence), Code::L05);
}

#[test]
fn row_21_a_call_id_that_changed_is_g04_wherever_it_shows() {
    let mut key = Evidence::default();
    key.stray(Stray::CallId(77));
    let mut told = Evidence { heard: 4, ..Evidence::default() };
    told.misnamed(1007);
    for evidence in [key, told] {
        assert_eq!(judged(&evidence), Code::G04);
    }
    // A packet of a stranger says nothing about a call whose own GRE comes.
    let mut fine = Evidence { heard: 4, ..Evidence::default() };
    fine.stray(Stray::CallId(77));
    assert_eq!(judged(&fine), Code::G03);
}

#[test]
fn row_23_gre_from_another_address_names_it() {
    let mut evidence = Evidence::default();
    evidence.stray(Stray::Source(Ipv4Addr::new(203, 0, 113, 11)));
    let (code, detail) = evidence.judge(Role::Client, Code::L05, "no LCP");
    assert_eq!(code, Code::G03);
    assert!(detail.contains("203.0.113.11"), "{detail}");
}
