"""Tries to break `--memory`: one attack after the other on a server that promised so much, while
two good users go on. `script/bench memory [--memory 256M] [--links 1000] [ATTACK ...]`

Prints for each attack what the process held at most, by the kernel's word, and how long the good
users' messages took; exit code 1 where the promise was broken or a good user was not served.
"""

from __future__ import annotations

import argparse
import contextlib
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from socp.bench import processes
from socp.bench.raw_link import RawLink, Refused, masked
from socp.bench.serving import LOG, Server, serving
from socp.crypto.keys import PrivateKey, RsaSuite
from socp.server import sizes
from socp.wire import limits
from socp.wire.errors import Code

LOOK_S: Final = 0.02
TALK_S: Final = 0.1
SMALL_WINDOW: Final = 4096


@dataclass
class Talk:
    """Two good users, each message answered by the next; how long each took, and how many were to
    be said again later."""

    server: Server
    key: PrivateKey
    took_s: list[float] = field(default_factory=list)
    refused: int = 0
    fault: str = ""
    _over: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        try:
            one, other = (RawLink.open(port_of(self.server), self.key) for _ in range(2))
            for user in (one, other):
                user.hello("presence/1")
                user.wait_for("ACK")
            while not self._over.wait(TALK_S):
                began = time.monotonic()
                one.message(other.id, 600)
                try:
                    one.wait_for("ACK")
                except Refused as refusal:
                    if refusal.code != Code.RATE_LIMITED:
                        raise
                    self.refused += 1
                    continue
                other.wait_for("USER_DELIVER")
                self.took_s.append(time.monotonic() - began)
        except OSError as fault:
            self.fault = f"{type(fault).__name__}: {fault}"
            for line in log_of(self.server).splitlines():
                if " left (" in line and any(user in line for user in (one.id, other.id)):
                    self.fault += "; " + line.partition(" left ")[2]

    def end(self) -> None:
        self._over.set()


@dataclass
class Attacker:
    """Opens links as long as the server takes them, and remembers them to be closed."""

    port: int
    key: PrivateKey
    links: int
    sockets: list[socket.socket] = field(default_factory=list)
    refused: int = 0

    def link(self, *features: str, hello: bool = True, reads: bool = False) -> RawLink | None:
        """One more link, or None where it was refused."""
        try:
            made = RawLink.open(self.port, self.key, receive_bytes=0 if reads else SMALL_WINDOW)
            if hello:
                made.hello(*features)
                made.wait_for("ACK")
        except OSError:
            self.refused += 1
            return None
        self.sockets.append(made.socket)
        return made

    def crowd(self, *features: str, hello: bool = True) -> list[RawLink]:
        made = (self.link(*features, hello=hello) for _ in range(self.links))
        return [link for link in made if link is not None]

    def close(self) -> None:
        for each in self.sockets:
            each.close()
        self.sockets.clear()


def push(found: socket.socket, data: bytes) -> None:
    """Send what the other side takes without waiting for it."""
    found.setblocking(False)
    with contextlib.suppress(OSError):
        while data:
            data = data[found.send(data) :]


# --- attacks ------------------------------------------------------------------------------------


def never_read(by: Attacker) -> None:
    """Links that never read, while one author posts to all of them."""
    by.crowd()
    author = by.link(reads=True)
    for _ in range(60):
        if author is None:
            return
        author.post(190 * limits.KIB)
        with contextlib.suppress(Refused):
            author.wait_for("ACK")


def half_open(by: Attacker) -> None:
    """Links that begin the longest frame a stranger may send, and stop before its end."""
    size = limits.FRAME_BYTES_UNIDENTIFIED
    for link in by.crowd(hello=False):
        push(link.socket, masked(b"{" * (size - 1), announced=size))
    time.sleep(2)


def nearly_a_mib(by: Attacker) -> None:
    """Users who send a megabyte less one byte, all at once."""
    size = limits.FRAME_BYTES
    crowd = by.crowd("presence/1")
    for _ in range(20):
        for link in crowd:
            push(link.socket, masked(b"{" * (size - 1), announced=size))
        time.sleep(0.1)


def whole_mib(by: Attacker) -> None:
    """Users who send megabytes of values, whole, all at once."""
    members = b",".join(b'"%06d":{}' % n for n in range(49_000))
    filled = b'{"x":{' + members + b"}," + b'"y":"' + b"y" * 300_000 + b'"}'
    crowd = by.crowd("presence/1")
    for link in crowd:
        push(link.socket, masked(filled))
    time.sleep(5)


def many_ids(by: Attacker) -> None:
    """Hellos of ever new ids, a message of each to somebody who is nowhere."""
    for _ in range(by.links * 5):
        link = by.link("presence/1")
        if link is None:
            continue
        link.message("00000000-0000-4000-8000-000000000000", 100)
        link.socket.close()
        by.sockets.pop()


def to_the_absent(by: Attacker) -> None:
    """Mail of 64 KiB each to users who are away, who then come all at once and do not read."""
    readers = by.crowd("presence/1", "mailbox/1")
    for link in readers:
        link.socket.close()
    author = by.link("presence/1", reads=True)
    if author is None:
        return
    for link in readers[:200]:
        for _ in range(8):
            author.message(link.id, 64 * limits.KIB)
    for link in readers[:200]:
        try:
            again = RawLink.open(by.port, by.key, receive_bytes=SMALL_WINDOW)
        except OSError:
            continue
        again.id = link.id
        again.hello("presence/1", "mailbox/1")
        by.sockets.append(again.socket)
    time.sleep(5)


def slow_bodies(by: Attacker) -> None:
    """HTTP requests whose bodies never end."""
    head = (
        b"POST /api/v1/login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        b"Content-Length: %d\r\n\r\n" % limits.HTTP_BODY_BYTES
    )
    for _ in range(2 * by.links):
        found = socket.create_connection(("127.0.0.1", by.port))
        by.sockets.append(found)
        push(found, head + b" " * (limits.HTTP_BODY_BYTES - 1))
    time.sleep(3)


def not_taken(by: Attacker) -> None:
    """Long messages to users who never read."""
    crowd = by.crowd("presence/1")
    authors = [link for link in (by.link("presence/1", reads=True) for _ in range(8)) if link]
    for turn in range(400):
        for author in authors:
            with contextlib.suppress(OSError):
                author.message(crowd[turn % len(crowd)].id, 700 * limits.KIB)


ATTACKS: Final[tuple[Callable[[Attacker], None], ...]] = (
    never_read,
    half_open,
    nearly_a_mib,
    whole_mib,
    many_ids,
    to_the_absent,
    slow_bodies,
    not_taken,
)


def port_of(server: Server) -> int:
    """Where it listens on 127.0.0.1."""
    return urlsplit(server.url).port or 0


def log_of(server: Server) -> str:
    """All that it said so far."""
    return (server.folder / LOG).read_text()


def attacked(at: Server, attack: Callable[[Attacker], None], links: int, key: PrivateKey) -> str:
    """Carry it out. What was broken, "" for nothing; prints a line."""
    talk = Talk(at, key)
    talking = threading.Thread(target=talk.run)
    by = Attacker(port_of(at), key, links)
    processes.forget_peak(at.pid)
    talking.start()
    began = time.monotonic()
    try:
        attack(by)
    except OSError as fault:
        print(f"  ({attack.__name__} was ended: {fault})")
    talk.end()
    talking.join()
    took, peak = time.monotonic() - began, processes.peak_bytes(at.pid)
    by.close()
    time.sleep(3)
    slowest = max(talk.took_s, default=0.0)
    print(
        f"{attack.__name__:14} {took:6.1f} s   peak {peak / limits.MIB:6.1f} MiB   after"
        f" {at.resident_bytes() / limits.MIB:6.1f}   refused {by.refused:5}"
        f"   good: {len(talk.took_s):4} messages, slowest {slowest * 1000:6.0f} ms,"
        f" {talk.refused} refused {talk.fault}",
        flush=True,
    )
    return talk.fault or ("" if talk.took_s else "nothing was said")


def main() -> int:
    parser = argparse.ArgumentParser(prog="script/bench memory")
    parser.add_argument("--memory", default="256M")
    parser.add_argument("--links", type=int, default=1000)
    parser.add_argument("attacks", nargs="*", metavar="ATTACK")
    asked = parser.parse_args()
    promised, key = sizes.parsed(asked.memory), RsaSuite().generate()
    broken = False
    with (
        tempfile.TemporaryDirectory() as place,
        serving(Path(place), "--memory", asked.memory) as at,
    ):
        print(f"memory {asked.memory}, before: {at.resident_bytes() / limits.MIB:.1f} MiB")
        for attack in ATTACKS:
            if not asked.attacks or attack.__name__ in asked.attacks:
                fault = attacked(at, attack, asked.links, key)
                broken |= bool(fault) or processes.peak_bytes(at.pid) > promised
        print(*(line for line in log_of(at).splitlines() if "ewcomers" in line), sep="\n")
        print(*(line for line in log_of(at).splitlines() if "ERROR" in line), sep="\n")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
