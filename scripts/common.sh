# Sourced by server and test: what this machine lacks, and how to get it.
# shellcheck shell=bash

repo=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
name=${0##*/}

say() { printf '%s: %s\n' "$name" "$*" >&2; }
die() { say "$1"; shift; for line in "$@"; do printf '%*s  %s\n' "${#name}" '' "$line" >&2; done; exit 1; }

# as_root COMMAND...: through sudo when it has to be
as_root() {
    if [[ $(id -u) = 0 ]]; then "$@"; else sudo "$@"; fi
}

need_debian() {
    command -v apt-get >/dev/null || die "this script installs with apt-get, and there is none here" \
        "On another system: install a C compiler and Rust $(wanted_rust) or newer, then" \
        "cargo build --release --locked && sudo target/release/adit serve"
    [[ $(id -u) = 0 ]] || command -v sudo >/dev/null || die "not root, and there is no sudo" "Run it as root: su -c $0"
}

apt_updated=''
apt_update() {
    [[ -z $apt_updated ]] || return 0
    say "reading the package lists"
    as_root apt-get -qq update || die "apt-get update failed" "See its message above: the network, or /etc/apt/sources.list"
    apt_updated=1
}

# install PACKAGE...: those that are missing
install() {
    local package missing=()
    for package in "$@"; do
        [[ $(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) = installed ]] || missing+=("$package")
    done
    ((${#missing[@]})) || return 0
    apt_update
    say "installing ${missing[*]}"
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends install "${missing[@]}" >/dev/null \
        || die "apt-get could not install ${missing[*]}" "See its message above"
}

wanted_rust() { sed -n 's/^rust-version = "\(.*\)"/\1/p' "$repo/Cargo.toml"; }
at_least() { [[ $(printf '%s\n%s\n' "$1" "$2" | sort -V | head -n 1) = "$2" ]]; }    # at_least HAVE WANT
cargo_version() { "$1" --version 2>/dev/null | cut -d' ' -f2; }
offered() { apt-cache policy "$1" 2>/dev/null | awk '/Candidate:/ && $2 != "(none)" {sub(/^[0-9]+:/, "", $2); print $2}'; }

# Puts a cargo of the wanted version first in PATH: one that is here, Debian's, or rustup's.
need_rust() {
    local want home found
    want=$(wanted_rust)
    for home in "$HOME" "$(getent passwd "${SUDO_USER:-root}" | cut -d: -f6)"; do
        found=$home/.cargo/bin/cargo
        [[ -x $found ]] || continue
        export PATH=$home/.cargo/bin:$PATH
        export RUSTUP_HOME=${RUSTUP_HOME:-$home/.rustup} CARGO_HOME=${CARGO_HOME:-$home/.cargo}
        break
    done
    at_least "$(cargo_version cargo)" "$want" && return
    if command -v rustup >/dev/null; then
        say "updating Rust to $want or newer"
        rustup update --no-self-update stable >/dev/null || die "rustup update stable failed" "See its message above"
        rustup default stable >/dev/null
        at_least "$(cargo_version cargo)" "$want" && return
    fi
    apt_update
    if at_least "$(offered cargo-web)" "$want"; then
        install cargo-web rustc-web rustfmt-web rust-web-clippy
    elif at_least "$(offered cargo)" "$want"; then
        install cargo rustc rustfmt rust-clippy
    elif [[ -n $(offered rustup) ]]; then
        install rustup
        rustup toolchain install stable --profile default >/dev/null || die "rustup could not get a toolchain"
    else
        die "Rust $want or newer is needed, and this machine's package sources do not have it" \
            "Add the security archive to the apt sources, or install from https://rustup.rs, then run this again"
    fi
    hash -r
    at_least "$(cargo_version cargo)" "$want" || die "cargo is $(cargo_version cargo), $want or newer is needed" \
        "An older one stands first in PATH: $(command -v cargo)"
}

# split_debug PROGRAM: moves debug information into PROGRAM.debug beside it, where gdb and perf find it by the link left behind.
split_debug() {
    local program=$1
    readelf --section-headers --wide "$program" | grep -q ' \.debug_line ' || return 0
    # Written beside and renamed: cargo keeps a second link to the file.
    objcopy --only-keep-debug "$program" "$program.debug"
    objcopy --strip-debug --add-gnu-debuglink="$program.debug" "$program" "$program.new"
    mv "$program.new" "$program"
}

# Offers a device that a container often lacks.
need_tun() {
    [[ -e /dev/net/tun ]] || { as_root mkdir -p /dev/net && as_root mknod -m 0666 /dev/net/tun c 10 200 2>/dev/null; } || true
    [[ -e /dev/net/tun ]] || die "there is no /dev/net/tun on this machine (S07)" \
        "In a container: start it with --device /dev/net/tun --cap-add NET_ADMIN --cap-add NET_RAW"
}
