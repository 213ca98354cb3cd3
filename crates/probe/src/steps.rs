//! The steps, one after the other, and what they leave.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use adit_crypto::Rng;
use adit_crypto::secret::Password;
use adit_diag::Layer;
use adit_doctor::facts::{Connect, Facts, Resolved};
use adit_doctor::{Seen, Vantage};
use adit_ppp::auth::{Credentials, Method};
use adit_ppp::ccp::{Mode, MppePolicy};
use adit_ppp::link::{LinkConfig, Role};
use adit_pptp::control::ControlConfig;
use adit_sys::gre::{GreOptions, GreSocket};
use adit_sys::observe::Observer;
use adit_tunnel::ClientConfig;

use crate::bounds::{self, Bounds};
use crate::call::{Call, Plan, Story};
use crate::dial::{self, Dialled};
use crate::options::Options;
use crate::progress::{Progress, Teller};
use crate::record::Recorder;
use crate::sizes::{self, Quality};
use crate::stop::Stop;
use crate::{inside, local, name, path, wire};

/// Longer than any test: the steps have bounds of their own.
const NEVER: Duration = Duration::from_secs(24 * 3600);
/// A server that says neither yes nor no for so long is asked whether it lives.
const PATIENCE: Duration = Duration::from_secs(3);
/// For each answer to our good-bye.
const FAREWELL: Duration = Duration::from_millis(600);
/// Shorter silences over GRE show nothing.
const ENOUGH: Duration = Duration::from_secs(5);
/// GRE that gives no answer for so long has stopped.
const DEAD: Duration = Duration::from_secs(10);
/// The name that we give ourselves, so that whoever reads the server's log knows.
const HOST_NAME: &[u8] = b"adit-doctor";
const LAYERS: [Layer; 9] = [
    Layer::Name,
    Layer::Control,
    Layer::Gre,
    Layer::Lcp,
    Layer::Auth,
    Layer::Encrypt,
    Layer::Address,
    Layer::Route,
    Layer::Mtu,
];

/// What a test found.
#[derive(Clone, Debug)]
pub struct Report {
    /// The facts, to be judged.
    pub facts: Facts,
    /// The test's own packets: pcap, Linux cooked. Of DNS only questions for the server's name are in it, of the rest of
    /// this host's traffic nothing.
    pub capture: Vec<u8>,
    /// The test was ended before it was done.
    pub interrupted: bool,
    /// This process has no right to raw sockets, so that all from GRE on was left out.
    pub not_permitted: bool,
}

/// What the call left when it was over.
struct Left {
    story: Story,
    hops: Vec<adit_doctor::facts::Hop>,
    self_test: Option<bool>,
    inside: adit_doctor::facts::Inside,
    mtu: adit_doctor::facts::Mtu,
    quality: Quality,
    /// LCP came up in time, and so on: what was waited for last, and for how long.
    waited: Vec<(Layer, Duration)>,
    /// LCP echoes were answered while the login was not.
    path_lives: Option<bool>,
}

/// Runs a test; `say` gets its progress.
///
/// # Errors
/// When the kernel gives this process nothing to work with: no random numbers, no descriptors.
pub fn run(options: &Options, stop: &Stop, say: &mut dyn FnMut(Progress)) -> adit_sys::Result<Report> {
    let mut rng = Rng::from_seed(adit_sys::host::random_seed()?);
    let began = Instant::now();
    let mut facts = Facts::new(Vantage::Client, options.host.clone());
    facts.stop_after = last_layer(options);
    let call_id = 1 + rng.below(u64::from(u16::MAX)) as u16;
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
        tell: Teller { began, say },
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

/// This layer and all above it.
fn leave_out(facts: &mut Facts, from: Layer, why: &str) {
    for layer in LAYERS.into_iter().filter(|layer| *layer >= from) {
        if facts.left_out.iter().all(|(known, _)| *known != layer) {
            facts.left_out.push((layer, why.to_owned()));
        }
    }
}

struct Test<'a> {
    options: &'a Options,
    stop: &'a Stop,
    bounds: Bounds,
    tell: Teller<'a>,
    recorder: Recorder,
    gre: Option<GreSocket>,
    call_id: u16,
    rng: Rng,
    facts: Facts,
    /// Our end of the control connection.
    local: Option<SocketAddr>,
    /// The largest packet of the interface towards the server.
    route_mtu: Option<u32>,
}

impl Test<'_> {
    /// Whether the test is to end with this layer.
    fn ends_with(&self, layer: Layer) -> bool {
        self.facts.stop_after.is_some_and(|last| last <= layer) || self.stop.is_wished()
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
        self.tell.begin(Layer::Name, format!("resolving {}", self.options.host));
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
        self.tell.end(Layer::Name, text);
        addresses
    }

    /// The first address, in the resolver's order, that answers.
    fn dial(&mut self, addresses: &[Ipv4Addr]) -> adit_sys::Result<Option<Dialled>> {
        let began = Instant::now();
        let port = self.options.port;
        self.tell.begin(Layer::Control, format!("tcp {port}"));
        let until = self.bounds.until(bounds::TCP);
        let from = self.options.from;
        let mut all = dial::dial(addresses, port, from, until, self.stop, &mut self.recorder)?;
        self.took(Layer::Control, began);
        let open = all.iter().position(|dialled| dialled.stream.is_some());
        let chosen = all.swap_remove(open.unwrap_or(0));
        if let Connect::Open { after } = chosen.what {
            self.tell.note(Layer::Control, format!("{} open in {} ms", chosen.to, after.as_millis()));
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
            // An ICMP message or a late RST may still be on its way to us.
            std::thread::sleep(Duration::from_millis(20));
            self.recorder.turn();
            self.tell.end(Layer::Control, "not open");
            return Ok(None);
        }
        Ok(Some(chosen))
    }

    fn plan(&mut self) -> Plan {
        let mut link = LinkConfig::new(Role::Client);
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
                // Which one the server wants is to be seen; none is used, since nothing but LCP leaves. A link without
                // a name to prove would refuse them all.
                link.credentials = Some(Credentials::new("adit-doctor", Password::new("")));
                link.methods = vec![Method::MsChapV2, Method::MsChapV1, Method::ChapMd5, Method::Pap];
                link.mppe = MppePolicy { mode: Mode::Prefer, ..MppePolicy::default() };
            }
        }
        let control = ControlConfig {
            host_name: HOST_NAME.to_vec(),
            // A server whose GRE is lost says good-bye to the call late; ours is said all the same.
            disconnect_timeout: FAREWELL,
            stop_timeout: FAREWELL,
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

    /// From the first word on the control connection to the good-bye.
    fn call(&mut self, dialled: Dialled) -> adit_sys::Result<Left> {
        let mut left = Left {
            story: Story::default(),
            hops: Vec::new(),
            self_test: None,
            inside: Default::default(),
            mtu: Default::default(),
            quality: Quality::default(),
            waited: Vec::new(),
            path_lives: None,
        };
        let Some(stream) = dialled.stream else { return Ok(left) };
        let plan = self.plan();
        let seed = self.rng.below(u64::MAX);
        let (options, bounds, last) = (self.options, &mut self.bounds, self.facts.stop_after);
        let server = *dialled.to.ip();
        let source = dialled.local.and_then(|local| crate::record::v4(local.ip()));
        let (tell, facts) = (&mut self.tell, &mut self.facts);
        let mut call = Call::new(plan, server, stream, self.gre.as_ref(), &mut self.recorder, self.stop)?;
        let ends_with = |layer: Layer| last.is_some_and(|last| last <= layer);

        // The control connection and the call.
        let began = Instant::now();
        let until = bounds.until(bounds::CONTROL);
        if !call.work(until, |call| call.story.established.is_some()) {
            if call.lives() {
                left.waited.push((Layer::Control, began.elapsed()));
            }
        } else if let Some((host, vendor)) = &call.story.established {
            let who = if vendor.is_empty() { host } else { vendor };
            tell.note(Layer::Control, format!("PPTP, \"{who}\""));
            let asked = Instant::now();
            let until = bounds.until(bounds::CALL);
            if !call.work(until, |call| call.story.granted.is_some() || !call.lives()) && call.lives() {
                left.waited.push((Layer::Control, asked.elapsed()));
            }
        }
        *facts.took.entry(Layer::Control).or_default() += began.elapsed();
        let granted = call.story.granted.is_some();
        tell.end(Layer::Control, if granted { "call granted" } else { "no call" });

        // GRE and LCP.
        if granted && call.gre.is_some() && !ends_with(Layer::Control) && call.lives() {
            let began = Instant::now();
            tell.begin(Layer::Gre, "waiting for the server's GRE");
            let until = bounds.until(bounds::LINK);
            let denied = |call: &Call<'_>| call.story.denied.is_some();
            call.work(until, |call| call.story.heard || denied(call) || !call.lives());
            facts.took.insert(Layer::Gre, began.elapsed());
            let heard = call.story.heard;
            tell.end(Layer::Gre, if heard { "the server's GRE arrives" } else { "nothing came back" });
            let link = Instant::now();
            if heard {
                tell.begin(Layer::Lcp, "negotiating");
                let wanted = if ends_with(Layer::Gre) { Layer::Gre } else { Layer::Lcp };
                let up =
                    call.work(until, |call| wanted == Layer::Gre || call.has(Layer::Lcp) || !call.lives());
                facts.took.insert(Layer::Lcp, link.elapsed());
                tell.end(Layer::Lcp, if up && call.has(Layer::Lcp) { "up" } else { "not up" });
            }
            if !call.has(Layer::Lcp) && call.lives() {
                left.waited.push((Layer::Lcp, began.elapsed()));
            }
            let is_open = call.lives() && !call.is_stopped() && !denied(&call);
            if !call.has(Layer::Lcp) && is_open && !ends_with(Layer::Gre) {
                tell.begin(Layer::Gre, "how far protocol 47 gets");
                left.self_test = path::self_test(call_id_for_self(server));
                left.hops = path::hops(&mut call, source, bounds.until(bounds::HOPS));
                tell.end(Layer::Gre, hops_text(&left.hops));
            }
        }

        // The login, and what comes with it.
        if options.account.is_some() && call.has(Layer::Lcp) && !ends_with(Layer::Lcp) {
            let began = Instant::now();
            tell.begin(Layer::Auth, "logging in, once");
            let until = bounds.until(bounds::AUTH);
            let done =
                |call: &mut Call<'_>| call.has(Layer::Auth) || call.story.up.is_some() || !call.lives();
            let patience = until.min(Instant::now() + PATIENCE);
            let done = call.work(patience, done) || {
                // Whether the line or the server's directory is silent.
                left.path_lives = sizes::answers(&mut call, until);
                call.work(until, done)
            };
            facts.took.insert(Layer::Auth, began.elapsed());
            let accepted = call.has(Layer::Auth) || call.story.up.is_some();
            tell.end(Layer::Auth, if accepted { "accepted" } else { "not accepted" });
            if !done && call.lives() {
                left.waited.push((Layer::Auth, began.elapsed()));
            }
            if accepted && call.lives() && !ends_with(Layer::Auth) {
                let began = Instant::now();
                tell.begin(Layer::Address, "encryption and address");
                let until = bounds.until(bounds::NETWORK);
                let encrypted = ends_with(Layer::Encrypt);
                let done = call.work(until, |call| {
                    call.story.up.is_some() || encrypted && call.has(Layer::Encrypt) || !call.lives()
                });
                facts.took.insert(Layer::Address, began.elapsed());
                if !done && call.lives() {
                    let layer = if call.has(Layer::Encrypt) { Layer::Address } else { Layer::Encrypt };
                    left.waited.push((layer, began.elapsed()));
                }
                tell.end(Layer::Address, if call.story.up.is_some() { "up" } else { "not up" });
            }
        }

        // What lies behind.
        if let (Some(up), true, false) = (call.story.up.clone(), call.lives(), ends_with(Layer::Address)) {
            let began = Instant::now();
            tell.begin(Layer::Route, "what lies behind the tunnel");
            left.inside = inside::test(&mut call, &up, options, seed, bounds.until(bounds::INSIDE));
            if inside::is_dead(&left.inside) && call.lives() && !call.is_stopped() {
                // The server may still wait for the last word of the negotiation, which was lost; it asks again after
                // three seconds, and lets nothing pass before.
                tell.note(Layer::Route, "nothing answers; once more");
                left.inside = inside::test(&mut call, &up, options, seed ^ 1, bounds.until(bounds::INSIDE));
            }
            facts.address.overlaps = inside::overlaps(&up, server, &left.inside.targets, &facts.name);
            facts.took.insert(Layer::Route, began.elapsed());
            tell.end(Layer::Route, format!("{} targets", left.inside.targets.len()));
            if !ends_with(Layer::Route) && call.lives() {
                let began = Instant::now();
                tell.begin(Layer::Mtu, "loss, round trip and packet size");
                let until = bounds.until(bounds::INSIDE);
                left.quality = sizes::quality(&mut call, 0, until);
                if left.quality.lost > 0 && inside::has_silence(&left.inside) && call.lives() {
                    tell.note(Layer::Route, "the line loses packets; once more");
                    let again = inside::test(&mut call, &up, options, seed ^ 2, bounds.until(bounds::INSIDE));
                    left.inside = inside::better(left.inside, again);
                }
                left.mtu = sizes::measure(&mut call, left.quality, up.mtu, until);
                facts.took.insert(Layer::Mtu, began.elapsed());
                tell.end(Layer::Mtu, format!("{} of {} lost", left.quality.lost, left.quality.sent));
            }
            if let Some(idle) = options.idle
                && call.lives()
            {
                tell.begin(Layer::Gre, format!("silent for {} s", idle.as_secs()));
                bounds.extend(idle);
                call.work(Instant::now() + idle, |call| !call.lives());
                let lives =
                    call.lives() && sizes::answers(&mut call, bounds.until(bounds::INSIDE)) == Some(true);
                if !lives {
                    // Long enough to be no accident, and to see what TCP does meanwhile.
                    bounds.extend(DEAD);
                    let until = Instant::now() + DEAD;
                    while call.lives() && Instant::now() < until && !call.is_stopped() {
                        sizes::answers(&mut call, until);
                    }
                }
                tell.end(Layer::Gre, if lives { "still works" } else { "does not work any more" });
            }
        }
        tell.note(Layer::Control, "saying good-bye");
        call.goodbye();
        left.story = std::mem::take(&mut call.story);
        Ok(left)
    }

    fn report(mut self, left: Option<Left>) -> Report {
        self.recorder.turn();
        let interrupted = self.stop.is_wished();
        if interrupted {
            leave_out(&mut self.facts, Layer::Name, "the test was ended before");
        } else if self.bounds.is_over() {
            leave_out(&mut self.facts, Layer::Name, "no time was left; --timeout gives more");
        }
        if let Some(last) = self.options.last {
            for layer in LAYERS.into_iter().filter(|layer| *layer > last) {
                self.facts.left_out.retain(|(known, _)| *known != layer);
                self.facts.left_out.push((layer, "left out by --layers".to_owned()));
            }
        }
        wire::fill(&mut self.facts, &self.recorder, self.local);
        if let Some(left) = left {
            wire::add(&mut self.facts, left.story, self.recorder.sees());
            if !interrupted {
                wire::waited(&mut self.facts, &left.waited);
            } else if self.facts.took.get(&Layer::Gre).is_none_or(|took| *took < ENOUGH) {
                // Nobody waited long enough to say that nothing comes.
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

/// Any will do that is not the call's.
fn call_id_for_self(server: Ipv4Addr) -> u16 {
    server.octets().iter().fold(0x4711, |id: u16, octet| id.rotate_left(3) ^ u16::from(*octet))
}

fn hops_text(hops: &[adit_doctor::facts::Hop]) -> String {
    match hops.iter().rev().find_map(|hop| hop.from.map(|from| (hop.ttl, from))) {
        Some((ttl, from)) => format!("as far as {from}, router {ttl}"),
        None => "no router answers".to_owned(),
    }
}
