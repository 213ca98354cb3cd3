#!/usr/bin/perl
# One TCP connection with a file at each end; needs nothing but perl-base.
#   pipe.pl listen|connect ADDRESS PORT <what-to-send >what-came
# Sends standard input, then half-closes; writes what arrives until the other side half-closes.
use strict;
use warnings;
use IO::Socket::INET;

my ($mode, $address, $port) = @ARGV;
my $socket;
if ($mode eq 'listen') {
    my $door = IO::Socket::INET->new(LocalAddr => $address, LocalPort => $port, Listen => 1, ReuseAddr => 1)
        or die "listen: $!\n";
    local $SIG{ALRM} = sub { die "nobody came\n" };
    alarm 60;
    $socket = $door->accept or die "accept: $!\n";
} else {
    for (1 .. 20) {    # the listener may be a moment late
        $socket = IO::Socket::INET->new(PeerAddr => $address, PeerPort => $port, Timeout => 10) and last;
        select undef, undef, undef, 0.25;
    }
    $socket or die "connect: $!\n";
}
alarm 300;
$SIG{ALRM} = sub { die "too slow\n" };
my $child = fork() // die "fork: $!\n";
if (!$child) {
    copy(\*STDIN, $socket);
    shutdown $socket, 1;
    exit 0;
}
copy($socket, \*STDOUT);
waitpid $child, 0;
exit($? ? 1 : 0);

sub copy {
    my ($from, $to) = @_;
    while (1) {
        my $n = sysread $from, my $buf, 65536;
        if (!defined $n) { next if $!{EINTR}; die "read: $!\n" }
        return if $n == 0;
        for (my $off = 0; $off < $n;) {
            my $w = syswrite $to, $buf, $n - $off, $off;
            if (!defined $w) { next if $!{EINTR}; die "write: $!\n" }
            $off += $w;
        }
    }
}
