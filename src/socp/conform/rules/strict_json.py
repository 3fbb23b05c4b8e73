"""Section 2, strict JSON: what two parsers could read in two ways is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Final

import aiohttp

from socp.conform.expect import LISTS
from socp.conform.figures import FRAME_LEVELS, FRAME_VALUES, INTEGER_MAX
from socp.conform.peers import Peer
from socp.conform.probe import Probe
from socp.conform.rule import Need, Section
from socp.conform.verdicts import Breach, Dialect

STRICT: Final[Section[Probe]] = Section(needs=(Need.USERS,))
Spoil = Callable[[str], str]


def nested(levels: int) -> list[Any]:
    """Lists in lists."""
    value: list[Any] = []
    for _ in range(levels - 1):
        value = [value]
    return value


_SPOILT: Final[dict[str, tuple[str, Spoil]]] = {
    "2.20-no-json": ("a text that is no JSON", lambda text: text[:-1]),
    "2.21-no-object": ("a JSON text that is no object", lambda text: f"[{text}]"),
    "2.22-duplicate-member": (
        "a frame with a member twice",
        lambda text: text[:-1] + ',"type":"LIST_REQUEST"}',
    ),
    "2.23-duplicate-in-payload": (
        "a payload with a member twice",
        lambda text: text.replace('"payload": {', '"payload": {"a": 1, "a": 2, '),
    ),
    "2.24-nan": ("NaN", lambda text: text.replace('"x": 0', '"x": NaN')),
    "2.25-infinity": ("Infinity", lambda text: text.replace('"x": 0', '"x": Infinity')),
    "2.26-fraction-ts": (
        "a ts with a fraction",
        lambda text: text.replace(', "payload"', '.5, "payload"'),
    ),
    "2.27-exponent-ts": (
        "a ts with an exponent",
        lambda text: text.replace(', "payload"', 'e0, "payload"'),
    ),
    "2.28-huge-number": (
        "a number over 2^53 - 1",
        lambda text: text.replace('"x": 0', f'"x": {INTEGER_MAX + 1}'),
    ),
    "2.29-seventeen-levels": (
        "17 levels",
        lambda text: text.replace('"x": 0', f'"x": {json.dumps(nested(FRAME_LEVELS - 1))}'),
    ),
    "2.30-lone-surrogate": (
        "a lone surrogate",
        lambda text: text.replace('"x": 0', '"x": "\\ud800"'),
    ),
    "2.31-too-many-values": (
        f"more than {FRAME_VALUES} values",
        lambda text: text.replace('"x": 0', f'"x": {[0] * (FRAME_VALUES + 1)}'),
    ),
    "2.32-payload-no-object": (
        "a payload that is a list",
        lambda text: text.replace('"payload": {"x": 0}', '"payload": []'),
    ),
    "2.33-no-type": ("a frame without type", lambda text: text.replace('"type"', '"typ"')),
    "2.34-ts-text": (
        "a ts that is a text",
        lambda text: text.replace('"ts": ', '"ts": "').replace(', "payload"', '", "payload"'),
    ),
    "2.35-no-to": ("a frame without to", lambda text: text.replace('"to"', '"t"')),
}


def _strict(rule_id: str, what: str, spoil: Spoil) -> None:
    level = STRICT.must if "duplicate" in rule_id or "no-" in rule_id else STRICT.should

    @level(
        rule_id,
        f"{what} is refused as BAD_FRAME",
        "parse strictly: what two parsers may read in two ways is BAD_FRAME, named",
    )
    async def _refused(probe: Probe) -> None:
        alice = await probe.alice()
        text = json.dumps(alice.frame("LIST_REQUEST", {"x": 0}))
        await alice.link.fault_turn()
        await alice.link.say_text(spoil(text))
        await _or_list(alice)


for _id, (_what, _spoil) in _SPOILT.items():
    _strict(_id, _what, _spoil)


async def _or_list(peer: Peer) -> None:
    """BAD_FRAME must come; a list says that the frame was taken."""
    came = await peer.link.hears("ERROR", *LISTS)
    if came.type in LISTS:
        raise Breach("it was taken as good, and answered by a list")
    code = came.get("code")
    if code != "BAD_FRAME":
        raise Dialect(f"it refuses with {code} in place of BAD_FRAME")


@STRICT.should(
    "2.36-broken-utf8",
    "a text frame that is no UTF-8 is refused, or ends its link with 1007",
    "refuse broken UTF-8 (RFC 6455, 8.1)",
)
async def _broken_utf8(probe: Probe) -> None:
    carol = await probe.user("carol")
    text = json.dumps(carol.frame("LIST_REQUEST", {"x": "?"})).encode()
    await carol.link.say_bytes(text.replace(b"?", b"\xff"), aiohttp.WSMsgType.TEXT)
    try:
        came = await carol.link.hears("ERROR", *LISTS)
    except Breach:
        if carol.link.close_code is None:
            raise
        return
    if came.type in LISTS:
        raise Breach("it was taken as good, and answered by a list")


@STRICT.should(
    "2.37-names-the-place",
    "the detail of BAD_FRAME names the member that is wrong",
    "say in detail what is wrong and where",
)
async def _names_the_place(probe: Probe) -> None:
    alice = await probe.alice()
    await alice.link.fault_turn()
    await alice.link.say({**alice.frame("LIST_REQUEST", {}), "ts": "now"})
    error = await alice.link.hears("ERROR")
    if "ts" not in str(error.get("detail")):
        raise Breach(f"a ts that is a text is refused by {error.gist()}")


@STRICT.should(
    "2.38-bad-frame-stays",
    "the link of a user stays up after BAD_FRAME",
    "do not close the link of a known peer over one frame",
)
async def _bad_frame_stays(probe: Probe) -> None:
    carol = await probe.user("carol")
    await carol.link.say_text("{")
    await carol.say("LIST_REQUEST", {})
    await carol.link.hears(*LISTS)
