//! The control socket's language.

use adit_api::{Request, Response};

/// A line is a request, an answer, or neither; what was read is written and read again as the same.
pub(crate) fn control_socket(data: &[u8]) {
    if let Ok(request) = serde_json::from_slice::<Request>(data) {
        let again = serde_json::to_string(&request).unwrap_or_default();
        assert_eq!(serde_json::from_str::<Request>(&again).ok(), Some(request), "{again}");
        assert!(!again.contains('\n'), "two lines: {again:?}");
    }
    if let Ok(response) = serde_json::from_slice::<Response>(data) {
        let again = serde_json::to_string(&response).unwrap_or_default();
        assert!(serde_json::from_str::<Response>(&again).is_ok(), "{again}");
        assert!(!again.contains('\n'), "two lines: {again:?}");
    }
}
