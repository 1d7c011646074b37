"""A network of one's own, in which every look-up and every connection that is tried is counted.

To be run within `unshare --net`: all addresses there lead back to this machine, where one resolver
listens that knows no name.

    python nothing_leaves.py PROGRAM ARGUMENTS...

Runs the program and prints, as JSON, its exit code, the names that were looked up, and how often a
connection was begun or a datagram was sent.
"""

import fcntl
import json
import socket
import struct
import subprocess
import sys
import threading
from pathlib import Path

SET_FLAGS, SET_ADDRESS, SET_MASK = 0x8914, 0x8916, 0x891C  # of an interface, from linux/sockios.h
UP_AND_RUNNING = 0x41
PACKET_INFO = 8  # from linux/in.h


def lead_all_addresses_here() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        fcntl.ioctl(control, SET_FLAGS, struct.pack("16sh14x", b"lo", UP_AND_RUNNING))
        for bit in range(8):  # 128.0.0.0/1 and 64.0.0.0/2 and so on; nothing can be said of all at once
            name, first = f"lo:{bit}".encode(), 1 << bit
            fcntl.ioctl(control, SET_ADDRESS, _request(name, f"{first}.0.0.1"))
            fcntl.ioctl(control, SET_MASK, _request(name, f"{256 - first}.0.0.0"))


def _request(name: bytes, address: str) -> bytes:
    return struct.pack("16sHH4s8x", name, socket.AF_INET, 0, socket.inet_aton(address))


def listen() -> list[str]:
    """The names that are looked up, from now on."""
    names: list[str] = []
    resolver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    resolver.setsockopt(socket.IPPROTO_IP, PACKET_INFO, 1)
    resolver.bind(("0.0.0.0", 53))

    def answer() -> None:
        while True:
            question, ((_, _, to),), _, asker = resolver.recvmsg(512, 64)
            names.append(_name_in(question))
            came_to = (
                socket.IPPROTO_IP,
                PACKET_INFO,
                bytes(4) + to[8:12] + bytes(4),
            )  # it answers from there
            resolver.sendmsg([question[:2] + b"\x81\x83" + question[4:]], [came_to], 0, asker)  # no such name

    threading.Thread(target=answer, daemon=True).start()
    return names


def _name_in(question: bytes) -> str:
    labels, start = [], 12
    while question[start]:
        end = start + 1 + question[start]
        labels.append(question[start + 1 : end].decode())
        start = end
    return ".".join(labels)


def counted() -> tuple[int, int]:
    """Connections that were begun, and datagrams that were sent."""
    found: dict[str, int] = {}
    lines = Path("/proc/net/snmp").read_text().splitlines()
    for head, values in zip(lines[::2], lines[1::2], strict=True):
        kind, *names = head.split()
        found |= {kind + name: int(value) for name, value in zip(names, values.split()[1:], strict=True)}
    return found["Tcp:ActiveOpens"], found["Udp:OutDatagrams"]


def main() -> None:
    lead_all_addresses_here()
    names = listen()
    code = subprocess.run(sys.argv[1:], check=False).returncode
    connections, datagrams = counted()
    answers = len(names)
    print(
        json.dumps(
            {"code": code, "names": names, "connections": connections, "datagrams": datagrams - answers}
        )
    )


if __name__ == "__main__":
    main()
