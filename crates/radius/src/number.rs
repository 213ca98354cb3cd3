//! The numbers and names of attributes, and the form of their values.

/// How the value of an attribute is displayed. No value that could help to guess a password is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// Only its length.
    Opaque,
    /// A number of 32 bits.
    Number,
    /// A number of 24 bits after a tag (RFC 2868).
    TaggedNumber,
    /// An IPv4 address.
    Address,
    /// Text in UTF-8.
    Text,
}

/// Defines the constants of a table and its lookup.
macro_rules! numbers {
    ($(#[$about:meta])* $table:ident: $($name:ident = $number:literal $text:literal $form:ident,)*) => {
        $(#[$about])*
        pub mod $table {
            $(#[doc = $text] pub const $name: u8 = $number;)*
            use super::Form;

            /// The name and form of a number.
            pub(crate) const fn lookup(number: u8) -> (&'static str, Form) {
                match number {
                    $($number => ($text, Form::$form),)*
                    _ => ("unknown attribute", Form::Opaque),
                }
            }
        }
    };
}

numbers! {
    /// Attributes of the RFCs.
    standard:
    USER_NAME = 1 "User-Name" Text,
    USER_PASSWORD = 2 "User-Password" Opaque,
    CHAP_PASSWORD = 3 "CHAP-Password" Opaque,
    NAS_IP_ADDRESS = 4 "NAS-IP-Address" Address,
    NAS_PORT = 5 "NAS-Port" Number,
    SERVICE_TYPE = 6 "Service-Type" Number,
    FRAMED_PROTOCOL = 7 "Framed-Protocol" Number,
    FRAMED_IP_ADDRESS = 8 "Framed-IP-Address" Address,
    FRAMED_IP_NETMASK = 9 "Framed-IP-Netmask" Address,
    FRAMED_ROUTING = 10 "Framed-Routing" Number,
    FILTER_ID = 11 "Filter-Id" Text,
    FRAMED_MTU = 12 "Framed-MTU" Number,
    FRAMED_COMPRESSION = 13 "Framed-Compression" Number,
    REPLY_MESSAGE = 18 "Reply-Message" Text,
    FRAMED_ROUTE = 22 "Framed-Route" Text,
    STATE = 24 "State" Opaque,
    CLASS = 25 "Class" Opaque,
    VENDOR_SPECIFIC = 26 "Vendor-Specific" Opaque,
    SESSION_TIMEOUT = 27 "Session-Timeout" Number,
    IDLE_TIMEOUT = 28 "Idle-Timeout" Number,
    TERMINATION_ACTION = 29 "Termination-Action" Number,
    CALLED_STATION_ID = 30 "Called-Station-Id" Text,
    CALLING_STATION_ID = 31 "Calling-Station-Id" Text,
    NAS_IDENTIFIER = 32 "NAS-Identifier" Text,
    PROXY_STATE = 33 "Proxy-State" Opaque,
    ACCT_SESSION_ID = 44 "Acct-Session-Id" Text,
    CHAP_CHALLENGE = 60 "CHAP-Challenge" Opaque,
    NAS_PORT_TYPE = 61 "NAS-Port-Type" Number,
    PORT_LIMIT = 62 "Port-Limit" Number,
    TUNNEL_TYPE = 64 "Tunnel-Type" TaggedNumber,
    TUNNEL_MEDIUM_TYPE = 65 "Tunnel-Medium-Type" TaggedNumber,
    TUNNEL_CLIENT_ENDPOINT = 66 "Tunnel-Client-Endpoint" Text,
    TUNNEL_SERVER_ENDPOINT = 67 "Tunnel-Server-Endpoint" Text,
    CONNECT_INFO = 77 "Connect-Info" Text,
    EAP_MESSAGE = 79 "EAP-Message" Opaque,
    MESSAGE_AUTHENTICATOR = 80 "Message-Authenticator" Opaque,
    ACCT_INTERIM_INTERVAL = 85 "Acct-Interim-Interval" Number,
    NAS_PORT_ID = 87 "NAS-Port-Id" Text,
    FRAMED_POOL = 88 "Framed-Pool" Text,
    NAS_FILTER_RULE = 92 "NAS-Filter-Rule" Text,
    NAS_IPV6_ADDRESS = 95 "NAS-IPv6-Address" Opaque,
    FRAMED_INTERFACE_ID = 96 "Framed-Interface-Id" Opaque,
    FRAMED_IPV6_PREFIX = 97 "Framed-IPv6-Prefix" Opaque,
    FRAMED_IPV6_ROUTE = 99 "Framed-IPv6-Route" Text,
    FRAMED_IPV6_POOL = 100 "Framed-IPv6-Pool" Text,
    ERROR_CAUSE = 101 "Error-Cause" Number,
    DELEGATED_IPV6_PREFIX = 123 "Delegated-IPv6-Prefix" Opaque,
    FRAMED_IPV6_ADDRESS = 168 "Framed-IPv6-Address" Opaque,
    DNS_SERVER_IPV6_ADDRESS = 169 "DNS-Server-IPv6-Address" Opaque,
}

numbers! {
    /// Microsoft's attributes (RFC 2548).
    microsoft:
    MS_CHAP_RESPONSE = 1 "MS-CHAP-Response" Opaque,
    MS_CHAP_ERROR = 2 "MS-CHAP-Error" Opaque,
    MS_CHAP_NT_ENC_PW = 6 "MS-CHAP-NT-Enc-PW" Opaque,
    MS_MPPE_ENCRYPTION_POLICY = 7 "MS-MPPE-Encryption-Policy" Number,
    MS_MPPE_ENCRYPTION_TYPES = 8 "MS-MPPE-Encryption-Types" Number,
    MS_RAS_VENDOR = 9 "MS-RAS-Vendor" Number,
    MS_CHAP_DOMAIN = 10 "MS-CHAP-Domain" Opaque,
    MS_CHAP_CHALLENGE = 11 "MS-CHAP-Challenge" Opaque,
    MS_CHAP_MPPE_KEYS = 12 "MS-CHAP-MPPE-Keys" Opaque,
    MS_MPPE_SEND_KEY = 16 "MS-MPPE-Send-Key" Opaque,
    MS_MPPE_RECV_KEY = 17 "MS-MPPE-Recv-Key" Opaque,
    MS_RAS_VERSION = 18 "MS-RAS-Version" Text,
    MS_CHAP2_RESPONSE = 25 "MS-CHAP2-Response" Opaque,
    MS_CHAP2_SUCCESS = 26 "MS-CHAP2-Success" Opaque,
    MS_CHAP2_CPW = 27 "MS-CHAP2-CPW" Opaque,
    MS_PRIMARY_DNS_SERVER = 28 "MS-Primary-DNS-Server" Address,
    MS_SECONDARY_DNS_SERVER = 29 "MS-Secondary-DNS-Server" Address,
    MS_PRIMARY_NBNS_SERVER = 30 "MS-Primary-NBNS-Server" Address,
    MS_SECONDARY_NBNS_SERVER = 31 "MS-Secondary-NBNS-Server" Address,
    MS_RAS_CLIENT_NAME = 34 "MS-RAS-Client-Name" Text,
    MS_RAS_CLIENT_VERSION = 35 "MS-RAS-Client-Version" Text,
}

numbers! {
    /// MikroTik's attributes.
    mikrotik:
    RECV_LIMIT = 1 "Mikrotik-Recv-Limit" Number,
    XMIT_LIMIT = 2 "Mikrotik-Xmit-Limit" Number,
    GROUP = 3 "Mikrotik-Group" Text,
    RATE_LIMIT = 8 "Mikrotik-Rate-Limit" Text,
    REALM = 9 "Mikrotik-Realm" Text,
    RECV_LIMIT_GIGAWORDS = 14 "Mikrotik-Recv-Limit-Gigawords" Number,
    XMIT_LIMIT_GIGAWORDS = 15 "Mikrotik-Xmit-Limit-Gigawords" Number,
    TOTAL_LIMIT = 17 "Mikrotik-Total-Limit" Number,
    TOTAL_LIMIT_GIGAWORDS = 18 "Mikrotik-Total-Limit-Gigawords" Number,
    ADDRESS_LIST = 19 "Mikrotik-Address-List" Text,
}

numbers! {
    /// Attributes of the Wireless ISP roaming recommendations.
    wispr:
    BANDWIDTH_MIN_UP = 5 "WISPr-Bandwidth-Min-Up" Number,
    BANDWIDTH_MIN_DOWN = 6 "WISPr-Bandwidth-Min-Down" Number,
    BANDWIDTH_MAX_UP = 7 "WISPr-Bandwidth-Max-Up" Number,
    BANDWIDTH_MAX_DOWN = 8 "WISPr-Bandwidth-Max-Down" Number,
    SESSION_TERMINATE_TIME = 9 "WISPr-Session-Terminate-Time" Text,
}

numbers! {
    /// Cisco's attributes.
    cisco:
    AV_PAIR = 1 "Cisco-AVPair" Text,
}

/// Private Enterprise Numbers of vendors whose attributes are read.
pub mod vendor {
    /// Cisco.
    pub const CISCO: u32 = 9;
    /// Microsoft (RFC 2548).
    pub const MICROSOFT: u32 = 311;
    /// Wireless ISP roaming.
    pub const WISPR: u32 = 14_122;
    /// MikroTik.
    pub const MIKROTIK: u32 = 14_988;
}

/// The name and form of a vendor's attribute; `None` for a vendor whose attributes are not read.
pub(crate) const fn vendor_lookup(vendor: u32, number: u8) -> Option<(&'static str, Form)> {
    Some(match vendor {
        vendor::CISCO => cisco::lookup(number),
        vendor::MICROSOFT => microsoft::lookup(number),
        vendor::WISPR => wispr::lookup(number),
        vendor::MIKROTIK => mikrotik::lookup(number),
        _ => return None,
    })
}
