//! Prints docs/reference/codes.md: the catalogue of codes as one page.

fn main() {
    print!("{}", adit_diag::reference());
}
