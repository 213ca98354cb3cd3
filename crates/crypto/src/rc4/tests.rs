//! Both forms against the `rc4` crate and RFC 6229, every buffer between guards.

use proptest::collection::vec;
use proptest::prelude::*;
use rc4::{KeyInit as _, StreamCipher as _};

use super::*;

/// A function that works on a batch.
type Each = fn(&mut [Job<'_>]);

/// The form chosen at start, and the portable one.
const FORMS: [Each; 2] = [apply_each, portable::apply_each];

/// Octets around each buffer that must stay unchanged.
const GUARD: usize = 64;

/// The result of the `rc4` crate.
fn expected(key: &[u8], data: &[u8]) -> Vec<u8> {
    let mut data = data.to_vec();
    ::rc4::Rc4::new_from_slice(key).unwrap().apply_keystream(&mut data);
    data
}

fn octets(seed: usize, len: usize) -> Vec<u8> {
    (0..len).map(|n| (seed * 31 + n * 7 + n / 251) as u8).collect()
}

/// Works on packets of these key lengths and lengths as one batch, in each form.
fn check(packets: &[(usize, usize)]) {
    let keys: Vec<Vec<u8>> =
        packets.iter().enumerate().map(|(n, (key_len, _))| octets(n + 1, *key_len)).collect();
    for each in FORMS {
        let mut buffers: Vec<Vec<u8>> =
            packets.iter().enumerate().map(|(n, (_, len))| octets(n, len + 2 * GUARD)).collect();
        let before = buffers.clone();
        let mut jobs: Vec<Job<'_>> = (keys.iter().zip(&mut buffers).zip(packets))
            .map(|((key, buffer), (_, len))| Job { key, data: &mut buffer[GUARD..GUARD + len] })
            .collect();
        each(&mut jobs);
        for (((key, buffer), before), (_, len)) in keys.iter().zip(&buffers).zip(&before).zip(packets) {
            let end = GUARD + len;
            assert!(buffer[GUARD..end] == expected(key, &before[GUARD..end]), "{packets:?}");
            assert_eq!(buffer[..GUARD], before[..GUARD], "in front: {packets:?}");
            assert_eq!(buffer[end..], before[end..], "behind: {packets:?}");
        }
    }
}

#[test]
fn every_length() {
    for len in 0..=1600 {
        check(&[(16, len)]);
    }
}

#[test]
fn every_length_side_by_side() {
    for len in 0..=1600 {
        check(&[(16, len), (8, len), (16, 1600 - len), (16, len / 2), (16, len + 1), (16, len)]);
    }
}

#[test]
fn every_count() {
    for count in 0..=20 {
        check(&vec![(16, 1400); count]);
        check(&(0..count).map(|n| (16, 100 * n)).collect::<Vec<_>>());
        check(&(0..count).map(|n| (8, (n * 397) % 500)).collect::<Vec<_>>());
    }
    check(&(0..200).map(|n| (16, (n * 97) % 300)).collect::<Vec<_>>());
}

#[test]
fn every_key_length() {
    for key_len in 1..=256 {
        check(&[(key_len, 300); 7]);
    }
}

/// Mostly the two lengths of MPPE.
fn key_len() -> impl Strategy<Value = usize> {
    prop_oneof![6 => Just(8_usize), 6 => Just(16_usize), 1 => 1..=256_usize]
}

/// Short packets mostly, and some with several turns of the rows of a table.
fn length() -> impl Strategy<Value = usize> {
    prop_oneof![2 => Just(64_usize), 2 => 0..=64_usize, 3 => 0..=600_usize, 1 => 0..=1600_usize]
}

proptest! {
    #[test]
    fn every_batch(packets in vec((1_usize..=256, 0_usize..=1600), 0..=20)) {
        check(&packets);
    }

    #[test]
    fn every_batch_with_keys_beside(
        packets in vec((key_len(), length()), 1..=64),
        wants in vec(any::<bool>(), 1..=20),
    ) {
        check_beside(&packets, &wants);
        check_beside(&packets, &[true]);
    }

    #[test]
    fn a_stream_in_pieces(key in vec(any::<u8>(), 1..=256), pieces in vec(0_usize..=300, 0..=10)) {
        let len = pieces.iter().sum();
        let expected = expected(&key, &octets(1, len));
        for mut stream in [Rc4::new(&key), Rc4::portable(&key)] {
            let mut data = octets(1, len);
            let mut rest = &mut data[..];
            for piece in &pieces {
                let (piece, behind) = rest.split_at_mut(*piece);
                stream.apply(piece);
                rest = behind;
            }
            prop_assert_eq!(&data, &expected);
        }
    }
}

/// Keys encrypted with themselves beside packets. `wants` is what is answered to each question whether there is one, in a
/// cycle; once it was no, the next packets may be asked again.
fn check_beside(packets: &[(usize, usize)], wants: &[bool]) {
    let keys: Vec<Vec<u8>> =
        packets.iter().enumerate().map(|(n, (key_len, _))| octets(n + 1, *key_len)).collect();
    for form in [Form::chosen(), Form::Portable] {
        let mut data: Vec<Vec<u8>> =
            packets.iter().enumerate().map(|(n, (_, len))| octets(n, *len)).collect();
        let before = data.clone();
        let mut jobs: Vec<Job<'_>> =
            keys.iter().zip(&mut data).map(|(key, data)| Job { key, data }).collect();
        let mut answers = wants.iter().cycle();
        let (mut own, mut given) = (Vec::new(), 0);
        apply_each_in(form, &mut jobs, &mut |encrypt| {
            let wants = answers.next().is_some_and(|wants| *wants);
            if wants {
                let mut key = *octets(100 + given, 16).first_chunk().unwrap();
                encrypt(&mut key);
                own.push(key);
                given += 1;
            }
            wants
        });
        for ((key, data), before) in keys.iter().zip(&data).zip(&before) {
            assert!(*data == expected(key, before), "{form}: {packets:?} {wants:?}");
        }
        for (n, own) in own.iter().enumerate() {
            let key = octets(100 + n, 16);
            assert!(own[..] == expected(&key, &key), "{form}: key {n} beside {packets:?} {wants:?}");
        }
    }
}

/// How many keys have a place beside packets: one for each turn of 256 octets of four, and at least four.
#[test]
fn every_four_packets_have_a_place_for_a_key() {
    for form in [Form::chosen(), Form::Portable] {
        for (lengths, places) in [
            ([64; 3].to_vec(), 0),
            ([0; 4].to_vec(), 4),
            ([64; 4].to_vec(), 4),
            ([64; 7].to_vec(), 4),
            ([64; 8].to_vec(), 8),
            ([576; 4].to_vec(), 4),
            ([1400; 4].to_vec(), 5),
            ([1400, 1400, 1400, 255].to_vec(), 4),
        ] {
            let mut data: Vec<_> = lengths.iter().map(|len| vec![0; *len]).collect();
            let mut jobs: Vec<_> = data.iter_mut().map(|data| Job { key: &[7; 16], data }).collect();
            let mut taken = 0;
            apply_each_in(form, &mut jobs, &mut |encrypt| {
                encrypt(&mut [1; 16]);
                taken += 1;
                true
            });
            assert_eq!(taken, places, "{form}: {lengths:?}");
        }
    }
}

/// Keys of 8 octets, and of 16; both as they stand in a batch and in a key change of its own.
#[test]
fn a_key_is_encrypted_with_itself() {
    for (seed, len) in (0..500).flat_map(|seed| [(seed, 8), (seed, 16)]) {
        let key = octets(seed, len);
        let mut padded = [0; 16];
        padded[..len].copy_from_slice(&key);
        let mut expected = expected(&key, &key);
        expected.resize(16, 0);
        for of_itself in [of_itself, portable::of_itself] {
            let mut own = padded;
            of_itself(&mut own, len);
            assert_eq!(own[..], expected, "{key:?}");
        }
    }
}

/// RFC 6229 section 2: keys 01 02 03 .., the streams at 0, 240 and 4096.
#[test]
fn rfc_6229() {
    let known = [
        (
            5,
            "b2396305f03dc027ccc3524a0a1118a8",
            "28cb1132c96ce286421dcaadb8b69eae",
            "ff25b58995996707e51fbdf08b34d875",
        ),
        (
            8,
            "97ab8a1bf0afb96132f2f67258da15a8",
            "9636ebc9841926f4f7d1f362bddf6e18",
            "3fb46e2c8f0f068edce8cdcd7dfc5862",
        ),
        (
            16,
            "9ac7cc9a609d1ef7b2932899cde41b97",
            "065902e4b620f6cc36c8589f66432f2b",
            "a36a4c301ae8ac13610ccbc12256cacc",
        ),
        (
            32,
            "eaa6bd25880bf93d3f5d1e4ca2611d91",
            "114ae344ded71b35f2e60febad727fd8",
            "f3e4c0a2e02d1d01f7f0a74618af2b48",
        ),
    ];
    for (len, at_0, at_240, at_4096) in known {
        let key: Vec<u8> = (1..=len).collect();
        for mut stream in [Rc4::new(&key), Rc4::portable(&key)] {
            let mut data = [0; 4112];
            stream.apply(&mut data);
            let hex =
                |at: usize| -> String { data[at..at + 16].iter().map(|n| format!("{n:02x}")).collect() };
            assert_eq!([hex(0), hex(240), hex(4096)], [at_0, at_240, at_4096]);
        }
    }
}

/// Keys of lengths that RC4 has not are taken as the all-zero key.
#[test]
fn an_empty_key_does_not_panic() {
    for key in [&[][..], &[7; 257]] {
        let zero = expected(&[0], &[0; 40]);
        let mut data = [0; 40];
        Rc4::new(key).apply(&mut data);
        assert_eq!(data[..], zero);
        for each in FORMS {
            let mut data = [0; 40];
            each(&mut [Job { key, data: &mut data }]);
            assert_eq!(data[..], zero);
        }
    }
}

#[test]
fn debug_shows_no_key() {
    let job = Job { key: b"secret", data: &mut [0; 3] };
    assert_eq!(format!("{:?} {job:?}", Rc4::new(b"secret")), "Rc4(..) Job(3 octets)");
}
