# Debian's pptpd in a guest on the WAN: the foreign server, and proof that the network here is sound.
# shellcheck shell=bash

# pptpd_up GUEST OPTION...: pppd's options decide what it asks of its callers.
#
# Its socket gets room for more than the 90 packets of the default: pptpd in a guest is slow, adit sends the segments of a
# 64 KiB write in one burst, and after a packet that found no room pptpd holds back what follows for seconds.
pptpd_up() {
    local name=$1; shift
    guest "$name" sysctl -qw net.core.rmem_default=8388608
    guest_sh "$name" 'if [ -e /run/pptpd.pid ]; then
            old=$(cat /run/pptpd.pid); kill "$old"; while kill -0 "$old"; do sleep 0.1; done
        fi 2>/dev/null; rm -f /run/pptpd.pid /tmp/pppd*.log
        echo "alice server secret12 *
bob server hunter2hunter2 *" >/etc/ppp/chap-secrets; cp /etc/ppp/chap-secrets /etc/ppp/pap-secrets'
    printf '%s\n' "name server" nobsdcomp nodeflate novj "mtu 1400" "mru 1400" "ms-dns 192.168.10.5" \
        debug "logfile /tmp/pppd.log" "$@" | vm exec "$name" -- sh -c 'cat >/etc/ppp/pptpd-options'
    guest_sh "$name" "printf '%s\n' 'option /etc/ppp/pptpd-options' 'localip 10.88.0.1' \
        'remoteip 10.88.0.10-30' 'listen $wan_foreign' >/etc/pptpd.conf; exec pptpd -p /run/pptpd.pid"
    # It goes to the background before it listens. 06BB is port 1723, 0A is LISTEN.
    wait_for 10 guest "$name" grep -q ':06BB 00000000:0000 0A' /proc/net/tcp || die "pptpd does not listen on $name"
}

ms_chap_v2=(refuse-pap refuse-chap refuse-mschap require-mschap-v2)

case_foreign_pair() {   # the lab itself: two foreign clients behind one NAT
    boot fs wan "$wan_foreign"
    boot c1 lan 192.168.7.11
    boot c2 lan 192.168.7.12
    pptpd_up fs "${ms_chap_v2[@]}" require-mppe-128 nomppe-stateful
    dial c1 "$wan_foreign" alice secret12 require-mppe-128 nomppe-stateful || return 1
    dial c2 "$wan_foreign" bob hunter2hunter2 require-mppe-128 nomppe-stateful || return 1
    learnt c1; learnt c2
    exchange guest:c1 guest:fs 10.88.0.1 5001 2 & local first=$!
    exchange guest:c2 guest:fs 10.88.0.1 5002 2 || return 1
    wait "$first" || return 1
    hang_up c1; hang_up c2
}
