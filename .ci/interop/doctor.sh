# adit doctor against Debian's pptpd: faults are set in the guest, and each must be named.
# shellcheck shell=bash

# finds WANTED NAME SERVER [DOCTOR-OPTION...]: WANTED is the first failure, or several with | between, or "none".
finds() {
    local wanted=$1 name=$2 server=$3 got exit=0 found begun=$EPOCHREALTIME; shift 3
    in_ns client timeout 60 "$adit" doctor "$server" --json "$@" <<<"secret12" \
        >"$work/doctor.json" 2>"$work/doctor.log" || exit=$?
    found=$(perl -0777 -ne 'print $1 || "none" if /"first_failure":\s*(?:"([^"]*)"|null)/' "$work/doctor.json")
    got=$(awk "BEGIN {printf \"%.1f\", $EPOCHREALTIME - $begun}")
    if [[ $found =~ ^($wanted)$ ]]; then
        say "     $name: $found, exit $exit, $got s"
        named=$((named + 1))
        return
    fi
    say "FAIL $name: $found, not $wanted (exit $exit, $got s)"
    cat "$work/doctor.log" "$work/doctor.json" >&2
    guest_sh fs 'tail -n 30 /tmp/pppd.log 2>/dev/null' >&2
    bad=1
}

login=(-u alice --password-stdin)
mppe_here=(require-mppe-128 nomppe-stateful)

# guest_drops [ingress|egress MATCH...]: the guest drops this, in tc's words: its kernel has no nft. Without words: nothing.
guest_drops() {
    local hook=${1:-}; shift || true
    guest_sh fs "modprobe -a sch_ingress cls_u32 act_gact 2>/dev/null
        tc qdisc del dev eth0 clsact 2>/dev/null; tc qdisc add dev eth0 clsact"
    [[ -n $hook ]] || return 0
    guest_sh fs "tc filter add dev eth0 $hook protocol ip pref 1 u32 $* action drop" || die "tc in the guest"
}

case_doctor_pptpd() {
    boot fs wan "$wan_foreign"
    local bad=0 named=0

    pptpd_up fs "${ms_chap_v2[@]}" "${mppe_here[@]}"
    finds none "sound, no account" "$wan_foreign"
    finds R06 "forwarding off" "$wan_foreign" "${login[@]}"
    guest fs sysctl -qw net.ipv4.ip_forward=1
    finds 'R0[14]' "DNS server handed out is nowhere" "$wan_foreign" "${login[@]}"
    finds A01 "wrong secret" "$wan_foreign" -u bob --password-stdin
    finds A01 "unknown user" "$wan_foreign" -u unknown --password-stdin
    finds E01 "server requires MPPE, client refuses" "$wan_foreign" "${login[@]}" --mppe off
    finds E03 "40-bit client, 128-bit server" "$wan_foreign" "${login[@]}" --mppe-bits 40
    finds N01 "name unknown" no-such-name.invalid
    finds 'N02|C01' "no host at the address" 203.0.113.99
    finds C02 "nothing on 1723" "$wan_router"

    local gre='match ip protocol 47 0xff'
    guest_drops ingress "$gre"
    finds 'G0[12]' "guest drops incoming GRE" "$wan_foreign"
    guest_drops egress "$gre"
    finds 'G0[13]' "guest drops GRE that leaves" "$wan_foreign"
    guest_drops ingress 'match ip protocol 6 0xff match ip dport 1723 0xffff'
    finds C01 "guest drops TCP 1723" "$wan_foreign"
    guest_drops

    pptpd_up fs "${ms_chap_v2[@]}" nomppe
    finds E02 "server refuses MPPE, client requires" "$wan_foreign" "${login[@]}"
    pptpd_up fs "${ms_chap_v2[@]}" require-mppe-40 nomppe-128
    finds E03 "128-bit client, 40-bit server" "$wan_foreign" "${login[@]}"
    pptpd_up fs require-pap refuse-chap refuse-mschap refuse-mschap-v2 nomppe
    finds A05 "PAP only" "$wan_foreign" "${login[@]}"

    pptpd_up fs "${ms_chap_v2[@]}" "${mppe_here[@]}"
    guest_sh fs 'sed -i "s/^alice .*/alice server secret12 -/" /etc/ppp/chap-secrets'
    finds 'I0[12]|A06|L03' "no address for this account" "$wan_foreign" "${login[@]}"

    pptpd_up fs "${ms_chap_v2[@]}" no-such-option
    finds L03 "pppd ends at once" "$wan_foreign"
    guest_sh fs 'kill "$(cat /run/pptpd.pid)"; sleep 0.5'
    finds C02 "service stopped" "$wan_foreign"

    say "     $named named"
    return "$bad"
}
