"""Whether memory stays where it is while people come and go: users join and talk, half of them are
cut off and come back, ten times over. `python -m socp.bench.comings [--users 1000] [--rounds 10]`

The exit code is 1 where the server holds over a tenth more at the end than after the first round.
"""

from __future__ import annotations

import argparse
import selectors
import socket
import struct
import sys
import time
import uuid
from dataclasses import dataclass, field
from typing import Final

from socp.bench.memory import Target, target
from socp.bench.raw_link import RawLink
from socp.crypto.keys import PrivateKey, RsaSuite
from socp.wire import limits

ALLOWED: Final = 1.1
FEATURES: Final = ("presence/1", "fast-sig/1", "bind/1")
PATIENCE_S: Final = 120
_AT_ONCE: Final = 50


@dataclass
class Crowd:
    """Users who read whatever comes, and look at none of it."""

    at: Target
    key: PrivateKey
    ids: list[str]
    links: dict[str, RawLink] = field(default_factory=dict)
    _reading: selectors.BaseSelector = field(default_factory=selectors.DefaultSelector)
    _heard: int = 0

    def come(self) -> None:
        """All who are not here."""
        for number, user_id in enumerate(self.ids):
            if user_id not in self.links:
                link = RawLink.open(self.at.port, self.key)
                link.id = user_id
                link.hello(*FEATURES)
                link.wait_for("ACK")
                self.links[user_id] = link
                self._reading.register(link.socket, selectors.EVENT_READ)
            if number % _AT_ONCE == 0:
                self.read(0)

    def talk(self) -> None:
        """Each says something to the next, and all of it arrives."""
        before = self._heard
        here = list(self.links.values())
        for number, link in enumerate(here):
            link.message(here[number - 1].id, 600)
            if number % _AT_ONCE == 0:
                self.read(0)
        end = time.monotonic() + PATIENCE_S
        while self._heard - before < 2 * len(here):  # each is acknowledged and delivered
            if time.monotonic() > end:
                raise RuntimeError(f"{self._heard - before} of {2 * len(here)} frames came")
            self.read(0.05)

    def cut(self) -> None:
        """Half of them lose their network."""
        for user_id in self.ids[::2]:
            link = self.links.pop(user_id)
            self._reading.unregister(link.socket)
            hard = struct.pack("ii", 1, 0)  # a reset, and no goodbye
            link.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, hard)
            link.socket.close()

    def leave(self) -> None:
        for link in self.links.values():
            self._reading.unregister(link.socket)
            link.socket.close()
        self.links.clear()

    def read(self, seconds: float) -> None:
        for key, _ in self._reading.select(seconds):
            found = key.fileobj
            assert isinstance(found, socket.socket)
            data = found.recv(1 << 16)
            if not data:
                raise RuntimeError("somebody was cut off")
            self._heard += data.count(b'"type":"USER_DELIVER"') + data.count(b'"type":"ACK"')


def main() -> int:
    parser = argparse.ArgumentParser(prog="socp.bench.comings")
    parser.add_argument("--users", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--memory", default="1G")
    asked = parser.parse_args()
    with target(asked.memory) as at:
        ids = [str(uuid.uuid4()) for _ in range(asked.users)]
        crowd = Crowd(at, RsaSuite().generate(), ids)
        held: list[int] = []
        print(f"before: {at.resident() / limits.MIB:.1f} MiB", flush=True)
        for number in range(asked.rounds):
            began = time.monotonic()
            crowd.come()
            crowd.talk()
            crowd.cut()
            crowd.come()
            crowd.talk()
            held.append(at.resident())
            took = time.monotonic() - began
            each = held[-1] / asked.users / limits.KIB
            print(
                f"round {number + 1:2}: {held[-1] / limits.MIB:6.1f} MiB, {each:.1f} KiB a user,"
                f" {took:.0f} s",
                flush=True,
            )
            crowd.cut()
        crowd.leave()
    print(f"the last : the first = {held[-1] / held[0]:.3f} (at most {ALLOWED})")
    return 0 if held[-1] <= ALLOWED * held[0] else 1


if __name__ == "__main__":
    sys.exit(main())
