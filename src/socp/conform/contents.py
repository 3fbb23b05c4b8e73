"""`content/1`: what is sealed inside `hybrid/1` in place of bare text (section 11)."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any, Final

from socp.conform.canonical import canonical
from socp.conform.figures import FRAME_LEVELS, INTEGER_MAX

_RUN: Final = re.compile(r"[0-9a-f]{16}\Z")
_REF: Final = re.compile(r"[A-Za-z0-9_-]{43}\Z")
_PLACE: Final = ("v", "run", "seq", "prev", "first")


class NotContent(ValueError):
    """Why a plaintext is bare text."""


@dataclass(frozen=True, slots=True)
class Content:
    """A message and its place: `seq` in `run`, behind `prev`."""

    kind: str
    run: str
    seq: int
    prev: str
    first: str
    members: dict[str, Any]

    @property
    def said(self) -> bytes:
        """All but its place: equal where it was composed anew."""
        return canonical({n: v for n, v in self.members.items() if n not in _PLACE})


def read_content(plaintext: bytes) -> Content:
    """Raises NotContent. Whether the members fit the kind is not looked at."""
    try:
        members = json.loads(plaintext.decode(), object_pairs_hook=_once)
        canonical(members).decode("ascii")
        json.dumps(members, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as fault:
        raise NotContent("it is no JSON") from fault
    if not isinstance(members, dict) or _levels(members) > FRAME_LEVELS:
        raise NotContent("it is no JSON object of at most 16 levels")
    if members.get("v") != 1 or type(members["v"]) is not int:
        raise NotContent(f"v is {members.get('v')!r:.40}")
    kind, run, seq = members.get("kind"), members.get("run"), members.get("seq")
    if not isinstance(kind, str):
        raise NotContent(f"kind is {kind!r:.40}")
    if not isinstance(run, str) or not _RUN.match(run):
        raise NotContent(f"run is {run!r:.40}, and should be 16 digits of lower-case hex")
    if type(seq) is not int or not 1 <= seq <= INTEGER_MAX:
        raise NotContent(f"seq is {seq!r:.40}")
    return Content(kind, run, seq, _ref(members, "prev"), _ref(members, "first"), members)


def _ref(members: dict[str, Any], name: str) -> str:
    ref = members.get(name, "")
    if not isinstance(ref, str) or (ref and not _REF.match(ref)):
        raise NotContent(f"{name} is {ref!r:.60}, and should be a msg_ref")
    return ref


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        raise NotContent("a member stands twice")
    return members


def _levels(value: object) -> int:
    if isinstance(value, dict):
        value = list(value.values())
    return 1 + max(map(_levels, value), default=0) if isinstance(value, list) else 0


def write_content(kind: str, run: str, seq: int, prev: str = "", **members: Any) -> bytes:
    """As it is sealed."""
    place = {"v": 1, "kind": kind, "run": run, "seq": seq, "prev": prev}
    return canonical({**place, **members})
