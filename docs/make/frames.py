"""What both pages of frames are made from: the payload classes, the routes of the two brains, and
the examples in vectors/wire/frames.json."""

from __future__ import annotations

import inspect
import json
import sys
from pathlib import Path
from typing import Any

import msgspec

from socp.crypto.symbolic import SymbolicSuite
from socp.member import records
from socp.member.member import Member
from socp.member.profile import Profile
from socp.node.links import Stage
from socp.node.node import Node
from socp.node.records import Remembered
from socp.node.settings import Settings
from socp.wire import payloads
from socp.wire.addresses import HostPort
from socp.wire.part import Part, Payload

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "vectors/wire/frames.json"

TO_SERVER, BETWEEN, TO_USER = "user to server", "server to server", "server to user"
WAYS = (TO_SERVER, BETWEEN, TO_USER)

Ways = dict[type[Payload], dict[str, str]]
"""Of each frame, on which ways it is taken, and what is to be known of that."""


def ways() -> Ways:
    """As the routes of `node` and `member` say it."""
    suite = SymbolicSuite(1)
    key = suite.generate()
    settings = Settings("5e44e400-0000-4000-8000-000000000004", HostPort("localhost", 8001))
    node = Node(settings, suite, key.public, Remembered()).takes()
    profile = Profile("a11ce000-0000-4000-8000-000000000001", "Alice", "docs", "ws://localhost")
    member = Member(profile, suite, key, records.Remembered()).takes()
    found: Ways = {kind: {} for kind in payloads.KINDS}
    for kind, row in found.items():
        server_hello = issubclass(kind, payloads.ServerHello)
        if kind in node[Stage.FRESH] and not server_hello:
            row[TO_SERVER] = "first frame"
        if kind in node[Stage.FRESH] and server_hello:
            row[BETWEEN] = "first frame, or later" if kind in node[Stage.SERVER] else "first frame"
        if kind in node[Stage.USER]:
            row[TO_SERVER] = ""
        if kind in node[Stage.SERVER]:
            row.setdefault(BETWEEN, "")
        if kind in node[Stage.DIALLED]:
            row.setdefault(BETWEEN, "to whoever dialled")
        if kind in node[Stage.CHALLENGED]:
            row.setdefault(TO_SERVER, "from whoever dialled")
            row.setdefault(BETWEEN, "from whoever dialled")
        if kind in member:
            row[TO_USER] = ""
        if kind is payloads.CtrlClose:
            row.update(dict.fromkeys(WAYS, "before closing"))
    return found


def said_ways(row: dict[str, str]) -> str:
    return ", ".join(f"{way} ({row[way]})" if row[way] else way for way in WAYS if way in row)


def own_text(thing: type) -> str:
    """Its docstring as one paragraph, "" where it has none of its own."""
    return " ".join(inspect.cleandoc(vars(thing).get("__doc__") or "").split())


def parts(kinds: tuple[type[Part], ...]) -> list[type[Part]]:
    """The objects inside the payloads, in the order in which they are met."""
    _, defined = msgspec.json.schema_components(kinds, ref_template="{name}")
    return [getattr(payloads, name) for name in defined if not is_frame(getattr(payloads, name))]


def is_frame(kind: type[Part]) -> bool:
    return kind in payloads.KINDS


def example_frames() -> dict[str, dict[str, Any]]:
    """By type, the frames on file without their "why"."""
    cases = json.loads(EXAMPLES.read_text(encoding="utf-8"))["cases"]
    missing = {kind.TYPE for kind in payloads.KINDS} - {case["type"] for case in cases}
    if missing:
        sys.exit(f"{EXAMPLES.relative_to(ROOT)} lacks an example of {', '.join(sorted(missing))}")
    return {case["type"]: {n: v for n, v in case.items() if n != "why"} for case in cases}
