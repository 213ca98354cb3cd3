//! Notes of every kind, by chance.

use adit_diag::note::{
    Cause, Destination, Finding, LayerUp, Message, MessageKind, Note, Octets, Packet, Refused, Treatment, Why,
};
use adit_diag::{AuthMethod, Code, FactorFault, LiveSession, LoginRefusal, NameForm, Protocol};
use proptest::prelude::*;

/// Words: names and texts for people.
fn words() -> impl Strategy<Value = String> {
    "[ -~\u{e4}\u{20ac}\n\\\\\"]{0,40}"
}

fn kinds() -> impl Strategy<Value = MessageKind> {
    use MessageKind::*;
    let named = prop::sample::select(vec![
        StartControlConnectionRequest,
        StartControlConnectionReply,
        OutgoingCallRequest,
        CallClearRequest,
        ConfigureRequest,
        ConfigureAck,
        EchoRequest,
        ProtocolReject,
        AuthenticateRequest,
        Challenge,
        Response,
        Success,
        Failure,
        Malformed,
        MalformedFrame,
    ]);
    prop_oneof![named, any::<u16>().prop_map(Unknown), any::<u16>().prop_map(Foreign)]
}

fn messages() -> impl Strategy<Value = Message> {
    let protocols = prop::sample::select(vec![
        Protocol::Pptp,
        Protocol::Ppp,
        Protocol::Lcp,
        Protocol::Pap,
        Protocol::Chap,
        Protocol::Ccp,
        Protocol::Ipcp,
        Protocol::Ipv6cp,
    ]);
    let octets = prop::collection::vec(prop_oneof![Just(0u8), any::<u8>()], 0..300).prop_map(Octets);
    (protocols, kinds(), any::<Option<u8>>(), any::<u16>(), octets)
        .prop_map(|(protocol, kind, id, length, octets)| Message { protocol, kind, id, length, octets })
}

fn packets() -> impl Strategy<Value = Note> {
    let treatments = prop_oneof![
        Just(Treatment::Handled),
        Just(Treatment::HeldUntilEncryption),
        Just(Treatment::HeldUntilAddress),
        Just(Treatment::TooEarlyForEncryption),
        Just(Treatment::TooEarlyForAddress),
        words().prop_map(|why| Treatment::Ignored { why: why.into() }),
    ];
    (any::<bool>(), messages(), treatments)
        .prop_map(|(sent, message, treatment)| Note::Packet(Packet { sent, message, treatment }))
}

fn layers() -> impl Strategy<Value = LayerUp> {
    let methods = prop::sample::select(vec![
        AuthMethod::MsChapV2,
        AuthMethod::MsChapV1,
        AuthMethod::ChapMd5,
        AuthMethod::Pap,
    ]);
    let bits = prop::sample::select(vec![40u8, 56, 128]);
    prop_oneof![
        any::<(u16, u16)>()
            .prop_map(|(local_call_id, peer_call_id)| LayerUp::Control { local_call_id, peer_call_id }),
        Just(LayerUp::Gre),
        any::<u16>().prop_map(|mru| LayerUp::Lcp { mru }),
        (methods, words()).prop_map(|(method, user)| LayerUp::Auth { method, user }),
        (bits, any::<bool>()).prop_map(|(bits, stateless)| LayerUp::Encrypt { bits, stateless }),
        any::<([u8; 4], [u8; 4])>()
            .prop_map(|(local, peer)| LayerUp::Address { local: local.into(), peer: peer.into() }),
    ]
}

fn findings() -> impl Strategy<Value = Finding> {
    prop_oneof![
        any::<(u64, u64)>().prop_map(|(lost, sent)| Finding::Loss { lost, sent }),
        (any::<u64>(), words(), any::<([u8; 4], u8, u16)>()).prop_map(|(packets, key, last)| {
            let (address, protocol, port) = last;
            let last = Destination { address: address.into(), protocol, port };
            Finding::Denied { packets, key, last }
        }),
        any::<(u16, u16)>().prop_map(|(lost, passes)| Finding::SizeProbe { lost, passes }),
    ]
}

/// Reasons for a refused login.
pub(crate) fn refusals() -> impl Strategy<Value = LoginRefusal> {
    let from = any::<[u8; 4]>().prop_map(std::net::IpAddr::from);
    let live = (words(), from.clone()).prop_map(|(session, from)| LiveSession { session, from });
    let forms = prop::sample::select(vec![NameForm::Backslash, NameForm::At]);
    let of_user = words().prop_flat_map(|user| {
        let user = move || user.clone();
        prop::sample::select(vec![
            LoginRefusal::UnknownUser { name: user() },
            LoginRefusal::BadName { fault: user() },
            LoginRefusal::NoPassword { user: user() },
            LoginRefusal::WrongPassword,
            LoginRefusal::NeedsReversiblePassword { user: user() },
            LoginRefusal::SecondFactor { user: user(), fault: FactorFault::Used },
            LoginRefusal::SecondFactor { user: user(), fault: FactorFault::Wrong },
            LoginRefusal::NoVpnPermission { user: user() },
            LoginRefusal::LogonHours { user: user() },
            LoginRefusal::MustChangePassword { user: user() },
            LoginRefusal::BadPasswordChange { fault: user() },
            LoginRefusal::NewPasswordRefused { fault: user() },
            LoginRefusal::NewPasswordNotStored { fault: user() },
        ])
    });
    prop_oneof![
        of_user,
        (words(), words(), forms).prop_map(|(name, other, form)| LoginRefusal::UnknownUserInThisForm {
            name,
            other,
            form
        }),
        (words(), any::<u64>()).prop_map(|(user, left)| LoginRefusal::Locked { user, left }),
        (words(), any::<u64>()).prop_map(|(user, left)| LoginRefusal::HourlyLimit { user, left }),
        (words(), words()).prop_map(|(user, because)| LoginRefusal::Disabled { user, because }),
        (words(), any::<u64>()).prop_map(|(user, ago)| LoginRefusal::Expired { user, ago }),
        (words(), any::<(u64, u64)>()).prop_map(|(user, (age, allowed))| LoginRefusal::PasswordExpired {
            user,
            age,
            allowed
        }),
        (words(), from).prop_map(|(user, from)| LoginRefusal::SourceAddress { user, from }),
        (words(), any::<u32>(), prop::collection::vec(live, 0..3))
            .prop_map(|(user, limit, live)| LoginRefusal::SessionLimit { user, limit, live }),
    ]
}

/// Notes of every kind.
pub(crate) fn notes() -> impl Strategy<Value = Note> {
    let text = || words().prop_map(adit_diag::note::Text::from);
    let whys = prop::sample::select(Why::ALL.to_vec());
    prop_oneof![
        packets(),
        layers().prop_map(Note::LayerUp),
        findings().prop_map(Note::Finding),
        refusals().prop_map(|refusal| Note::Refused(refusal.into())),
        text().prop_map(|text| Note::Refused(Refused { code: Code::I01, cause: Cause::Text(text) })),
        (any::<u16>(), messages()).prop_map(|(call_id, request)| Note::CallAccepted { call_id, request }),
        (whys, text()).prop_map(|(why, reason)| Note::EndOrdered { why, reason }),
        text().prop_map(|error| Note::RouteFailed { network: "10.1.0.0/16".parse().unwrap(), error }),
        Just(Note::DhcpAnswered),
        text().prop_map(|error| Note::DhcpFailed { error }),
        any::<u64>().prop_map(|frames| Note::ForgedFrames { frames }),
    ]
}
