//! The steps of a test, one after the other, and their results.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use adit_crypto::Rng;
use adit_crypto::secret::Password;
use adit_diag::{AuthMethod, Layer};
use adit_doctor::facts::{Connect, Facts, Resolved};
use adit_doctor::{Seen, Vantage};
use adit_ppp::auth::Credentials;
use adit_ppp::ccp::{Mode, MppePolicy};
use adit_ppp::link::{LinkConfig, Side};
use adit_pptp::control::ControlConfig;
use adit_sys::gre::{GreOptions, GreSocket};
use adit_sys::observe::Observer;
use adit_tunnel::ClientConfig;
use adit_wire::LocalCallId;

use crate::bounds::{self, Bounds};
use crate::call::{Call, Plan};
use crate::dial::{self, Dialled};
use crate::options::Options;
use crate::progress::{Progress, Reporter};
use crate::record::Recorder;
use crate::stop::Stop;
use crate::walk::{Left, Walk};
use crate::{local, name, wire};

/// Longer than any test: the steps have time limits of their own.
const NEVER: Duration = Duration::from_secs(24 * 3600);
/// Timeout of each answer during the shutdown.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_millis(600);
/// A shorter silence on GRE proves nothing.
const SILENCE_MIN: Duration = Duration::from_secs(5);
/// Host name in our control messages, so that readers of the server's log recognise the test.
const HOST_NAME: &[u8] = b"adit-doctor";

/// The result of a test.
#[derive(Clone, Debug)]
pub struct Report {
    /// The facts, for `adit_doctor::judge`.
    pub facts: Facts,
    /// The test's own packets: pcap, Linux cooked. It contains only DNS queries for the server's name, and no other
    /// traffic of this host.
    pub capture: Vec<u8>,
    /// Whether the test was stopped before it was complete.
    pub interrupted: bool,
    /// Whether this process lacks the privilege for raw sockets, so that GRE and all later layers were skipped.
    pub not_permitted: bool,
}

/// Runs a test; `on_progress` receives progress events.
///
/// # Errors
/// The kernel refuses a basic resource: random numbers or file descriptors.
pub fn run(
    options: &Options,
    stop: &Stop,
    on_progress: &mut dyn FnMut(Progress),
) -> adit_sys::Result<Report> {
    let mut rng = Rng::from_seed(adit_sys::host::random_seed()?);
    let began = Instant::now();
    let mut facts = Facts::new(Vantage::Client, options.host.clone());
    facts.stop_after = last_layer(options);
    let call_id = LocalCallId::new(1 + rng.below(u64::from(u16::MAX)) as u16);
    let observer = Observer::open(options.port);
    let gre = GreSocket::open(&GreOptions { local: options.from, ..GreOptions::default() });
    if let Err(error) = &gre {
        leave_out(&mut facts, Layer::Gre, &missing(error));
    }
    let recorder = Recorder::new(observer.ok(), &options.host, options.port, call_id);
    let mut test = Test {
        options,
        stop,
        bounds: Bounds::new(began, options.total),
        report: Reporter { began, on_progress },
        recorder,
        gre: gre.ok(),
        call_id,
        rng,
        facts,
        local: None,
        route_mtu: None,
    };
    let left = test.steps()?;
    Ok(test.report(left))
}

fn last_layer(options: &Options) -> Option<Layer> {
    let without = options.account.is_none().then_some(Layer::Lcp);
    match (options.last, without) {
        (Some(last), Some(without)) => Some(last.min(without)),
        (last, without) => last.or(without),
    }
}

fn missing(error: &adit_sys::Error) -> String {
    let fix = if error.fix().is_empty() { error.answer() } else { error.fix() };
    format!("this process may not use protocol 47: {fix}")
}

/// Marks this layer and all above it as skipped.
fn leave_out(facts: &mut Facts, from: Layer, why: &str) {
    for layer in Layer::OF_A_CALL.into_iter().filter(|layer| *layer >= from) {
        if facts.left_out.iter().all(|(known, _)| *known != layer) {
            facts.left_out.push((layer, why.to_owned()));
        }
    }
}

struct Test<'a> {
    options: &'a Options,
    stop: &'a Stop,
    bounds: Bounds,
    report: Reporter<'a>,
    recorder: Recorder,
    gre: Option<GreSocket>,
    call_id: LocalCallId,
    rng: Rng,
    facts: Facts,
    /// Local address of the control connection.
    local: Option<SocketAddr>,
    /// MTU of the route to the server.
    route_mtu: Option<u32>,
}

impl Test<'_> {
    /// Whether the test ends with this layer.
    fn ends_with(&self, layer: Layer) -> bool {
        self.facts.stop_after.is_some_and(|last| last <= layer) || self.stop.is_requested()
    }

    fn took(&mut self, layer: Layer, since: Instant) {
        self.facts.took.insert(layer, since.elapsed());
    }

    fn steps(&mut self) -> adit_sys::Result<Option<Left>> {
        let addresses = self.name();
        let Some(first) = addresses.first().copied() else { return Ok(None) };
        if self.ends_with(Layer::Name) {
            self.facts.tcp.server = Some(SocketAddr::from((first, self.options.port)));
            return Ok(None);
        }
        let port = self.options.port;
        if local::is_swallowed(first, port, self.facts.name.interface.as_deref()) {
            self.facts.tcp.server = Some(SocketAddr::from((first, port)));
            self.facts.inside.tunnel_in_tunnel = Some(Seen::new(()));
            return Ok(None);
        }
        if self.facts.name.no_route.is_some() {
            self.facts.tcp.server = Some(SocketAddr::from((first, self.options.port)));
            return Ok(None);
        }
        let Some(dialled) = self.dial(&addresses)? else { return Ok(None) };
        self.call(dialled).map(Some)
    }

    fn name(&mut self) -> Vec<Ipv4Addr> {
        let began = Instant::now();
        self.report.begin(Layer::Name, format!("resolving {}", self.options.host));
        let until = self.bounds.until(bounds::NAME);
        let addresses = name::resolve(self.options, until, self.stop, &mut self.facts.name);
        if let Some(first) = addresses.first() {
            self.route_mtu = local::look(*first, self.options.from, &mut self.facts.name);
        }
        self.recorder.set_servers(&addresses);
        self.recorder.turn();
        self.took(Layer::Name, began);
        let text: Vec<String> = addresses.iter().map(Ipv4Addr::to_string).collect();
        let text = match &self.facts.name.resolved {
            Some(Seen { what: Resolved::NoSuchName, .. }) => "there is no such name".to_owned(),
            Some(Seen { what: Resolved::NoAnswer, .. }) => "no name server answered".to_owned(),
            Some(Seen { what: Resolved::OnlyV6, .. }) => "IPv6 only".to_owned(),
            Some(Seen { what: Resolved::Failed(words), .. }) => words.clone(),
            _ => text.join(", "),
        };
        self.report.end(Layer::Name, text);
        addresses
    }

    /// Connects to the first address, in the resolver's order, that answers.
    fn dial(&mut self, addresses: &[Ipv4Addr]) -> adit_sys::Result<Option<Dialled>> {
        let began = Instant::now();
        let port = self.options.port;
        self.report.begin(Layer::Control, format!("tcp {port}"));
        let until = self.bounds.until(bounds::TCP);
        let from = self.options.from;
        let mut all = dial::dial(addresses, port, from, until, self.stop, &mut self.recorder)?;
        self.took(Layer::Control, began);
        let open = all.iter().position(|dialled| dialled.stream.is_some());
        let chosen = all.swap_remove(open.unwrap_or(0));
        if let Connect::Open { after } = chosen.what {
            self.report.note(Layer::Control, format!("{} open in {} ms", chosen.to, after.as_millis()));
        }
        self.local = chosen.local;
        self.facts.tcp.server = Some(SocketAddr::V4(chosen.to));
        self.facts.tcp.connect = Some(Seen::new(chosen.what.clone()));
        self.facts.tcp.tried =
            all.iter().map(|other| (SocketAddr::V4(other.to), other.what.clone())).collect();
        if addresses.first() != Some(chosen.to.ip()) {
            self.facts.name.local.clear();
            self.route_mtu = local::look(*chosen.to.ip(), from, &mut self.facts.name);
        }
        if open.is_none() {
            // An ICMP message or a late RST may still be in flight.
            std::thread::sleep(Duration::from_millis(20));
            self.recorder.turn();
            self.report.end(Layer::Control, "not open");
            return Ok(None);
        }
        Ok(Some(chosen))
    }

    fn plan(&mut self) -> Plan {
        let mut link = LinkConfig::new(Side::Client);
        link.mru = self.options.mtu;
        link.echo = None;
        link.lcp_timeout = NEVER;
        link.auth_timeout = NEVER;
        link.network_timeout = NEVER;
        match &self.options.account {
            Some(account) => {
                link.methods.clone_from(&account.methods);
                link.mppe = account.mppe.clone();
                let (domain, name) = account.user.rsplit_once('\\').unwrap_or(("", &account.user));
                let credentials = Credentials::new(name, account.password.clone());
                link.credentials = Some(Credentials { domain: domain.to_owned(), ..credentials });
            }
            None => {
                // Accept all methods, to observe which one the server wants; none is used, because only LCP frames are
                // sent. Without credentials the link would refuse them all.
                link.credentials = Some(Credentials::new("adit-doctor", Password::new("")));
                link.methods =
                    vec![AuthMethod::MsChapV2, AuthMethod::MsChapV1, AuthMethod::ChapMd5, AuthMethod::Pap];
                link.mppe = MppePolicy { mode: Mode::Prefer, ..MppePolicy::default() };
            }
        }
        let control = ControlConfig {
            host_name: HOST_NAME.to_vec(),
            // A server whose GRE is lost answers the shutdown late; do not wait for it.
            disconnect_timeout: SHUTDOWN_TIMEOUT,
            stop_timeout: SHUTDOWN_TIMEOUT,
            ..ControlConfig::client()
        };
        let encryption_required = link.mppe.mode == Mode::Require;
        Plan {
            config: ClientConfig {
                control: control.into(),
                link: link.into(),
                setup: NEVER,
                mtu: self.options.mtu,
                call_id: self.call_id,
            },
            lcp_only: self.options.account.is_none(),
            encryption_required,
            rng: self.rng.fork(),
        }
    }

    /// Runs a call, from the first control message to the shutdown.
    fn call(&mut self, dialled: Dialled) -> adit_sys::Result<Left> {
        let Some(stream) = dialled.stream else { return Ok(Left::default()) };
        let plan = self.plan();
        let seed = self.rng.below(u64::MAX);
        let gre = self.gre.as_ref();
        let call = Call::new(plan, *dialled.to.ip(), stream, gre, &mut self.recorder, self.stop)?;
        let mut walk = Walk {
            call,
            options: self.options,
            last: self.facts.stop_after,
            source: dialled.local.and_then(|local| crate::record::v4(local.ip())),
            seed,
            bounds: &mut self.bounds,
            report: &mut self.report,
            facts: &mut self.facts,
            left: Left::default(),
        };
        walk.go();
        Ok(walk.left)
    }

    fn report(mut self, left: Option<Left>) -> Report {
        self.recorder.turn();
        let interrupted = self.stop.is_requested();
        if interrupted {
            leave_out(&mut self.facts, Layer::Name, "the test was ended before");
        } else if self.bounds.is_over() {
            leave_out(&mut self.facts, Layer::Name, "no time was left; --timeout gives more");
        }
        if let Some(last) = self.options.last {
            for layer in Layer::OF_A_CALL.into_iter().filter(|layer| *layer > last) {
                self.facts.left_out.retain(|(known, _)| *known != layer);
                self.facts.left_out.push((layer, "left out by --layers".to_owned()));
            }
        }
        wire::fill(&mut self.facts, &self.recorder, self.local);
        if let Some(left) = left {
            wire::add(&mut self.facts, left.record, self.recorder.sees());
            if !interrupted {
                wire::waited(&mut self.facts, &left.waited);
            } else if self.facts.took.get(&Layer::Gre).is_none_or(|took| *took < SILENCE_MIN) {
                // The wait was too short to conclude that nothing arrives.
                self.facts.gre.to_server = Default::default();
            }
            self.facts.gre.hops = left.hops;
            self.facts.gre.self_test = left.self_test;
            self.facts.auth.path_lives = left.path_lives.filter(|_| self.facts.auth.login.is_none());
            wire::quality(&mut self.facts, left.quality);
            wire::inside(&mut self.facts, left.inside, left.mtu);
            wire::fragments(&mut self.facts, self.route_mtu);
        }
        let not_permitted = self.gre.is_none();
        Report { facts: self.facts, capture: self.recorder.into_pcap(), interrupted, not_permitted }
    }
}
