use super::*;
use crate::packet::{Kind, Segment};

const HERE: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);
const THERE: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 2);

fn gre(len: usize) -> Packet {
    Packet { src: HERE, dst: THERE, body: Body::Gre(vec![0; len - 20]) }
}

fn tcp(offset: u64) -> Packet {
    let kind = Kind::Data { offset, octets: vec![0] };
    Packet { src: HERE, dst: THERE, body: Body::Tcp(Segment { src_port: 1, dst_port: 2, kind }) }
}

#[test]
fn a_good_line_delays_and_nothing_else() {
    let now = Instant::now();
    let mut link = Link::new(Quality::default());
    let mut rng = Rng::from_number(1);
    for _ in 0..1000 {
        assert_eq!(link.carry(now, &mut rng, &gre(1500)), [now + Duration::from_millis(10)]);
    }
}

#[test]
fn a_bad_line_loses_duplicates_and_reorders_about_as_often_as_configured() {
    let now = Instant::now();
    let quality = Quality { loss: 100, duplicate: 200, reorder: 300, ..Quality::default() };
    let mut link = Link::new(quality);
    let mut rng = Rng::from_number(2);
    let (mut lost, mut twice, mut late) = (0, 0, 0);
    for _ in 0..10_000 {
        let arrivals = link.carry(now, &mut rng, &gre(100));
        lost += usize::from(arrivals.is_empty());
        twice += usize::from(arrivals.len() == 2);
        late += usize::from(arrivals.first().is_some_and(|at| *at > now + Duration::from_millis(10)));
    }
    assert!((900..1100).contains(&lost), "{lost}");
    assert!((1650..1950).contains(&twice), "{twice}");
    assert!((2500..2900).contains(&late), "{late}");
}

#[test]
fn tcp_is_never_lost_and_keeps_its_order() {
    let now = Instant::now();
    let jitter = Duration::from_millis(50);
    let mut link = Link::new(Quality { loss: 300, jitter, ..Quality::default() });
    let mut rng = Rng::from_number(3);
    let mut last = now;
    for n in 0..1000 {
        let arrivals = link.carry(now + Duration::from_millis(n), &mut rng, &tcp(n));
        assert_eq!(arrivals.len(), 1);
        assert!(arrivals[0] >= last);
        last = arrivals[0];
    }
}

#[test]
fn large_packets_go_in_pieces_or_not_at_all() {
    let now = Instant::now();
    let mut rng = Rng::from_number(4);
    let mut hole = Link::new(Quality { mtu: 600, black_hole: true, ..Quality::default() });
    assert_eq!(hole.carry(now, &mut rng, &gre(600)).len(), 1);
    assert!(hole.carry(now, &mut rng, &gre(601)).is_empty());
    assert_eq!(hole.lost, 1);
    // Two fragments are lost twice as often.
    let mut pieces = Link::new(Quality { mtu: 600, loss: 100, ..Quality::default() });
    let lost = (0..10_000).filter(|_| pieces.carry(now, &mut rng, &gre(1000)).is_empty()).count();
    assert!((1750..2050).contains(&lost), "{lost}");
}
