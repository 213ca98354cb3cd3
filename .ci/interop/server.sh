# adit serve with foreign clients.
# shellcheck shell=bash

alice_password=Kiesel-Wanduhr-83
bob_password=Zimtstern.Leuchter.5

# serve_up [LINE...]: the server, in its namespace, with users alice and bob; LINEs replace or add to its configuration.
serve_up() {
    local state=$work/state run=$work/run
    rm -rf "$state" "$run"
    mkdir -p -m 0700 "$state" "$run"
    {
        cat <<X
[store]
url = "sqlite:$state/adit.db"
seal_key = { file = "$state/seal.key" }
[server]
listen = "$wan_server"
[pool]
net = "10.99.0.0/24"
dns = ["192.168.10.5", "192.168.10.6"]
domain = "corp.example.org"
[access]
routes = ["$office_net"]
X
        printf '%s\n' "$@"
    } >"$work/adit.toml"
    # CHAP-MD5 wants the password itself; the other methods do with its hash.
    adit user add alice --password-stdin --reversible <<<"$alice_password" >/dev/null &&
        adit user add bob --password-stdin <<<"$bob_password" >/dev/null || return 1
    rm -f "$work/serve.log"
    ip netns exec "$tag-server" "$adit" "${where[@]}" serve >"$work/serve.log" 2>&1 &
    server_pid=$!
    children+=("$server_pid")
    wait_for 10 grep -q '^ready' "$work/serve.log" || { say "no server:"; cat "$work/serve.log" >&2; return 1; }
}

where=(--config "$work/adit.toml" --state-dir "$work/state" --run-dir "$work/run")
adit() { local verb=$1; shift; ip netns exec "$tag-server" "$adit" "$verb" "$@" "${where[@]}"; }

serve_down() {
    kill -TERM "$server_pid" && wait "$server_pid"
}

# The record of the failing side, for the log of a failed case.
record() {
    say "--- adit sessions, log"
    adit sessions >&2; adit log --since 5m >&2
    tail -n 20 "$work/serve.log" >&2
    return 1
}

sessions_are() { [[ $(adit sessions --json | grep -c '"state": *"up"') = "$1" ]]; }

mppe_128=(require-mppe-128 nomppe-stateful)

# Two clients of pptp-linux behind one NAT, at once: address, DNS, route, 20 MB each way.
case_server_two_behind_nat() {
    boot c1 lan 192.168.7.11
    boot c2 lan 192.168.7.12
    serve_up || return 1
    capture server wan0 "$work/two.pcap"
    dial c1 "$wan_server" alice "$alice_password" "${mppe_128[@]}" || { record; return 1; }
    dial c2 "$wan_server" bob "$bob_password" "${mppe_128[@]}" || { record; return 1; }
    local name
    for name in c1 c2; do
        learnt "$name" | grep -q 'remote=10.99.0.1 dns1=192.168.10.5 dns2=192.168.10.6' ||
            { say "$name learnt $(learnt "$name")"; return 1; }
        pppd_log "$name" | grep -q 'MPPE 128-bit stateless' || { say "$name: no MPPE 128"; return 1; }
    done
    sessions_are 2 || { say "not two sessions"; record; return 1; }
    exchange guest:c1 ns:office "$office" 5001 20 & local first=$!
    exchange guest:c2 ns:office "$office" 5002 20 || { record; return 1; }
    wait "$first" || { record; return 1; }
    hang_up c1
    hang_up c2
    wait_for 10 sessions_are 0 || { say "sessions stay"; record; return 1; }
    capture_end
    well_formed "$work/two.pcap" "$wan_server" || return 1
    no_clear_ip "$work/two.pcap" || return 1
    serve_down || { say "serve ended with $?"; return 1; }
}

# The kernel's driver as client: begins at sequence number 1, never acknowledges alone, answers no echo.
case_server_kernel_client() {
    boot c1 lan 192.168.7.11
    build_kernel_client
    serve_up || return 1
    capture server wan0 "$work/kernel.pcap"
    dial_kernel c1 "$wan_server" alice "$alice_password" "${mppe_128[@]}" || { record; return 1; }
    exchange guest:c1 ns:office "$office" 5001 20 || { record; return 1; }
    hang_up c1
    wait_for 10 sessions_are 0 || { say "the session stays"; return 1; }
    capture_end
    well_formed "$work/kernel.pcap" "$wan_server" || return 1
    serve_down
}

# A line that loses, repeats, delays and reorders. pptp-linux gets no repeated packets: its queue goes round in circles on
# them and hands the same ones to pppd again and again. The kernel's driver gets them all.
case_server_rough_line() {
    boot c1 lan 192.168.7.11
    build_kernel_client
    serve_up || return 1
    dial c1 "$wan_server" alice "$alice_password" "${mppe_128[@]}" || { record; return 1; }
    roughen c1 'loss 1%'
    exchange guest:c1 ns:office "$office" 5001 2 || { record; return 1; }
    adit session alice >&2
    hang_up c1
    dial_kernel c1 "$wan_server" bob "$bob_password" "${mppe_128[@]}" || { record; return 1; }
    roughen c1 'delay 4ms 1ms loss 1% duplicate 1% reorder 3% 50%'
    exchange guest:c1 ns:office "$office" 5002 2 || { record; return 1; }
    adit session bob >&2
    hang_up c1
    serve_down
}

# Every other agreement that a policy may allow. server_terms NAME CONFIGURATION-LINES -- PPPD-OPTIONS -- EXPECTED
server_terms() {
    local name=$1 lines=() options=() expected bad=0
    shift
    while [[ $1 != -- ]]; do lines+=("$1"); shift; done; shift
    while [[ $1 != -- ]]; do options+=("$1"); shift; done; shift
    expected=$1
    serve_up "${lines[@]}" || return 1
    if dial c1 "$wan_server" alice "$alice_password" "${options[@]}" &&
        grep -qE "$expected" <(pppd_log c1) && exchange guest:c1 ns:office "$office" 5001 1; then
        say "     $name"
    else
        bad=1
        say "FAIL $name (looked for: $expected)"
        pppd_log c1 | tail -n 30 >&2
        record
    fi
    hang_up c1
    serve_down && return "$bad"
}

case_server_terms() {
    boot c1 lan 192.168.7.11
    local bad=0
    server_terms "MPPE 40, stateless" '[link]' 'mppe_bits = [40]' \
        -- require-mppe-40 nomppe-128 -- 'MPPE 40-bit stateless' || bad=1
    # pppd agrees to stateful mode only with a peer that refuses stateless; with adit stateless must come out.
    server_terms "MPPE 128, stateful allowed on both sides" '[link]' 'mppe_stateless = false' \
        -- require-mppe-128 mppe-stateful -- 'MPPE 128-bit stateless' || bad=1
    server_terms "no MPPE" '[link]' 'mppe = "allow"' -- nomppe -- 'CHAP authentication succeeded' || bad=1
    server_terms "PAP" '[link]' 'mppe = "off"' '[auth]' 'methods = ["pap"]' \
        -- nomppe -- 'PAP authentication succeeded' || bad=1
    server_terms "CHAP-MD5" '[link]' 'mppe = "off"' '[auth]' 'methods = ["chap"]' \
        -- nomppe refuse-mschap refuse-mschap-v2 -- 'CHAP authentication succeeded' || bad=1
    server_terms "MS-CHAPv1, MPPE 128" '[auth]' 'methods = ["mschap-v1"]' \
        -- refuse-mschap-v2 require-mppe-128 -- 'MPPE 128-bit stateless' || bad=1
    return "$bad"
}

# What must not come up, and what the log says of it.
case_server_refusals() {
    boot c1 lan 192.168.7.11
    serve_up || return 1
    local bad=0
    refused c1 A01 alice wrong-password-1 "${mppe_128[@]}" || bad=1
    refused c1 A01 unknown "$alice_password" "${mppe_128[@]}" || bad=1
    refused c1 'E0[13]' alice "$alice_password" nomppe || bad=1
    refused c1 'A05' alice "$alice_password" refuse-mschap-v2 || bad=1
    return "$bad"
}

# refused GUEST CODE USER PASSWORD PPPD-OPTIONS
refused() {
    local name=$1 code=$2 user=$3 password=$4; shift 4
    if DIAL_TIMEOUT=8 dial "$name" "$wan_server" "$user" "$password" "$@" 2>/dev/null; then
        say "$user was admitted; $code expected"
        hang_up "$name"
        return 1
    fi
    guest_sh "$name" '[ ! -e /run/ppp-vpn.pid ] || kill "$(head -n1 /run/ppp-vpn.pid)"; sleep 1'
    adit log --failed --since 30s | tail -n 1 | grep -qE "code=$code" && return
    say "the log does not say $code:"
    adit log --failed --since 30s >&2
    return 1
}

# The README's first command, as it stands there, and a foreign client that dials what it printed.
case_readme_server() {
    boot c1 lan 192.168.7.11
    # A namespace reaches no registry: what has to be fetched and built is, before.
    (cd "$repo" && cargo build --quiet --release --locked --package adit) || return 1
    # Without a file it runs with defaults; a file that is named must be there.
    [ ! -e /etc/adit/adit.toml ] || { say "/etc/adit/adit.toml is in the way of this case"; return 1; }
    local begun=$EPOCHREALTIME password peer
    ip netns exec "$tag-server" env CARGO_NET_OFFLINE=true ADIT_FIRST_USER=alice "$repo/scripts/server" \
        --state-dir "$work/readme-state" --run-dir "$work/readme-run" \
        >"$work/serve.log" 2>&1 &
    server_pid=$!
    children+=("$server_pid")
    wait_for 60 grep -q '^ready' "$work/serve.log" || { cat "$work/serve.log" >&2; return 1; }
    cat "$work/serve.log" >&2
    say "ready $(awk "BEGIN {printf \"%.1f\", $EPOCHREALTIME - $begun}") s after the command (built before)"
    password=$(awk '/^password/ {print $2}' "$work/serve.log")
    dial c1 "$wan_server" alice "$password" "${mppe_128[@]}" || return 1
    peer=$(learnt c1 | sed 's/.*remote=\([0-9.]*\).*/\1/')
    guest c1 ping -c 3 -i 0.3 -W 2 "$peer" >&2 || { say "no answer from $peer"; return 1; }
    hang_up c1
    # ip netns exec became the script, and the script became the server.
    serve_down
}
