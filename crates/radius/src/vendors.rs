//! Limits that MikroTik, WISPr and Cisco attributes carry.

use crate::attribute::Attribute;
use crate::error::Result;
use crate::number::{cisco, mikrotik, vendor, wispr};
use crate::rate::{RateError, RateLimit};

/// The most texts of one kind that are kept.
const MAX_TEXTS: usize = 64;

/// Attributes of vendors.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VendorAttributes {
    /// Mikrotik-Rate-Limit.
    pub rate_limit: Option<RateLimit>,
    /// Mikrotik-Rate-Limit that cannot be read, and the reason.
    pub bad_rate_limit: Option<(String, RateError)>,
    /// Octets from the client after which the session ends: Mikrotik-Recv-Limit with its gigawords.
    pub receive_limit: Limit,
    /// Octets to the client: Mikrotik-Xmit-Limit.
    pub transmit_limit: Limit,
    /// Octets in both directions: Mikrotik-Total-Limit.
    pub total_limit: Limit,
    /// Mikrotik-Group.
    pub group: Option<String>,
    /// Mikrotik-Address-List.
    pub address_list: Option<String>,
    /// Mikrotik-Realm.
    pub realm: Option<String>,
    /// WISPr-Bandwidth-Min-Up, in bits per second.
    pub min_up: Option<u32>,
    /// WISPr-Bandwidth-Min-Down, in bits per second.
    pub min_down: Option<u32>,
    /// WISPr-Bandwidth-Max-Up, in bits per second.
    pub max_up: Option<u32>,
    /// WISPr-Bandwidth-Max-Down, in bits per second.
    pub max_down: Option<u32>,
    /// WISPr-Session-Terminate-Time, a time of ISO 8601 as text.
    pub terminate_time: Option<String>,
    /// Cisco-AVPair, in order.
    pub av_pairs: Vec<String>,
}

/// A number of octets in two attributes: the low 32 bits and the multiples of 2^32.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limit {
    low: Option<u32>,
    high: Option<u32>,
}

impl Limit {
    /// The number of octets; `None` for no limit.
    pub fn octets(self) -> Option<u64> {
        if self.low.is_none() && self.high.is_none() {
            return None;
        }
        Some(u64::from(self.high.unwrap_or(0)) << 32 | u64::from(self.low.unwrap_or(0)))
    }
}

impl VendorAttributes {
    /// Reads an attribute of one of these vendors; others have no effect.
    pub(crate) fn read(&mut self, attribute: &Attribute<'_>) -> Result<()> {
        match attribute.vendor {
            Some(vendor::MIKROTIK) => self.read_mikrotik(attribute),
            Some(vendor::WISPR) => self.read_wispr(attribute),
            Some(vendor::CISCO) if attribute.number == cisco::AV_PAIR => {
                if self.av_pairs.len() < MAX_TEXTS {
                    self.av_pairs.push(attribute.text()?.to_owned());
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn read_mikrotik(&mut self, attribute: &Attribute<'_>) -> Result<()> {
        let text = || attribute.text().map(|text| Some(text.to_owned()));
        let number = || attribute.number().map(Some);
        match attribute.number {
            mikrotik::RECV_LIMIT => self.receive_limit.low = number()?,
            mikrotik::RECV_LIMIT_GIGAWORDS => self.receive_limit.high = number()?,
            mikrotik::XMIT_LIMIT => self.transmit_limit.low = number()?,
            mikrotik::XMIT_LIMIT_GIGAWORDS => self.transmit_limit.high = number()?,
            mikrotik::TOTAL_LIMIT => self.total_limit.low = number()?,
            mikrotik::TOTAL_LIMIT_GIGAWORDS => self.total_limit.high = number()?,
            mikrotik::GROUP => self.group = text()?,
            mikrotik::ADDRESS_LIST => self.address_list = text()?,
            mikrotik::REALM => self.realm = text()?,
            mikrotik::RATE_LIMIT => {
                let text = attribute.text()?;
                match RateLimit::parse(text) {
                    Ok(limit) => self.rate_limit = Some(limit),
                    Err(error) => self.bad_rate_limit = Some((text.to_owned(), error)),
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn read_wispr(&mut self, attribute: &Attribute<'_>) -> Result<()> {
        let number = || attribute.number().map(Some);
        match attribute.number {
            wispr::BANDWIDTH_MIN_UP => self.min_up = number()?,
            wispr::BANDWIDTH_MIN_DOWN => self.min_down = number()?,
            wispr::BANDWIDTH_MAX_UP => self.max_up = number()?,
            wispr::BANDWIDTH_MAX_DOWN => self.max_down = number()?,
            wispr::SESSION_TERMINATE_TIME => {
                self.terminate_time = attribute.text().map(|text| Some(text.to_owned()))?;
            }
            _ => {}
        }
        Ok(())
    }
}
