//! Tests with random input: each flow leaves as it entered.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

/// A packet that a sender sends, and what happens to it.
#[derive(Clone, Debug)]
struct Step {
    flow: u16,
    len: usize,
    change: Change,
    fate: Fate,
}

#[derive(Clone, Debug)]
enum Change {
    None,
    Flags(u8),
    Tos(u8),
    Ack,
    Window,
    Timestamp,
    Ttl,
    Id,
}

#[derive(Clone, Debug, PartialEq)]
enum Fate {
    Arrives,
    Lost,
    Twice,
    /// The octet at this position is changed.
    Damaged(usize),
    /// The batch ends after it.
    Ends,
}

fn step() -> impl Strategy<Value = Step> {
    let len = prop_oneof![6 => Just(200usize), 1 => Just(0), 1 => Just(1), 1 => 0usize..400];
    let change = prop_oneof![
        20 => Just(Change::None),
        1 => any::<u8>().prop_map(Change::Flags),
        2 => Just(Change::Flags(tcp::ACK | tcp::PSH)),
        1 => (0u8..4).prop_map(Change::Tos),
        1 => Just(Change::Ack),
        1 => Just(Change::Window),
        1 => Just(Change::Timestamp),
        1 => Just(Change::Ttl),
        1 => Just(Change::Id),
    ];
    let fate = prop_oneof![
        30 => Just(Fate::Arrives),
        1 => Just(Fate::Lost),
        1 => Just(Fate::Twice),
        1 => any::<usize>().prop_map(Fate::Damaged),
        1 => Just(Fate::Ends),
    ];
    // A few flows have most of the packets.
    let flow = prop_oneof![6 => 0u16..3, 1 => 0u16..14];
    (flow, len, change, fate).prop_map(|(flow, len, change, fate)| Step { flow, len, change, fate })
}

/// The batches that arrive.
fn batches(steps: &[Step]) -> Vec<Vec<Vec<u8>>> {
    let mut senders: Vec<_> = (0..14u16)
        .map(|n| Tcp { port: n, is_v6: n % 3 == 1, dont_fragment: n % 3 != 2, ..Tcp::new() })
        .collect();
    let mut batches = vec![Vec::new()];
    for step in steps {
        let sender = &mut senders[usize::from(step.flow)];
        match step.change {
            Change::Tos(tos) => sender.tos = tos,
            Change::Ack => sender.ack += 1,
            Change::Window => sender.window += 1,
            Change::Timestamp => sender.options[7] = sender.options[7].wrapping_add(1),
            Change::Ttl => sender.ttl -= 1,
            Change::Id => sender.id = sender.id.wrapping_add(100),
            Change::None | Change::Flags(_) => {}
        }
        let mut packet = Tcp { len: step.len, ..sender.clone() };
        if let Change::Flags(flags) = step.change {
            packet.flags = flags;
        }
        *sender = Tcp { len: sender.len, flags: sender.flags, ..packet.next() };
        let mut octets = packet.octets();
        let batch = batches.last_mut().unwrap();
        match step.fate {
            Fate::Lost => {}
            Fate::Twice => batch.extend([octets.clone(), octets]),
            Fate::Damaged(at) => {
                let at = at % octets.len();
                octets[at] ^= 1 << (at % 8);
                batch.push(octets);
            }
            Fate::Arrives => batch.push(octets),
            Fate::Ends => {
                batch.push(octets);
                batches.push(Vec::new());
            }
        }
    }
    batches
}

/// The packet without the fields that have no meaning with DF.
fn meaning(mut octets: Vec<u8>) -> Vec<u8> {
    let has_id = octets.first() != Some(&0x45) || octets[6] & 0x40 == 0;
    if !has_id && checksum::of(&octets[..20]) == 0 {
        octets[4..6].fill(0);
        octets[10..12].fill(0);
    }
    octets
}

/// Protocol, addresses and ports; damage may have changed the flow.
fn flow_of(octets: &[u8]) -> Vec<u8> {
    let (protocol, rest) = match octets[0] >> 4 {
        4 => (9, 12..24),
        6 => (6, 8..44),
        _ => return Vec::new(),
    };
    [&octets[protocol..=protocol], &octets[rest]].concat()
}

fn flow_by_flow(packets: impl Iterator<Item = Vec<u8>>) -> BTreeMap<Vec<u8>, Vec<Vec<u8>>> {
    let mut flows = BTreeMap::<_, Vec<_>>::new();
    for octets in packets {
        flows.entry(flow_of(&octets)).or_default().push(meaning(octets));
    }
    flows
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]
    #[test]
    fn every_flow_comes_out_as_it_went_in(steps in proptest::collection::vec(step(), 0..200)) {
        let batches = batches(&steps);
        let mut coalescer = Coalescer::new();
        let mut out = Vec::new();
        for batch in &batches {
            let written = write_batch(&mut coalescer, batch);
            prop_assert!(written.len() <= batch.len());
            out.extend(written.iter().flat_map(|(header, octets)| cut(*header, octets)));
        }
        prop_assert_eq!(flow_by_flow(out.into_iter()), flow_by_flow(batches.into_iter().flatten()));
    }

    #[test]
    fn any_octets_are_written(batch in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..100), 0..20), version in 0u8..3) {
        let batch: Vec<_> = batch.into_iter().map(|mut octets| {
            if octets.len() > 40 {
                octets[0] = [0x45, 0x60, octets[0]][usize::from(version)];
                octets[6] = [0x40, ipv4::TCP, octets[6]][usize::from(version)];
                octets[9] = ipv4::TCP;
            }
            octets
        }).collect();
        let written = write_batch(&mut Coalescer::new(), &batch);
        let mut before = batch.clone();
        let mut after: Vec<_> = written.into_iter().map(|(_, octets)| octets).collect();
        before.sort();
        after.sort();
        prop_assert_eq!(before, after);
    }
}
