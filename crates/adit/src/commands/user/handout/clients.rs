//! The steps for each client.

use super::Terms;
use super::quote::{nmcli_value, powershell, pppd as word, routeros as string, shell};

/// The name of the connection, the interface and the peer file on a client.
const NAME: &str = "adit";

pub(super) fn text(terms: &Terms<'_>) -> String {
    let Terms { user, server, routes, has_encryption, mtu } = terms;
    let encryption = if *has_encryption { "MPPE, 128 bit, required" } else { "none" };
    let routes = match routes {
        None => "all traffic".to_owned(),
        Some([]) => "none".to_owned(),
        Some(routes) => routes.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
    };
    format!(
        "type         PPTP\nserver       {server}\nuser         {user}\nlogin        MS-CHAPv2 only\n\
         encryption   {encryption}\nthrough it   {routes}\nMTU          {mtu}\n"
    )
}

pub(super) fn windows(terms: &Terms<'_>) -> String {
    let encryption = if terms.has_encryption { "Required" } else { "NoEncryption" };
    let split = if terms.routes.is_some() { " -SplitTunneling" } else { "" };
    let (name, server, user) = (powershell(NAME), powershell(terms.server), powershell(terms.user));
    let mut text = format!(
        "Add-VpnConnection -Name {name} -ServerAddress {server} -TunnelType Pptp `\n    \
         -EncryptionLevel {encryption} -AuthenticationMethod MSChapv2 -RememberCredential{split}\n"
    );
    for route in terms.routes.into_iter().flatten() {
        text.push_str(&format!("Add-VpnConnectionRoute -ConnectionName {name} -DestinationPrefix {route}\n"));
    }
    text.push_str(&format!("rasdial {name} {user} *\n"));
    text
}

pub(super) fn routeros(terms: &Terms<'_>) -> String {
    let encryption = if terms.has_encryption { "required" } else { "no" };
    let default = if terms.routes.is_some() { "no" } else { "yes" };
    let mut text = format!(
        "/ppp profile add name={NAME} use-encryption={encryption} use-compression=no use-mpls=no change-tcp-mss=yes\n\
         /interface pptp-client add name={NAME} connect-to={} user={} password=\"PASSWORD\" \\\n    \
         profile={NAME} allow=mschap2 add-default-route={default} keepalive-timeout=60 disabled=no\n",
        string(terms.server),
        string(terms.user),
    );
    for route in terms.routes.into_iter().flatten() {
        text.push_str(&format!("/ip route add dst-address={route} gateway={NAME}\n"));
    }
    text
}

pub(super) fn networkmanager(terms: &Terms<'_>) -> String {
    let mppe = if terms.has_encryption { ", require-mppe-128=yes" } else { "" };
    let data = format!(
        "gateway={}, user={}, refuse-pap=yes, refuse-chap=yes, refuse-mschap=yes, refuse-eap=yes{mppe}, \
         lcp-echo-interval=30, lcp-echo-failure=4",
        nmcli_value(terms.server),
        nmcli_value(terms.user)
    );
    let mut text =
        format!("nmcli connection add type vpn con-name {NAME} vpn-type pptp vpn.data {}", shell(&data));
    if let Some(routes) = terms.routes {
        text.push_str(" \\\n    ipv4.never-default yes");
        if !routes.is_empty() {
            let routes: Vec<String> = routes.iter().map(ToString::to_string).collect();
            text.push_str(&format!(" ipv4.routes '{}'", routes.join(", ")));
        }
    }
    text.push_str(&format!("\nnmcli --ask connection up {NAME}\n"));
    text
}

pub(super) fn pppd(terms: &Terms<'_>) -> String {
    let mppe = if terms.has_encryption { "require-mppe-128\nnomppe-stateful" } else { "nomppe" };
    let default = if terms.routes.is_some() { "nodefaultroute" } else { "defaultroute" };
    let Terms { mtu, .. } = terms;
    let pty = word(&format!("pptp {} --nolaunchpppd", terms.server));
    let user = word(terms.user);
    let mut text = format!(
        "/etc/ppp/peers/{NAME}:\n\n\
         pty {pty}\nuser {user}\nremotename {NAME}\nrefuse-pap\nrefuse-eap\nrefuse-chap\nrefuse-mschap\n{mppe}\n\
         nobsdcomp\nnodeflate\nnovj\nnoauth\nusepeerdns\n{default}\nmtu {mtu}\nmru {mtu}\n\
         lcp-echo-interval 30\nlcp-echo-failure 4\n\n\
         /etc/ppp/chap-secrets (mode 0600), one more line:\n\n{user} {NAME} \"PASSWORD\" *\n\n\
         Connect, and set the routes:\n\npon {NAME}\n"
    );
    for route in terms.routes.into_iter().flatten() {
        text.push_str(&format!("ip route add {route} dev ppp0\n"));
    }
    text
}

pub(super) fn android(terms: &Terms<'_>) -> String {
    let encryption = if terms.has_encryption { "on" } else { "off" };
    let mut text = format!(
        "Devices launched with Android 12 or later have no PPTP. Devices launched earlier and updated keep profiles that\n\
         they had. LineageOS has it again since 19.1. (2021)\n\n\
         Settings, Network, VPN, +: type PPTP, server address {}, PPP encryption (MPPE) {encryption}, user name {}.\n",
        terms.server, terms.user
    );
    if let Some(routes) = terms.routes.filter(|routes| !routes.is_empty()) {
        let routes: Vec<String> = routes.iter().map(ToString::to_string).collect();
        text.push_str(&format!("Advanced options, forwarding routes: {}\n", routes.join(" ")));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_of_any_language_is_only_a_value() {
        let hostile = "CORP\\o\u{2019}neil$(x)`&#%{é}";
        let terms =
            Terms { user: hostile, server: "vpn.example.org", routes: None, has_encryption: true, mtu: 1400 };
        assert!(windows(&terms).contains("rasdial 'adit' 'CORP\\o\u{2019}\u{2019}neil$(x)`&#%{é}' *"));
        assert!(routeros(&terms).contains("user=\"CORP\\\\o\u{2019}neil\\$(x)`&#%{é}\" "));
        assert!(pppd(&terms).contains("user \"CORP\\\\o\u{2019}neil$(x)`&#%{é}\"\n"));
        assert!(networkmanager(&terms).contains("user=CORP\\\\o\u{2019}neil$(x)`&#%{é}, refuse-pap"));
        for steps in [windows(&terms), routeros(&terms), networkmanager(&terms), pppd(&terms)] {
            assert!(!steps.to_lowercase().contains("winlogon"), "never single sign-on: {steps}");
        }
    }
}
