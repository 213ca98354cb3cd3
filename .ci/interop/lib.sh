# Sourced by run: the network of the interop tests, and what its machines are told to do.
#
#   office ---- server ---- WAN ---- router (NAT, PPTP helper) ---- lan: clients
#                            |
#                          foreign server
#
# server, router and office are network namespaces of this machine; the foreign peers are lab
# guests (peer-vm). All names begin with $tag.
# shellcheck shell=bash

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
repo=$(cd "$here/../.." && pwd)
lab=$(cd "$repo/../shared/lab" && pwd)
adit=${ADIT:-${CARGO_TARGET_DIR:-$repo/target}/debug/adit}
work=$(mktemp -d "${TMPDIR:-/tmp}/adit-interop.XXXXXX")
tag=ai
xstate=$work/xstate.so       # see xstate.c
gcc -shared -fPIC -O1 -Wall -Werror -o "$xstate" "$here/xstate.c" -ldl || exit 1

wan_server=203.0.113.10      # adit serve
wan_router=203.0.113.2       # what the server sees of every client behind the router
wan_foreign=203.0.113.20     # Debian's pptpd
office=192.168.10.20         # a machine behind the server
office_net=192.168.10.0/24

say() { printf '%s\n' "$*" >&2; }
die() { say "interop: $*"; exit 1; }
vm() { LD_PRELOAD=$xstate timeout -k 5 "${VM_TIMEOUT:-120}" "$lab/peer-vm" "$@"; }
guest() { local name=$1; shift; vm exec "$name" -- "$@" </dev/null; }
guest_sh() { vm sh "$1" "$2" </dev/null; }
in_ns() { local ns=$1; shift; ip netns exec "$tag-$ns" "$@"; }

# Runs a command again until it succeeds: wait_for SECONDS COMMAND...
wait_for() {
    local until=$((SECONDS + $1)); shift
    until "$@" >/dev/null 2>&1; do
        ((SECONDS < until)) || return 1
        sleep 0.2
    done
}

guests=()       # booted here
children=()     # processes started here, on the host

boot() {        # boot NAME lan|wan ADDRESS
    local name=$1 where=$2 address=$3
    case $where in
        lan) vm up "$name" --netns "$tag-router" --bridge lan --guest-ip "$address/24" --gw 192.168.7.1 ;;
        wan) vm up "$name" --netns "$tag-wan" --bridge br0 --guest-ip "$address/24" ;;
    esac || die "guest $name did not boot"
    guests+=("$name")
    # Debian's ip-up is replaced: tell what was learnt, route what the caller asked for.
    vm exec "$name" -- sh -c 'cat >/etc/ppp/ip-up; chmod +x /etc/ppp/ip-up' <<'X'
#!/bin/sh
[ "$LINKNAME" = vpn ] || exit 0    # a call that came in, not one we made
for net in $6; do ip route add "$net" dev "$1"; done
echo "local=$4 remote=$5 dns1=$DNS1 dns2=$DNS2" >/tmp/vpn.up
X
}

network_up() {
    network_down
    local ns
    for ns in wan router server office client; do
        ip netns add "$tag-$ns"
        in_ns "$ns" ip link set lo up
        in_ns "$ns" sysctl -qw net.ipv6.conf.all.disable_ipv6=1
    done
    in_ns wan ip link add br0 type bridge
    in_ns wan ip link set br0 up
    cable server wan0 wan br-server
    cable router wan0 wan br-router
    cable server lan0 office eth0
    cable client eth0 router lan-client
    in_ns wan ip link set br-server master br0
    in_ns wan ip link set br-router master br0
    in_ns router ip link add lan type bridge
    in_ns router ip link set lan up
    in_ns router ip link set lan-client master lan

    in_ns server ip addr add "$wan_server/24" dev wan0
    in_ns server ip addr add 192.168.10.1/24 dev lan0
    in_ns server sysctl -qw net.ipv4.ip_forward=1
    in_ns office ip addr add "$office/24" dev eth0
    in_ns office ip route add default via 192.168.10.1
    in_ns router ip addr add "$wan_router/24" dev wan0
    in_ns router ip addr add 192.168.7.1/24 dev lan
    in_ns router sysctl -qw net.ipv4.ip_forward=1
    in_ns client ip addr add 192.168.7.21/24 dev eth0
    in_ns client ip route add default via 192.168.7.1
    # A home router: everything is masqueraded, the kernel's helper watches PPTP and rewrites call IDs.
    in_ns router nft -f - <<'X'
table ip home {
    ct helper pptp { type "pptp" protocol tcp; l3proto ip; }
    chain watch {
        type filter hook prerouting priority filter;
        tcp dport 1723 ct helper set "pptp"
    }
    chain out {
        type nat hook postrouting priority srcnat;
        oifname "wan0" masquerade
    }
    chain guard {
        type filter hook forward priority filter; policy drop;
        ct state established,related accept
        iifname "lan" accept
    }
}
X
}

cable() {       # cable NS IF NS IF: a wire between two namespaces
    ip link add "$2" netns "$tag-$1" type veth peer name "$4" netns "$tag-$3"
    in_ns "$1" ip link set "$2" up
    in_ns "$3" ip link set "$4" up
}

network_down() {
    local ns
    for ns in client office server router wan; do
        [[ ! -e /run/netns/$tag-$ns ]] || ip netns del "$tag-$ns"
    done
}

# Ends what a case started.
leave() {
    local pid
    for pid in "${children[@]}"; do
        kill -TERM "$pid" 2>/dev/null && wait_for 5 sh -c "! kill -0 $pid" || kill -KILL "$pid" 2>/dev/null
    done
    children=()
    ((${#guests[@]} == 0)) || vm down "${guests[@]}"
    guests=()
    network_down
}

clean_up() {
    leave
    [[ -n ${KEEP:-} ]] && say "kept: $work" || rm -rf "$work"
}

# --- the foreign client: pppd, with pptp-linux or the kernel's own PPTP under it ---

# dial GUEST SERVER USER PASSWORD [PPPD OPTION...]; link "vpn"; waits until the network is up.
dial() {
    local name=$1 server=$2 user=$3 password=$4; shift 4
    dial_over "$name" "$server" "$user" "$password" pty "pptp $server --nolaunchpppd" "$@"
}

# The kernel's driver: first sequence number 1, never an acknowledgment alone.
dial_kernel() {
    local name=$1 server=$2 user=$3 password=$4; shift 4
    dial_over "$name" "$server" "$user" "$password" plugin "/lab/host$work/kpptp.so" kpptp "$server" "$@"
}

dial_over() {
    local name=$1 user=$3 password=$4; shift 4
    vm exec "$name" -- sh -c 'cat >/etc/ppp/chap-secrets; cp /etc/ppp/chap-secrets /etc/ppp/pap-secrets
        rm -f /tmp/pppd.log /tmp/vpn.up' <<<"\"$user\" * \"$password\" *"
    guest "$name" pppd "$@" user "$user" remotename server noauth linkname vpn usepeerdns nodefaultroute \
        nobsdcomp nodeflate novj mtu 1400 mru 1400 maxfail 1 ipparam "$office_net" \
        debug logfile /tmp/pppd.log
    wait_for "${DIAL_TIMEOUT:-20}" vm exec "$name" -- test -e /tmp/vpn.up </dev/null && return
    say "$name: no network"
    guest "$name" tail -n 40 /tmp/pppd.log >&2
    return 1
}

pppd_log() { guest "$1" cat /tmp/pppd.log; }
learnt() { guest "$1" cat /tmp/vpn.up; }

hang_up() {
    guest_sh "$1" 'p=$(head -n1 /run/ppp-vpn.pid) && kill "$p"; n=0
        while [ -e /run/ppp-vpn.pid ] && [ $n -lt 50 ]; do n=$((n+1)); sleep 0.2; done'
}

build_kernel_client() {
    gcc -O2 -shared -fPIC -w -o "$work/kpptp.so" "$lab/kpptp.c" || die "kpptp.c did not compile (ppp-dev?)"
}

# --- data ---

# sh_at PLACE SCRIPT: a shell script on ns:NAME or guest:NAME. %pipe and %work stand for what is needed there.
sh_at() {
    local place=${1#*:} script=$2 prefix=''
    [[ $1 != guest:* ]] || prefix=/lab/host
    script=${script//%pipe/perl $prefix$here/pipe.pl}
    script=${script//%work/$prefix$work}
    case $1 in
        guest:*) VM_TIMEOUT=280 vm sh "$place" "$script" </dev/null ;;
        ns:*) in_ns "$place" timeout 280 sh -c "$script" </dev/null ;;
    esac
}

# Moves MEGABYTES each way between two places and compares checksums:
# exchange CLIENT SERVER ADDRESS-OF-SERVER PORT MEGABYTES
exchange() {
    local client=$1 server=$2 address=$3 port=$4 file=payload-$4 sum got begun=$EPOCHREALTIME
    head -c "$(($5 * 1024 * 1024))" /dev/urandom >"$work/$file"
    sum=$(sha256sum <"$work/$file")
    local heard=$work/heard-${client#*:}-$port
    # Up: the server writes down the checksum of what it got. Down: the client does.
    sh_at "$server" "%pipe listen $address $port </dev/null | sha256sum" >"$heard" &
    local listener=$!
    sh_at "$client" "%pipe connect $address $port <%work/$file" || return 1
    wait "$listener" || return 1
    got=$(<"$heard")
    [[ $got = "$sum" ]] || { say "$client up: sent $sum, arrived $got"; return 1; }
    sh_at "$server" "%pipe listen $address $port <%work/$file" &
    listener=$!
    got=$(sh_at "$client" "%pipe connect $address $port </dev/null | sha256sum") || return 1
    wait "$listener" || return 1
    [[ $got = "$sum" ]] || { say "$client down: sent $sum, arrived $got"; return 1; }
    say "$client: $5 MB each way, equal checksums, $(awk "BEGIN {printf \"%.1f\", $EPOCHREALTIME - $begun}") s"
}

# --- captures ---

capture() {     # capture NS IF FILE
    ip netns exec "$tag-$1" tcpdump -Z root -U -s 0 -B 8192 -i "$2" -w "$3" 'tcp port 1723 or proto 47' 2>"$3.log" &
    children+=($!)
    capture_pid=$!
    wait_for 5 grep -q 'listening on' "$3.log" || die "tcpdump: $(cat "$3.log")"
}

capture_end() {
    sleep 0.5
    kill -INT "$capture_pid" 2>/dev/null || true
    wait "$capture_pid" 2>/dev/null || true
}

# well_formed FILE ADDRESS: what ADDRESS sent is PPTP without fault, to tshark's eyes.
well_formed() {
    local filter="ip.src == $2" packets bad
    packets=$(tshark -r "$1" -Y "$filter && (pptp || gre)" 2>/dev/null | wc -l)
    ((packets > 10)) || { say "$1: only $packets packets from $2"; return 1; }
    bad=$(tshark -r "$1" -Y "$filter && (_ws.malformed || _ws.expert.group == \"Malformed\")" 2>/dev/null)
    [[ -z $bad ]] || { say "malformed:"; head -n 20 <<<"$bad" >&2; return 1; }
}

# no_clear_ip FILE: nothing but control protocols and MPPE on the wire.
no_clear_ip() {
    local clear
    clear=$(tshark -r "$1" -Y 'gre && (ppp.protocol == 0x0021 || ppp.protocol == 0x0057) && !mppe' 2>/dev/null | head -n 5)
    [[ -z $clear ]] || { say "IP in clear:"; say "$clear"; return 1; }
}

# roughen GUEST DOWN: from now on its line loses, repeats, delays and reorders what the guest sends; DOWN says in netem's
# words what becomes of what it gets.
roughen() {
    guest_sh "$1" "modprobe -a sch_netem ifb act_mirred cls_matchall sch_ingress 2>/dev/null
        ip link show ifb1 >/dev/null 2>&1 || ip link add ifb1 type ifb
        ip link set ifb1 up
        tc qdisc replace dev eth0 root netem delay 4ms 1ms loss 1% duplicate 1% reorder 3% 50%
        tc qdisc replace dev eth0 ingress
        tc filter replace dev eth0 parent ffff: protocol all pref 1 matchall action mirred egress redirect dev ifb1
        tc qdisc replace dev ifb1 root netem $2" || die "netem in the guest"
}
