use super::*;

fn arrive(batch: &mut RecvBatch, packets: &[&[u8]]) {
    let mut lens = Vec::new();
    for (slot, packet) in batch.slots().zip(packets) {
        let n = packet.len().min(slot.len());
        slot[..n].copy_from_slice(&packet[..n]);
        lens.push((n, packet.len() > slot.len()));
    }
    for (slot, (len, truncated)) in lens.into_iter().enumerate() {
        batch.filled(slot, len, truncated);
    }
}

fn ip(options: usize, payload: &[u8]) -> Vec<u8> {
    let ihl = 5 + options;
    let mut packet = vec![0u8; ihl * 4];
    packet[0] = 0x40 | ihl as u8;
    packet[2..4].copy_from_slice(&((ihl * 4 + payload.len()) as u16).to_be_bytes());
    packet[12..16].copy_from_slice(&[192, 0, 2, 1]);
    packet[16..20].copy_from_slice(&[198, 51, 100, 2]);
    packet.extend_from_slice(payload);
    packet
}

#[test]
fn c068_the_ip_header_is_stripped_by_its_length_field() {
    let mut batch = RecvBatch::new(4, 128);
    arrive(&mut batch, &[&ip(0, b"plain"), &ip(3, b"with options")]);
    let seen: Vec<_> = batch.packets().map(|p| (p.source, p.destination, p.gre.to_vec())).collect();
    let (source, destination) = (Ipv4Addr::new(192, 0, 2, 1), Ipv4Addr::new(198, 51, 100, 2));
    assert_eq!(
        seen,
        [(source, destination, b"plain".to_vec()), (source, destination, b"with options".to_vec())]
    );
    assert_eq!(batch.get_mut(1).unwrap().gre, b"with options");
}

#[test]
fn damaged_packets_are_left_out_and_the_rest_keeps_its_order() {
    let mut batch = RecvBatch::new(6, 64);
    let mut short_header = ip(0, b"x");
    short_header[0] = 0x44;
    let mut version = ip(0, b"x");
    version[0] = 0x65;
    let mut long = ip(0, b"x");
    long[3] = 60;
    arrive(
        &mut batch,
        &[&ip(0, b"first"), &short_header, &version, &long, &ip(0, &[7; 60]), &ip(0, b"last")],
    );
    assert_eq!(batch.damaged(), 4);
    assert_eq!(batch.len(), 2);
    let seen: Vec<_> = batch.packets().map(|p| p.gre.to_vec()).collect();
    assert_eq!(seen, [b"first".to_vec(), b"last".to_vec()]);
}

#[test]
fn a_send_batch_refuses_what_does_not_fit() {
    let mut batch = SendBatch::new(2, 64);
    let to = Ipv4Addr::LOCALHOST;
    assert!(!batch.push(to, None, &[0; 65]));
    assert!(batch.push(to, None, &[1; 64]));
    assert!(!batch.is_full());
    assert!(batch.push(to, Some(to), b"two"));
    assert!(batch.is_full());
    assert!(!batch.push(to, None, b"three"));
    batch.advance(1);
    assert_eq!(batch.waiting().map(|(_, octets)| octets.to_vec()).collect::<Vec<_>>(), [b"two".to_vec()]);
    batch.advance(1);
    assert_eq!(batch.pending(), 0);
    assert!(batch.push(to, None, b"again"));
}
