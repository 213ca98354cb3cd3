//! QR codes, for a terminal and as SVG.

use core::fmt;

use qrcode::render::{svg, unicode};
use qrcode::{EcLevel, QrCode};

/// The text does not fit into a QR code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QrError;

impl fmt::Display for QrError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the text is too long for a QR code")
    }
}

impl core::error::Error for QrError {}

fn code(text: &str) -> Result<QrCode, QrError> {
    QrCode::with_error_correction_level(text, EcLevel::M).map_err(|_| QrError)
}

/// As lines of half blocks, two modules in a character, with the quiet zone. Dark modules are left empty, because
/// terminals are dark and a reader expects dark modules on a light ground.
pub fn qr_text(text: &str) -> Result<String, QrError> {
    let code = code(text)?;
    Ok(code
        .render::<unicode::Dense1x2>()
        .dark_color(unicode::Dense1x2::Light)
        .light_color(unicode::Dense1x2::Dark)
        .build())
}

/// As an SVG document.
pub fn qr_svg(text: &str) -> Result<String, QrError> {
    Ok(code(text)?.render::<svg::Color<'_>>().min_dimensions(240, 240).build())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_square_and_a_text_without_bound_is_refused() {
        let text = qr_text("otpauth://totp/a:b?secret=ABCDEFGH").unwrap();
        let width = text.lines().map(|line| line.chars().count()).max().unwrap();
        assert_eq!(text.lines().count(), width.div_ceil(2), "{text}");
        assert!(qr_svg("x").unwrap().contains("<svg"));
        assert_eq!(qr_text(&"x".repeat(5000)), Err(QrError));
    }
}
