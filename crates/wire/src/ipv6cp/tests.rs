use super::*;

#[test]
fn samples_read_well_and_write_back() {
    let bytes = [1, 1, 0, 14, 1, 10, 2, 0xaa, 0xbb, 0xff, 0xfe, 0xcc, 0xdd, 0xee];
    let packet = cp::Packet::parse(Protocol::Ipv6cp, &bytes).unwrap();
    assert_eq!(describe(&packet).to_string(), "Configure-Request id 1: interface id 02aa:bbff:fecc:ddee");

    let opt = packet.options(Protocol::Ipv6cp).next().unwrap().unwrap();
    let option = Ipv6cpOption::parse(&opt).unwrap();
    assert_eq!(option, Ipv6cpOption::InterfaceIdentifier(InterfaceIdentifier(0x02aa_bbff_fecc_ddee)));
    let mut again = Vec::new();
    option.emit(&mut again);
    assert_eq!(again, bytes[4..]);
}

#[test]
fn a_short_identifier_is_an_error() {
    let opt = cp::Opt { kind: 1, data: &[1, 2], raw: &[1, 4, 1, 2] };
    assert_eq!(Ipv6cpOption::parse(&opt).unwrap_err().expected, "10");
}
