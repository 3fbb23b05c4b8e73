"""Section 1: the WebSocket, the first frame, the end of a link."""

from __future__ import annotations

import json
from typing import Final

import aiohttp

from socp.conform.expect import LISTS, refused, same
from socp.conform.figures import FIRST_FRAME_S, FRAME_BYTES, FRAME_BYTES_FIRST, KIB
from socp.conform.frames import now_ms
from socp.conform.probe import Probe, Refused, say_first
from socp.conform.reaching import http_origin, ws_origin
from socp.conform.rule import Need, Section
from socp.conform.verdicts import Breach, Dialect, Unjudged

TRANSPORT: Final[Section[Probe]] = Section()
_FOREIGN_ORIGIN: Final = "https://socp-conform.invalid"
_PATHS: Final = ("ws", "chat", "socp-conform")


async def _status(probe: Probe, **headers: str) -> int:
    """The HTTP status of an upgrade with these headers; 101 where it is taken."""
    await probe.world.hellos.turn()
    probe.transcript.sent("somebody", f"GET / upgrade {headers}")
    try:
        async with probe.world.session.ws_connect(probe.world.url, headers=headers):
            return 101
    except aiohttp.WSServerHandshakeError as answer:
        return answer.status
    except (aiohttp.ClientError, OSError) as fault:
        raise Breach(f"no HTTP answer: {fault}") from fault


@TRANSPORT.must(
    "1.1-websocket",
    "an upgrade at / becomes a WebSocket (RFC 6455)",
    "answer GET / with Upgrade: websocket by 101",
)
async def _websocket(probe: Probe) -> None:
    await probe.connect()


@TRANSPORT.should(
    "1.2-any-path",
    "an upgrade is taken at any path (/ws, /chat and others)",
    "do not look at the path of an upgrade",
)
async def _any_path(probe: Probe) -> None:
    for path in _PATHS:
        await probe.connect(url=f"{ws_origin(probe.world.url)}/{path}")


@TRANSPORT.should(
    "1.3-no-compression",
    "permessage-deflate stays off",
    "do not negotiate compression: secrets stand beside text that others choose",
)
async def _no_compression(probe: Probe) -> None:
    world = probe.world
    async with world.session.ws_connect(world.url, compress=15) as socket:
        if socket.compress:
            raise Breach("permessage-deflate was agreed to")


@TRANSPORT.should(
    "1.4-foreign-origin",
    "a page of another origin gets no WebSocket",
    "refuse an upgrade whose Origin is neither your own nor configured (403)",
)
async def _foreign_origin(probe: Probe) -> None:
    if await _status(probe, Origin=_FOREIGN_ORIGIN) == 101:
        raise Breach(f"an upgrade with Origin: {_FOREIGN_ORIGIN} was taken")


@TRANSPORT.should(
    "1.5-foreign-host",
    "a request for a foreign Host gets no WebSocket",
    "refuse a Host that is none of your names: it is how DNS rebinding looks",
)
async def _foreign_host(probe: Probe) -> None:
    if await _status(probe, Host="socp-conform.invalid") == 101:
        raise Breach("an upgrade with Host: socp-conform.invalid was taken")


@TRANSPORT.should(
    "1.6-page-is-no-server",
    "a page of the server's own origin cannot join as a server",
    "refuse the hello of a server on a link that was opened with an Origin (NOT_ALLOWED)",
)
async def _page_is_no_server(probe: Probe) -> None:
    own, who = http_origin(probe.world.url), await probe.identity("page")
    try:
        link = await probe.connect(headers={"Origin": own})
    except Breach as fault:
        raise Unjudged(f"no page of its own origin may connect: {fault}") from fault
    try:
        await probe.linked(link, who)
    except Refused as refusal:
        if refusal.code != "NOT_ALLOWED":
            raise Dialect(f"it refuses with {refusal.code} in place of NOT_ALLOWED") from refusal
        return
    raise Breach("a page joined as a server")


@TRANSPORT.should(
    "1.7-http-beside",
    "plain HTTP is answered on the same port",
    "answer plain requests on the port of the WebSocket: health, web client, API",
)
async def _http_beside(probe: Probe) -> None:
    url = http_origin(probe.world.url) + "/healthz"
    try:
        async with probe.world.session.get(url) as answer:
            probe.transcript.came("HTTP", f"{answer.status} {url}")
            if answer.status >= 500:
                raise Breach(f"GET /healthz is answered by {answer.status}")
    except aiohttp.ClientError as fault:
        raise Breach(f"GET /healthz is not answered: {fault}") from fault


@TRANSPORT.must(
    "1.8-hello-first",
    "a first frame that is no hello ends the link",
    "refuse (NOT_ALLOWED) and close a link whose first frame is not one of section 1's",
)
async def _hello_first(probe: Probe) -> None:
    who = await probe.identity("carol")
    link = await probe.connect()
    await link.say(
        {"type": "LIST_REQUEST", "from": who.id, "to": "*", "ts": now_ms(), "payload": {}}
    )
    await link.ends()


@TRANSPORT.should(
    "1.9-hello-first-says-so",
    "that refusal is an ERROR NOT_ALLOWED, and the close code is 1008",
    "say ERROR NOT_ALLOWED before closing with 1008",
)
async def _hello_first_says_so(probe: Probe) -> None:
    who = await probe.identity("carol")
    link = await probe.connect()
    await say_first(link, who, "HEARTBEAT", {})
    await refused(link, "NOT_ALLOWED")
    same("the close code", await link.ends(), 1008)


@TRANSPORT.must(
    "1.10-silence-ends",
    "a link without a first frame is closed after about 10 s",
    f"close what says nothing for {FIRST_FRAME_S} s",
    waits_s=2 * FIRST_FRAME_S,
)
async def _silence_ends(probe: Probe) -> None:
    link = await probe.connect("silent")
    await link.ends(within_s=2 * FIRST_FRAME_S)


@TRANSPORT.should(
    "1.11-frames-are-objects",
    "everything the server says is a text frame with one JSON object",
    "one JSON object per text frame, UTF-8, without newline framing",
    needs=[Need.USERS],
)
async def _frames_are_objects(probe: Probe) -> None:
    carol = await probe.user("carol")
    await carol.say("LIST_REQUEST", {})
    await carol.link.quiet()
    for frame in (*carol.before, carol.answer, *carol.link.heard):
        if not frame.is_object:
            raise Breach(f"this is no JSON object in a text frame: {frame.text[:80]!r}")


@TRANSPORT.should(
    "1.12-trailing-newline",
    "a newline behind the object is accepted",
    "ignore white space around the object",
    needs=[Need.USERS],
)
async def _trailing_newline(probe: Probe) -> None:
    alice = await probe.alice()
    await alice.link.say_text(json.dumps(alice.frame("LIST_REQUEST", {})) + "\n")
    await alice.link.hears(*LISTS)


@TRANSPORT.must(
    "1.13-close-is-answered",
    "a close frame is answered, and the link ends with 1000",
    "answer a close frame by one (RFC 6455, 5.5.1)",
    needs=[Need.USERS],
)
async def _close_is_answered(probe: Probe) -> None:
    carol = await probe.user("carol")
    await carol.link.say_bytes(b"\x03\xe8", aiohttp.WSMsgType.CLOSE)
    same("the close code", await carol.link.ends(), 1000)


@TRANSPORT.should(
    "1.14-ctrl-close",
    'after {"type":"CTRL_CLOSE"}, which has no envelope, the link ends with 1000',
    "take CTRL_CLOSE without an envelope as a goodbye",
    needs=[Need.USERS],
)
async def _ctrl_close(probe: Probe) -> None:
    carol = await probe.user("carol")
    await carol.link.say_text('{"type":"CTRL_CLOSE"}')
    same("the close code", await carol.link.ends(), 1000)


@TRANSPORT.must(
    "1.15-one-mebibyte",
    "a frame of 900 KiB is read",
    f"take frames of up to {FRAME_BYTES} bytes",
    needs=[Need.USERS],
)
async def _one_mebibyte(probe: Probe) -> None:
    carol = await probe.user("carol")
    await carol.say("LIST_REQUEST", {"x-padding": "x" * (900 * KIB)})
    await carol.link.hears(*LISTS)


@TRANSPORT.must(
    "1.16-over-one-mebibyte",
    "a frame over 1 MiB ends the link with 1009",
    f"close with 1009 what sends more than {FRAME_BYTES} bytes",
    needs=[Need.USERS],
)
async def _over_one_mebibyte(probe: Probe) -> None:
    carol = await probe.user("carol")
    await carol.say("LIST_REQUEST", {"x-padding": "x" * FRAME_BYTES})
    code = await carol.link.ends()
    if code not in (1009, 1006):  # a close frame may be lost where we still write
        raise Breach(f"the link ends with {code}, and should with 1009")


@TRANSPORT.should(
    "1.17-strangers-say-less",
    "a first frame over 64 KiB ends the link",
    f"take {FRAME_BYTES_FIRST} bytes at most before a link is identified (1009)",
)
async def _strangers_say_less(probe: Probe) -> None:
    link = await probe.connect()
    payload = {"client": "x" * FRAME_BYTES_FIRST}
    await link.say({"type": "USER_HELLO", "from": "", "to": "*", "ts": 0, "payload": payload})
    code = await link.ends()
    if code not in (1009, 1006):
        raise Breach(f"the link ends with {code}, and should with 1009")


@TRANSPORT.must(
    "1.18-binary-does-no-harm",
    "a binary message from one user does not disturb another",
    "refuse binary messages on their own link",
    needs=[Need.USERS],
)
async def _binary_does_no_harm(probe: Probe) -> None:
    alice = await probe.alice()
    carol = await probe.user("carol")
    await carol.link.say_bytes(b"\x00\xff\xfe", aiohttp.WSMsgType.BINARY)
    await alice.say("LIST_REQUEST", {})
    await alice.link.hears(*LISTS)
