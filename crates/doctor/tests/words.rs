//! A verdict in words, as a person at 3 a.m. gets it.

mod common;

use std::net::Ipv4Addr;

use adit_diag::Layer;
use adit_doctor::facts::*;
use adit_doctor::{judge, text};

use common::*;

#[test]
fn no_gre_came_back() {
    let mut f = up_to(D, Layer::Control);
    f.gre.to_server.packets = 6;
    f.lcp.client_requests = 6;
    f.gre.self_test = Some(true);
    f.gre.hops =
        vec![Hop { ttl: 1, from: Some(HOME) }, Hop { ttl: 2, from: Some(Ipv4Addr::new(100, 64, 0, 1)) }];
    f.took.insert(Layer::Gre, secs(10));
    let verdict = judge(&f);
    insta::assert_snapshot!(format!("{verdict}\n{}", text::why(&verdict)));
}

#[test]
fn a_login_refused() {
    let mut f = up_to(D, Layer::Lcp);
    refuse(&mut f, 691, "Access denied");
    f.auth.user = Some("CORP\\alice".into());
    insta::assert_snapshot!(judge(&f));
}

#[test]
fn dns_behind_the_tunnel_is_silent() {
    let mut f = up_to(D, Layer::Address);
    f.encrypt = Encrypt::default();
    f.inside.dns = vec![seen(DnsTest { server: Ipv4Addr::new(192, 168, 10, 5), answered: None })];
    insta::assert_snapshot!(judge(&f));
}

#[test]
fn without_an_account() {
    let mut f = up_to(D, Layer::Lcp);
    f.stop_after = Some(Layer::Lcp);
    insta::assert_snapshot!(judge(&f));
}

#[test]
fn a_capture_that_proves_nothing() {
    insta::assert_snapshot!(judge(&up_to(PS, Layer::Control)));
}
