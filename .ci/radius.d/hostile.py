#!/usr/bin/python3
"""A RADIUS server with an attacker on its path: hostile.py ADDRESS:PORT SECRET USER PASSWORD SEED

Reads requests with pyrad, a codec of its own, and checks Message-Authenticator and User-Password. Each answer is preceded
by replies that must not count; with a wrong password they are Accepts. Prints a line for each request that is wrong."""
import hashlib, hmac, random, socket, sys
from pyrad.dictionary import Dictionary
from pyrad.packet import AuthPacket

address, secret, user, password, seed = sys.argv[1:6]
secret = secret.encode()
host, port = address.rsplit(":", 1)
server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind((host, int(port)))
elsewhere = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
elsewhere.bind((host, 0))
pick = random.Random(int(seed))


def attribute(number, value):
    return bytes([number, len(value) + 2]) + value


def reply(code, request, attributes=b"", signed=True, key=secret, signature=None):
    """A reply with a right Response Authenticator under `key`."""
    length = (20 + len(attributes) + 18 * signed).to_bytes(2, "big")
    head, before = bytes([code, request[1]]) + length, request[4:20]
    if signed:
        value = hmac.new(key, head + before + attribute(80, bytes(16)) + attributes, "md5").digest()
        attributes = attribute(80, signature or value) + attributes
    return head + hashlib.md5(head + before + attributes + key).digest() + attributes


def changed(octets):
    at = pick.randrange(len(octets))
    return octets[:at] + bytes([octets[at] ^ pick.randrange(1, 256)]) + octets[at + 1:]


def forgeries(request):
    accept = reply(2, request)
    yield reply(2, request, signed=False)                         # what CVE-2024-3596 yields
    yield reply(2, request, attribute(33, b"x"))                  # Proxy-State, which the request had not
    yield reply(2, request, signature=bytes(16))
    yield reply(2, request, attribute(80, bytes(16)))             # two Message-Authenticators
    yield reply(2, request, key=b"guess")
    yield reply(5, request)
    yield accept[:2] + (len(accept) + 1).to_bytes(2, "big") + accept[4:]
    yield reply(2, request, b"\x19\x01")                          # an attribute of length 1
    yield request
    yield bytes(pick.randrange(256) for _ in range(pick.randrange(60)))
    for _ in range(10):
        yield accept[:pick.randrange(len(accept))]
        yield changed(accept)


while True:
    request, client = server.recvfrom(4096)
    try:
        packet = AuthPacket(packet=request, secret=secret, dict=Dictionary())
        if request[20:22] != b"\x50\x12":
            print("the Message-Authenticator is not first", flush=True)
        zeroed = request[:22] + bytes(16) + request[38:]
        if not hmac.compare_digest(hmac.new(secret, zeroed, "md5").digest(), request[22:38]):
            print("the Message-Authenticator is wrong", flush=True)
        if request[0] == 12:
            server.sendto(reply(2, request), client)
            continue
        if packet[1] != [user.encode()]:
            print("another user", packet[1], flush=True)
        is_right = packet.PwDecrypt(packet[2][0]) == password
    except Exception as error:
        print("unreadable:", repr(error), flush=True)
        continue
    replies = list(forgeries(request))
    pick.shuffle(replies)
    for octets in replies:
        server.sendto(octets, client)
    elsewhere.sendto(reply(2, request), client)
    server.sendto(reply(2 if is_right else 3, request), client)
