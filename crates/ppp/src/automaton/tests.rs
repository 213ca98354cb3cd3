use super::*;

/// The table of the RFC, extracted from its text by a script: event, state, name, actions, next, name, note.
const RFC: &str = include_str!("../../tests/data/ppp-automaton.tsv");

fn event(name: &str) -> Event {
    match name {
        "TO+" => Event::ToPlus,
        "TO-" => Event::ToMinus,
        "RCR+" => Event::RcrPlus,
        "RCR-" => Event::RcrMinus,
        "RXJ+" => Event::RxjPlus,
        "RXJ-" => Event::RxjMinus,
        _ => Event::ALL
            .into_iter()
            .find(|event| format!("{event:?}").eq_ignore_ascii_case(name))
            .unwrap_or_else(|| panic!("no event {name}")),
    }
}

#[test]
fn c092_every_row_of_the_rfc_table_holds() {
    let (mut rows, mut impossible) = (0, 0);
    for row in RFC.lines().skip(1) {
        let [name, state, state_name, actions, next, next_name, _] =
            row.split('\t').collect::<Vec<_>>().try_into().unwrap();
        let state = State::ALL[state.parse::<usize>().unwrap()];
        assert_eq!(state.to_string(), state_name);
        let found = transition(state, event(name));
        if actions == "-" {
            assert_eq!(found, None, "{row}");
            impossible += 1;
        } else {
            let found = found.unwrap_or_else(|| panic!("missing: {row}"));
            let wanted: Vec<&str> = if actions == "none" { vec![] } else { actions.split(',').collect() };
            let done: Vec<String> = found.actions.iter().map(|a| format!("{a:?}").to_lowercase()).collect();
            assert_eq!(done, wanted, "{row}");
            assert_eq!(found.next as u8, next.parse::<u8>().unwrap(), "{row}");
            assert_eq!(found.next.to_string(), next_name, "{row}");
        }
        rows += 1;
    }
    assert_eq!((rows, impossible), (160, 40));
}

#[test]
fn states_and_events_stand_at_their_own_numbers() {
    for (i, state) in State::ALL.into_iter().enumerate() {
        assert_eq!(state as usize, i);
    }
    for (i, event) in Event::ALL.into_iter().enumerate() {
        assert_eq!(event as usize, i);
    }
}

#[test]
fn the_timer_runs_exactly_where_timeouts_can_happen() {
    for state in State::ALL {
        assert_eq!(state.is_timed(), transition(state, Event::ToPlus).is_some(), "{state}");
    }
}
