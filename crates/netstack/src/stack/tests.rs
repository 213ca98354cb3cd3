use super::*;
use adit_wire::checksum;

const US: Ipv4Addr = Ipv4Addr::new(10, 99, 0, 10);
const THEM: Ipv4Addr = Ipv4Addr::new(192, 168, 10, 20);
const ROUTER: Ipv4Addr = Ipv4Addr::new(10, 99, 0, 1);
const WAIT: Duration = Duration::from_secs(3);

fn stack(now: Instant) -> Stack {
    Stack::new(StackConfig { local: US, mtu: 1400, seed: 0x1234_5678_9abc_def0 }, now)
}

fn sent(stack: &mut Stack) -> Vec<u8> {
    let mut packet = Vec::new();
    assert!(stack.poll_transmit(&mut packet), "nothing was sent");
    packet
}

fn from(source: Ipv4Addr, protocol: u8, ttl: u8, payload: &[u8]) -> Vec<u8> {
    let header = ipv4::Repr::new(source, US, protocol);
    ipv4::Repr { dont_fragment: true, ttl, ..header }.packet(payload)
}

fn error(from_whom: Ipv4Addr, kind: u8, code: u8, mtu: u16, about: &[u8]) -> Vec<u8> {
    let [high, low] = mtu.to_be_bytes();
    from(from_whom, ipv4::ICMP, 63, &icmp::message(kind, code, [0, 0, high, low], &about[..28]))
}

/// The answer of `to` to the segment in `packet`.
fn segment_back(packet: &[u8], flags: u8, options: &[u8]) -> Vec<u8> {
    let ip = ipv4::Packet::new_checked(packet).unwrap();
    let syn = segment::Packet::new_checked(ip.payload()).unwrap();
    let mut tcp = Vec::new();
    tcp.extend_from_slice(&syn.dst_port().to_be_bytes());
    tcp.extend_from_slice(&syn.src_port().to_be_bytes());
    tcp.extend_from_slice(&7000u32.to_be_bytes());
    tcp.extend_from_slice(&(syn.seq() + 1).to_be_bytes());
    tcp.push((((20 + options.len()) / 4) << 4) as u8);
    tcp.push(flags);
    tcp.extend_from_slice(&[0x20, 0, 0, 0, 0, 0]);
    tcp.extend_from_slice(options);
    let sum =
        checksum::Sum::default().pseudo_v4(ip.dst(), US, ipv4::TCP, tcp.len() as u16).with(&tcp).finish();
    tcp[16..18].copy_from_slice(&sum.to_be_bytes());
    from(ip.dst(), ipv4::TCP, 61, &tcp)
}

fn ping(size: u16) -> Command {
    Command::Ping { to: THEM, size, dont_fragment: true, ttl: None, wait: WAIT }
}

fn dial() -> Command {
    Command::Dial { to: SocketAddrV4::new(THEM, 443), wait: WAIT }
}

#[test]
fn an_echo_has_the_requested_size_and_its_reply_is_matched() {
    let now = Instant::now();
    let mut stack = stack(now);
    let id = stack.handle_command(now, ping(1300));
    let echo = sent(&mut stack);
    assert_eq!(echo.len(), 1300);
    let ip = ipv4::Packet::new_checked(&echo).unwrap();
    assert!(ip.dont_fragment());
    assert_eq!((ip.src(), ip.dst(), checksum::of(ip.payload())), (US, THEM, 0));
    let mut reply = ip.payload().to_vec();
    reply[..4].copy_from_slice(&[icmp::ECHO_REPLY, 0, 0, 0]);
    let sum = checksum::of(&reply).to_be_bytes();
    reply.splice(2..4, sum);
    let later = now + Duration::from_millis(30);
    stack.handle_input(later, &from(ROUTER, ipv4::ICMP, 61, &reply));
    assert_eq!(stack.poll_event(), None, "a reply of another host");
    stack.handle_input(later, &from(THEM, ipv4::ICMP, 61, &reply));
    let outcome = Outcome::Reply { ttl: 61 };
    assert_eq!(stack.poll_event(), Some(Event { id, took: Duration::from_millis(30), outcome }));
    stack.handle_input(later, &from(THEM, ipv4::ICMP, 61, &reply));
    assert_eq!(stack.poll_event(), None, "each question has one answer");
}

#[test]
fn an_icmp_error_is_reported_with_sender_and_code() {
    let now = Instant::now();
    for (kind, code, mtu) in [(3, 13, None), (3, 1, None), (3, 4, Some(1280)), (11, 0, None)] {
        for command in
            [ping(1400), dial(), Command::Lookup { server: THEM, name: "a.example".into(), wait: WAIT }]
        {
            let mut stack = stack(now);
            let id = stack.handle_command(now, command.clone());
            let about = sent(&mut stack);
            stack.handle_input(now, &error(ROUTER, kind, code, mtu.unwrap_or(0), &about));
            let outcome = Outcome::Icmp { from: ROUTER, kind, code, mtu };
            assert_eq!(stack.poll_event(), Some(Event { id, took: Duration::ZERO, outcome }), "{command:?}");
        }
    }
}

#[test]
fn a_connection_opens_and_is_closed_with_fin() {
    let now = Instant::now();
    let mut stack = stack(now);
    let id = stack.handle_command(now, dial());
    let syn = sent(&mut stack);
    let back = segment_back(&syn, segment::SYN | segment::ACK, &[2, 4, 0x05, 0xb4]);
    stack.handle_input(now, &back);
    let outcome = Outcome::Open { ttl: 61, mss: Some(1460) };
    assert_eq!(stack.poll_event(), Some(Event { id, took: Duration::ZERO, outcome }));
    let flags = |packet: &[u8]| {
        let ip = ipv4::Packet::new_checked(packet).unwrap();
        segment::Packet::new_checked(ip.payload()).unwrap().flags()
    };
    let mut all = 0;
    let mut packet = Vec::new();
    stack.handle_timeout(now + Duration::from_millis(20));
    while stack.poll_transmit(&mut packet) {
        all |= flags(&packet);
    }
    assert_eq!(all & (segment::FIN | segment::RST), segment::FIN, "closed, not reset");
}

#[test]
fn a_refused_connection_and_a_silent_one_are_distinguished() {
    let now = Instant::now();
    let mut stack = stack(now);
    stack.handle_command(now, dial());
    let syn = sent(&mut stack);
    stack.handle_input(now, &segment_back(&syn, segment::RST | segment::ACK, &[]));
    assert_eq!(stack.poll_event().unwrap().outcome, Outcome::Reset { ttl: Some(61) });

    stack.handle_command(now, dial());
    let mut syns = 0;
    let (mut time, mut packet) = (now, Vec::new());
    while let Some((at, _)) = stack.poll_timeout(time) {
        while stack.poll_transmit(&mut packet) {
            syns += 1;
        }
        time = at.max(time + Duration::from_millis(1));
        stack.handle_timeout(time);
    }
    assert_eq!(stack.poll_event().unwrap().outcome, Outcome::Silent);
    assert!(syns >= 2, "the SYN is repeated: {syns}");
    assert!(time >= now + WAIT && time < now + WAIT * 2);
}

#[test]
fn a_query_is_repeated_and_its_answer_read() {
    let now = Instant::now();
    let mut stack = stack(now);
    let lookup = |name: &str| Command::Lookup { server: THEM, name: name.to_owned(), wait: WAIT };
    stack.handle_command(now, lookup("intranet.example"));
    let first = sent(&mut stack);
    stack.handle_timeout(now + ASK_AGAIN);
    assert_eq!(sent(&mut stack), first);
    let ip = ipv4::Packet::new_checked(&first).unwrap();
    let asked = udp::Packet::new_checked(ip.payload()).unwrap();
    let mut answer = asked.payload().to_vec();
    answer[2] |= 0x80;
    answer[7] = 1;
    answer.extend_from_slice(&[0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 168, 10, 20]);
    let back = udp::datagram_v4((THEM, 53), (US, asked.src_port()), &answer);
    stack.handle_input(now + ASK_AGAIN, &back);
    let outcome = Outcome::Answer { rcode: 0, addresses: vec![THEM] };
    assert_eq!(stack.poll_event().unwrap().outcome, outcome);
    stack.handle_command(now, lookup("no name"));
    sent(&mut stack);
    stack.handle_command(now, lookup("a..b"));
    assert_eq!(stack.poll_event().unwrap().outcome, Outcome::Refusal);
}

#[test]
fn questions_are_bounded() {
    let now = Instant::now();
    let mut stack = stack(now);
    for _ in 0..QUESTIONS_MAX + 1 {
        stack.handle_command(now, ping(28));
    }
    assert_eq!(stack.poll_event().unwrap().outcome, Outcome::Refusal);
    assert_eq!(stack.poll_event(), None);
}

#[test]
fn noise_does_not_panic() {
    let now = Instant::now();
    let mut stack = stack(now);
    stack.handle_command(now, dial());
    let syn = sent(&mut stack);
    let good = segment_back(&syn, segment::SYN | segment::ACK, &[2, 4, 5, 0xb4]);
    let mut state = 1u32;
    for round in 0..20_000 {
        let mut packet = good.clone();
        for _ in 0..1 + round % 4 {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let at = (state >> 16) as usize % packet.len();
            packet[at] = state as u8;
        }
        let len = (state >> 8) as usize % (packet.len() + 1);
        stack.handle_input(now, &packet);
        stack.handle_input(now, &packet[..len]);
        let mut out = Vec::new();
        while stack.poll_transmit(&mut out) {}
        while stack.poll_event().is_some() {}
    }
}
