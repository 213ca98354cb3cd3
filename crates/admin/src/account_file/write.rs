//! Accounts as CSV, which an import reads again.

use adit_api::accounts::{Account, ExportedAccount, ImportSecret};
use adit_crypto::secret::NtHash;
use zeroize::Zeroizing;

use super::csv::COLUMNS;

/// The columns of secrets; the others can be shown to every operator.
const SECRETS: [&str; 3] = ["password", "nt_hash", "reversible"];

/// Writes accounts as CSV. Without `with_secrets` the columns of secrets are left out.
pub fn write_csv(accounts: &[ExportedAccount], with_secrets: bool) -> Zeroizing<String> {
    let columns: Vec<&str> =
        COLUMNS.into_iter().filter(|column| with_secrets || !SECRETS.contains(column)).collect();
    let mut text = Zeroizing::new(String::with_capacity(64 + 512 * accounts.len()));
    text.push_str(&columns.join(","));
    text.push_str("\r\n");
    for exported in accounts {
        for (place, column) in columns.iter().enumerate() {
            if place > 0 {
                text.push(',');
            }
            push_field(&mut text, &field(exported, column));
        }
        text.push_str("\r\n");
    }
    text
}

/// Appends a field, quoted where RFC 4180 requires it.
fn push_field(text: &mut String, field: &str) {
    if !field.contains([',', '"', '\r', '\n']) {
        text.push_str(field);
        return;
    }
    text.push('"');
    for c in field.chars() {
        if c == '"' {
            text.push('"');
        }
        text.push(c);
    }
    text.push('"');
}

fn field(exported: &ExportedAccount, column: &str) -> Zeroizing<String> {
    let ExportedAccount { account, secret } = exported;
    let yes = |yes: bool| if yes { "yes" } else { "no" }.to_owned();
    let Account { group, address, networks, expires, disabled, .. } = account;
    Zeroizing::new(match column {
        "name" => account.name.clone(),
        "password" => match secret {
            ImportSecret::Password { password, .. } => password.expose().to_owned(),
            ImportSecret::None | ImportSecret::NtHash(_) => String::new(),
        },
        // With a password too: the pair shows an import that the password was accepted already.
        "nt_hash" => match secret {
            ImportSecret::Password { password, .. } => hex(&password.nt_hash()),
            ImportSecret::NtHash(hash) => hex(hash),
            ImportSecret::None => String::new(),
        },
        "reversible" => yes(matches!(secret, ImportSecret::Password { .. })),
        "group" => group.clone().unwrap_or_default(),
        "address" => address.map(|address| address.to_string()).unwrap_or_default(),
        "networks" => networks.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "),
        "expires" => expires.map(|at| at.to_string()).unwrap_or_default(),
        "vpn" => yes(account.vpn),
        "disabled" => yes(disabled.is_some()),
        "disabled_reason" => disabled.clone().unwrap_or_default(),
        "must_change" => yes(account.must_change),
        "note" => account.note.clone(),
        "password_changed" => account.password_changed.map(|at| at.to_string()).unwrap_or_default(),
        "created" => account.created.to_string(),
        _ => String::new(),
    })
}

/// The 32 hexadecimal digits of an NT hash.
pub fn hex(hash: &NtHash) -> String {
    hash.as_bytes().iter().map(|octet| format!("{octet:02x}")).collect()
}
