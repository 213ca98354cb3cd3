# adit connect with Debian's pptpd, and with adit serve.
# shellcheck shell=bash

# connect_up SERVER USER PASSWORD [OPTION...]: adit connect in the client's namespace, behind the NAT. It may change
# /etc/resolv.conf: it gets a copy of /etc of its own, and processes of its own, because it compares its resolv.conf with
# that of process 1, which a container may hide.
connect_up() {
    local server=$1 user=$2 password=$3; shift 3
    local state=$work/client-state run=$work/client-run etc=$work/etc
    rm -rf "$state" "$run" "$etc"
    rm -f "$work/connect.log"
    mkdir -p -m 0700 "$state" "$run" "$etc"
    cp -a /etc/. "$etc/"
    rm -f "$etc/resolv.conf"
    echo 'nameserver 192.0.2.53' >"$etc/resolv.conf"
    in_ns client ip -br route >"$work/routes-before"
    # shellcheck disable=SC2016 # for the inner shell
    ip netns exec "$tag-client" unshare --mount --pid --fork --kill-child --mount-proc bash -c 'mount --bind "$1" /etc && shift && exec "$@"' - "$etc" \
        "$adit" connect "$server" -u "$user" --password-stdin --once --state-dir "$state" --run-dir "$run" "$@" \
        <<<"$password" >"$work/connect.log" 2>&1 &
    connect_pid=$!
    children+=("$connect_pid")
    wait_for 30 grep -qE '^connected' "$work/connect.log" && return
    say "adit connect: no network"
    cat "$work/connect.log" >&2
    return 1
}

# Ctrl-C, and nothing stays: no interface, no route, the old resolv.conf.
connect_down() {
    # The child of unshare, which ignores signals.
    kill -INT "$(pgrep -P "$connect_pid")"
    wait "$connect_pid" || { say "adit connect ended with $?"; cat "$work/connect.log" >&2; return 1; }
    in_ns client ip -br route | diff "$work/routes-before" - >&2 || { say "routes stay"; return 1; }
    ! in_ns client ip -o link | grep -q adit || { say "an interface stays"; return 1; }
    grep -qx 'nameserver 192.0.2.53' "$work/etc/resolv.conf" || { say "resolv.conf is not as before"; return 1; }
}

# What both ends show after a failure.
both_ends() {
    cat "$work/connect.log" >&2
    in_ns client ip -s addr >&2
    guest_sh fs 'tail -n 60 /tmp/pppd.log; ip -s addr; tc -s qdisc; ps ax' >&2
}

case_client_pptpd() {
    boot fs wan "$wan_foreign"
    pptpd_up fs "${ms_chap_v2[@]}" require-mppe-128 nomppe-stateful
    capture router wan0 "$work/client.pcap"
    connect_up "$wan_foreign" alice secret12 --routes 10.88.0.0/24 || return 1
    cat "$work/connect.log" >&2
    in_ns client ip route get 10.88.0.77 | grep -q 'dev adit' || { say "no route"; return 1; }
    grep -q '192.168.10.5' "$work/etc/resolv.conf" || { say "no DNS"; cat "$work/etc/resolv.conf" >&2; return 1; }
    exchange ns:client guest:fs 10.88.0.1 5001 20 || return 1
    connect_down || return 1
    capture_end
    well_formed "$work/client.pcap" "$wan_router" || return 1
    no_clear_ip "$work/client.pcap"
}

# A server as Debian installs it, whose socket has no room for bursts: within its window nothing is lost.
case_client_windowing() {
    boot fs wan "$wan_foreign"
    pptpd_up fs "${ms_chap_v2[@]}" require-mppe-128 nomppe-stateful
    guest fs sysctl -qw net.core.rmem_default=212992
    connect_up "$wan_foreign" alice secret12 --routes 10.88.0.0/24 --windowing || return 1
    exchange ns:client guest:fs 10.88.0.1 5001 20 || return 1
    connect_down
}

# Every other agreement. client_terms NAME PPPD-OPTIONS -- CONNECT-OPTIONS -- EXPECTED-LINE
client_terms() {
    local name=$1 theirs=() ours=() expected
    shift
    while [[ $1 != -- ]]; do theirs+=("$1"); shift; done; shift
    while [[ $1 != -- ]]; do ours+=("$1"); shift; done; shift
    expected=$1
    pptpd_up fs "${theirs[@]}"
    if connect_up "$wan_foreign" alice secret12 --routes 10.88.0.0/24 "${ours[@]}" &&
        grep -qE "$expected" "$work/connect.log" && exchange ns:client guest:fs 10.88.0.1 5001 1 && connect_down; then
        say "     $name"
    else
        say "FAIL $name (looked for: $expected)"
        both_ends
        kill -KILL "$connect_pid" 2>/dev/null
        return 1
    fi
}

case_client_terms() {
    boot fs wan "$wan_foreign"
    local bad=0
    client_terms "MPPE 40, stateless" "${ms_chap_v2[@]}" require-mppe-40 nomppe-128 nomppe-stateful \
        -- --mppe-bits 40 -- 'encrypt +mppe 40 stateless' || bad=1
    client_terms "MPPE 128, stateful allowed on both sides" "${ms_chap_v2[@]}" require-mppe-128 mppe-stateful \
        -- --mppe-stateful -- 'encrypt +mppe 128 stateless' || bad=1
    client_terms "no MPPE" "${ms_chap_v2[@]}" nomppe -- --mppe allow -- 'auth +mschap-v2' || bad=1
    client_terms "PAP" require-pap refuse-chap refuse-mschap refuse-mschap-v2 nomppe \
        -- --mppe off --method pap -- 'auth +pap' || bad=1
    client_terms "CHAP-MD5" refuse-pap require-chap refuse-mschap refuse-mschap-v2 nomppe \
        -- --mppe off --method chap -- 'auth +chap' || bad=1
    client_terms "MS-CHAPv1, MPPE 128" refuse-pap refuse-chap require-mschap refuse-mschap-v2 require-mppe-128 \
        -- --method mschap-v1 -- 'encrypt +mppe 128 stateless' || bad=1
    return "$bad"
}

# A line that loses, repeats, delays and reorders, both ways. It is little data, because pptpd holds everything back for
# half a second whenever a packet is missing.
case_client_rough_line() {
    boot fs wan "$wan_foreign"
    pptpd_up fs "${ms_chap_v2[@]}" require-mppe-128 nomppe-stateful
    roughen fs 'loss 1% duplicate 1%'
    # pppd ends the link when its acknowledgment of a CCP Configure-Request is lost and the request is repeated: a call
    # in a hundred on this line.
    local call=(connect_up "$wan_foreign" alice secret12 --routes 10.88.0.0/24)
    "${call[@]}" || { grep -q '"MPPE disabled"' "$work/connect.log" && "${call[@]}"; } || return 1
    # Our acknowledgment of its addresses may be lost: then pppd's network is up three seconds after ours.
    wait_for 20 in_ns client ping -c 1 -W 1 10.88.0.1 || { say "no answer through the tunnel"; return 1; }
    exchange ns:client guest:fs 10.88.0.1 5001 1 || { both_ends; return 1; }
    connect_down
}

# What must fail, with the layer as exit code.
case_client_refused() {
    boot fs wan "$wan_foreign"
    pptpd_up fs "${ms_chap_v2[@]}" require-mppe-128 nomppe-stateful
    local bad=0
    fails 14 A01 alice wrong-secret "$wan_foreign" || bad=1
    fails 15 E0 alice secret12 "$wan_foreign" --mppe off || bad=1
    fails 11 C02 alice secret12 "$wan_router" || bad=1
    return "$bad"
}

fails() {       # fails EXIT CODE USER PASSWORD SERVER [OPTION...]
    local exit=$1 code=$2 user=$3 password=$4 server=$5 got=0; shift 5
    in_ns client timeout 60 "$adit" connect "$server" -u "$user" --password-stdin --once --no-dns \
        --state-dir "$work/client-state" --run-dir "$work/client-run" "$@" \
        <<<"$password" >"$work/connect.log" 2>&1 || got=$?
    [[ $got = "$exit" ]] && grep -q "$code" "$work/connect.log" && return
    say "exit $got, not $exit with $code:"
    cat "$work/connect.log" >&2
    return 1
}

# Both ends are adit.
case_client_and_server() {
    serve_up || return 1
    capture server wan0 "$work/both.pcap"
    connect_up "$wan_server" alice "$alice_password" --routes "$office_net" || { record; return 1; }
    grep -q '192.168.10.5' "$work/etc/resolv.conf" || { say "no DNS"; return 1; }
    exchange ns:client ns:office "$office" 5001 20 || { record; return 1; }
    connect_down || return 1
    wait_for 10 sessions_are 0 || { say "the session stays"; return 1; }
    capture_end
    well_formed "$work/both.pcap" "$wan_server" && well_formed "$work/both.pcap" "$wan_router" || return 1
    no_clear_ip "$work/both.pcap" || return 1
    serve_down
}
