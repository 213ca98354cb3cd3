//! Lists of NT hashes: `name:hash`, pwdump (`name:RID:LM:NT:::`) and smbpasswd (`name:UID:LM:NT:[FLAGS]:LCT-...:`).

use adit_api::accounts::ImportSecret;

use super::{Contents, Fault, MAX_FIELD, entry, nt_hash};

pub(super) fn read(text: &str) -> Contents {
    let mut contents = Contents::default();
    for (line, text) in (1..).zip(text.lines()) {
        let text = text.trim();
        if text.is_empty() || text.starts_with('#') {
            continue;
        }
        if contents.is_full(line) {
            break;
        }
        let name = text.split(':').next().unwrap_or_default();
        if name.ends_with('$') {
            contents.skipped.push((line, "a computer account: its name ends in $".to_owned()));
            continue;
        }
        match account(text) {
            Ok((secret, is_disabled)) => {
                let mut entry = entry(line, name, secret);
                entry.properties.disabled = is_disabled.then(|| Some(String::new()));
                contents.entries.push(entry);
            }
            Err(fault) => contents.refuse(line, if text.len() > MAX_FIELD { "" } else { name }, fault),
        }
    }
    contents
}

/// The secret of a line, and whether its account is disabled.
fn account(text: &str) -> Result<(ImportSecret, bool), Fault> {
    if text.len() > MAX_FIELD {
        return Err((format!("the line is longer than {MAX_FIELD} bytes"), "this is no list of NT hashes"));
    }
    let fields: Vec<&str> = text.split(':').collect();
    let hash = match fields.as_slice() {
        [_, hash] => hash,
        [_, _, _, hash, ..] => hash,
        _ => {
            let message =
                format!("{} fields; expected name:hash, or the form of pwdump or smbpasswd", fields.len());
            return Err((message, "write one account a line: alice:0123456789abcdef0123456789abcdef"));
        }
    };
    // The account flags of smbpasswd: N for no password, D for disabled.
    let flags =
        fields.get(4).and_then(|flags| flags.strip_prefix('[')?.strip_suffix(']')).unwrap_or_default();
    // Both programs write these instead of a hash.
    let is_none = flags.contains('N')
        || hash.starts_with("NO PASSWORD")
        || (hash.len() == 32 && hash.chars().all(|c| c == 'X'));
    let secret = if is_none { ImportSecret::None } else { ImportSecret::NtHash(nt_hash(hash.trim())?) };
    Ok((secret, flags.contains('D')))
}
