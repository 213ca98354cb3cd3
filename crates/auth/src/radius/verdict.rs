//! Replies of a RADIUS server as verdicts.

use std::time::Duration;

use adit_crypto::mppe::StartKeys;
use adit_crypto::proof::{Proof, Proven};
use adit_diag::{LoginRefusal, SourceFault};
use adit_policy::Encryption;
use adit_ppp::auth::AuthRequest;
use adit_radius::{Accept, FramedAddress, Reject};

use super::{failed, shown};
use crate::{AddressRequest, Caller, Grant, Outcome, Rejection, SessionLimits};

/// A login that a server has decided.
pub(super) struct Login<'a> {
    /// The account, in the form in which accounts are compared.
    pub(super) account: String,
    /// The server, for the record.
    pub(super) server: String,
    pub(super) request: &'a AuthRequest,
    pub(super) caller: &'a Caller,
}

/// A rejection. The account counts as one that exists: whether it does, only the server knows.
pub(super) fn rejected(account: &str, reason: LoginRefusal) -> Outcome {
    Outcome::Reject(Rejection { account: Some(account.to_owned()), reason })
}

impl Login<'_> {
    /// An Access-Reject. MS-CHAP-Error has the reason (RFC 2759 section 6).
    pub(super) fn reject(&self, reject: Reject) -> Outcome {
        let user = self.account.clone();
        let error = reject.chap_error.as_ref();
        let message = match error.map(|error| error.message.as_str()) {
            Some(message) if reject.reply_message.is_empty() => shown(message),
            _ => shown(&reject.reply_message),
        };
        let reason = match error.map(|error| error.error) {
            Some(646) => LoginRefusal::LogonHours { user },
            Some(647) => LoginRefusal::Disabled { user, because: message },
            Some(648) => LoginRefusal::MustChangePassword { user },
            Some(649) => LoginRefusal::NoVpnPermission { user },
            Some(709) => LoginRefusal::NewPasswordRefused { fault: message },
            _ => LoginRefusal::RejectedByServer { server: self.server.clone(), message },
        };
        rejected(&self.account, reason)
    }

    /// The keys of MPPE, if the method has any: MS-MPPE-Send-Key and MS-MPPE-Recv-Key, or with MS-CHAPv1 MS-CHAP-MPPE-Keys
    /// (RFC 2548 section 2.4).
    fn keys(&self, accept: &Accept) -> Option<StartKeys> {
        match &self.request.proof {
            Proof::MsChapV1 { challenge, .. } => {
                let own = accept.mppe.chap.as_ref().map(|keys| keys.start_keys(challenge));
                own.or_else(|| accept.mppe.start_keys())
            }
            Proof::MsChapV2 { .. } | Proof::ChangePassword(_) => accept.mppe.start_keys(),
            Proof::Pap { .. } | Proof::ChapMd5 { .. } => None,
        }
    }

    /// The group that Filter-Id names; other filters are of other programs.
    fn group(&self, accept: &Accept) -> Option<String> {
        let groups = &self.caller.config.groups;
        let named = |filter: &String| groups.keys().find(|group| group.eq_ignore_ascii_case(filter)).cloned();
        accept.filters.iter().find_map(named)
    }
}

/// An Access-Accept.
///
/// # Errors
/// It lacks what the session needs.
pub(super) fn accepted(login: Login<'_>, accept: Accept) -> Result<Outcome, SourceFault> {
    let group = login.group(&accept);
    let keys = login.keys(&accept);
    let access = login.caller.config.access_for(group.as_deref());
    // Without this the login succeeds and MPPE fails, which looks like a fault of the client.
    if keys.is_none() && login.request.method.gives_keys() && access.encryption == Encryption::Require {
        let error = format!(
            "{} accepted the login without keys for MPPE, which encryption needs: let it send MS-MPPE-Send-Key and \
             MS-MPPE-Recv-Key (FreeRADIUS: use_mppe = yes in mods-enabled/mschap)",
            login.server
        );
        return Err(failed(&error));
    }
    // Zero means no limit, as an absent attribute does.
    let limit = |seconds: Option<u32>| {
        seconds.filter(|seconds| *seconds > 0).map(|seconds| Duration::from_secs(u64::from(seconds)))
    };
    Ok(Outcome::Grant(Box::new(Grant {
        proven: Proven { mschap: accept.mschap2_success, keys, ..Proven::default() },
        group,
        address: AddressRequest {
            pool: accept.pool,
            address: match accept.address {
                Some(FramedAddress::Fixed(address)) => Some(address),
                Some(FramedAddress::ClientChooses | FramedAddress::FromPool) | None => None,
            },
        },
        networks: accept.routes.into_iter().map(|route| route.prefix).collect(),
        limits: SessionLimits { idle: limit(accept.idle_timeout), session: limit(accept.session_timeout) },
        class: accept.class,
        account: login.account,
    })))
}
