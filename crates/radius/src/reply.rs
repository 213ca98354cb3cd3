//! Replies to an Access-Request: what remains of a packet after every check.

use crate::accept::{Accept, append_message};
use crate::error::Result;
use crate::mschap::{ChapError, error};
use crate::number::{microsoft, standard, vendor};
use crate::packet::{Code, Packet};
use crate::secret::SharedSecret;

/// The verdict of a server.
#[derive(Clone, Debug)]
pub enum Reply {
    /// Access-Accept.
    Accept(Box<Accept>),
    /// Access-Reject. It is final: no other server is asked.
    Reject(Reject),
    /// Access-Challenge.
    Challenge(Challenge),
}

/// The contents of an Access-Reject. Other attributes are ignored: a Reject grants nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reject {
    /// Reply-Message, joined with line feeds.
    pub reply_message: String,
    /// MS-CHAP-Error.
    pub chap_error: Option<ChapError>,
    /// EAP-Message, joined: an EAP Failure.
    pub eap: Vec<u8>,
}

/// The contents of an Access-Challenge.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Challenge {
    /// State, to be returned to the same server unchanged.
    pub state: Option<Vec<u8>>,
    /// Reply-Message, joined with line feeds.
    pub reply_message: String,
    /// Session-Timeout: the seconds that the client has to answer.
    pub timeout: Option<u32>,
    /// EAP-Message, joined.
    pub eap: Vec<u8>,
}

impl Reply {
    /// Reads an authenticated reply; `None` if its code is of no reply to an Access-Request.
    ///
    /// # Errors
    /// If the value of an attribute is wrong.
    pub fn read(
        packet: &Packet<'_>,
        request_authenticator: &[u8; 16],
        secret: &SharedSecret,
    ) -> Result<Option<Reply>> {
        Ok(Some(match packet.code() {
            Code::AccessAccept => {
                Reply::Accept(Box::new(Accept::read(packet, request_authenticator, secret)?))
            }
            Code::AccessReject => Reply::Reject(reject(packet)),
            Code::AccessChallenge => Reply::Challenge(challenge(packet)?),
            _ => return Ok(None),
        }))
    }
}

fn reject(packet: &Packet<'_>) -> Reject {
    let mut reject = Reject::default();
    for attribute in packet.flattened() {
        match (attribute.vendor, attribute.number) {
            (None, standard::REPLY_MESSAGE) => append_message(&mut reject.reply_message, &attribute),
            (None, standard::EAP_MESSAGE) => reject.eap.extend_from_slice(attribute.value),
            (Some(vendor::MICROSOFT), microsoft::MS_CHAP_ERROR) => {
                reject.chap_error = error(&attribute).or(reject.chap_error);
            }
            _ => {}
        }
    }
    reject
}

fn challenge(packet: &Packet<'_>) -> Result<Challenge> {
    let mut challenge = Challenge::default();
    for attribute in packet.flattened().filter(|attribute| attribute.vendor.is_none()) {
        match attribute.number {
            standard::STATE => challenge.state = Some(attribute.value.to_vec()),
            standard::REPLY_MESSAGE => append_message(&mut challenge.reply_message, &attribute),
            standard::SESSION_TIMEOUT => challenge.timeout = Some(attribute.number()?),
            standard::EAP_MESSAGE => challenge.eap.extend_from_slice(attribute.value),
            _ => {}
        }
    }
    Ok(challenge)
}
