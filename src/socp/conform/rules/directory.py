"""Sections 10, 12 and 13: the directory and labels, limits, and other names of frames."""

from __future__ import annotations

import secrets
from typing import Any, Final

import aiohttp

from socp.conform import preimages
from socp.conform.expect import LISTS, same, text_of
from socp.conform.figures import UUID4
from socp.conform.frames import Frame
from socp.conform.keys import NotAKey, read_key
from socp.conform.peers import message
from socp.conform.probe import Probe
from socp.conform.reaching import http_origin
from socp.conform.rule import Need, Section
from socp.conform.rules.link_auth import challenged
from socp.conform.rules.users import key_of
from socp.conform.verdicts import Breach, Unjudged

DIRECTORY: Final[Section[Probe]] = Section(needs=(Need.USERS,))
LIMITS: Final[Section[Probe]] = Section(needs=(Need.USERS,))
DIALECTS: Final[Section[Probe]] = Section(needs=(Need.USERS,))
_BURST: Final = 60


@DIRECTORY.should(
    "10.1-directory-sig",
    "PUBKEY_RESPONSE has a directory_sig that verifies under the server's key",
    'sign "socp-directory/1" || user_id || fingerprint || version by PSS',
)
async def _directory_sig(probe: Probe) -> None:
    alice, bob = await probe.alice(), await probe.bob()
    answer = await key_of(alice, bob.id)
    _directory_holds(alice.server_key.signed, answer.payload, bob.id)


def _directory_holds(signed: Any, answer: dict[str, Any], user_id: str) -> None:
    try:
        fingerprint = read_key(answer.get("pubkey")).fingerprint
    except NotAKey as fault:
        raise Breach(f"its pubkey: {fault}") from fault
    version = answer.get("version")
    if type(version) is not int:
        raise Breach(f"version is {version!r:.40}")
    text = preimages.directory(user_id, fingerprint, version)
    if not signed(str(answer.get("directory_sig")), text):
        raise Breach("directory_sig does not verify")


@DIRECTORY.must(
    "10.2-no-meta",
    "a hello without meta is taken",
    "meta is optional, all of it",
)
async def _no_meta(probe: Probe) -> None:
    await probe.user("carol")


@DIRECTORY.must(
    "10.3-unknown-meta",
    "unknown and odd members of meta are taken",
    "meta is labels: never let routing or admission depend on it",
)
async def _unknown_meta(probe: Probe) -> None:
    await probe.user("carol", meta={"display_name": "Carol", "extras": {"x": [1]}, "x-conform": 1})


@DIRECTORY.must(
    "10.4-same-name",
    "two users may have one display_name",
    "labels are no identities: do not refuse a name that somebody has",
)
async def _same_name(probe: Probe) -> None:
    name = {"display_name": "socp conform"}
    await probe.user("carol", meta=name)
    await probe.user("dora", meta=name)


@DIRECTORY.should(
    "10.5-display-name",
    "others hear the display_name, in meta of USER_ADVERTISE",
    "pass meta.display_name on",
)
async def _display_name(probe: Probe) -> None:
    alice, name = await probe.alice(), f"Carol {secrets.token_hex(3)}"
    carol = await probe.user("carol", meta={"display_name": name})

    def says_so(frame: Frame) -> bool:
        meta = frame.get("meta")
        named = meta.get("display_name") if isinstance(meta, dict) else None
        return frame.get("user_id") == carol.id and named == name

    await alice.link.hears("USER_ADVERTISE", where=says_so)


@DIRECTORY.must(
    "10.6-name-does-not-route",
    "a user who takes another's name gets none of their messages",
    "route by user_id alone",
)
async def _name_does_not_route(probe: Probe) -> None:
    alice, bob = await probe.alice(), await probe.bob()
    carol = await probe.user("carol", meta={"display_name": bob.id})
    said = message(alice.who, bob.id, bob.who.key.public)
    await alice.say("MSG_DIRECT", said.payload, to=bob.id, ts=said.ts)
    await bob.link.hears("USER_DELIVER", where=said.is_delivered_by)
    await carol.link.quiet("USER_DELIVER")


async def _get(probe: Probe, path: str) -> tuple[int, dict[str, Any]]:
    """The status and the JSON object at a path of the server's HTTP side."""
    url = http_origin(probe.world.url) + path
    probe.transcript.sent("HTTP", f"GET {path}")
    try:
        async with probe.world.session.get(url) as answer:
            body = await answer.text()
            probe.transcript.came("HTTP", f"{answer.status} {body}")
    except aiohttp.ClientError as fault:
        raise Unjudged(f"it answers no HTTP there: {fault}") from fault
    members = Frame.read(body).members
    return answer.status, members


async def _known(probe: Probe) -> dict[str, Any]:
    """What /.well-known/socp says. Raises Unjudged where the server has none."""
    status, members = await _get(probe, "/.well-known/socp")
    if status != 200:
        raise Unjudged(f"GET /.well-known/socp is answered by {status}: it has no HTTP API")
    return members


@DIRECTORY.extension(
    "10.10-well-known",
    "GET /.well-known/socp says who the server is",
    "answer by {server_id, ...} of the same server",
)
async def _well_known(probe: Probe) -> None:
    members = await _known(probe)
    if UUID4.match(str(members.get("server_id"))) is None:
        raise Breach(f"server_id is {members.get('server_id')!r:.60}")
    same("server_id", members.get("server_id"), (await probe.alice()).server_id)


@DIRECTORY.extension(
    "10.11-user-over-http",
    "GET /api/v1/users/ID says the user's key, signed by the directory",
    "answer by {user_id, pubkey, version, directory_sig}",
)
async def _user_over_http(probe: Probe) -> None:
    await _known(probe)
    alice, bob = await probe.alice(), await probe.bob()
    status, members = await _get(probe, f"/api/v1/users/{bob.id}")
    same("the status", status, 200)
    _directory_holds(alice.server_key.signed, members, bob.id)


@DIRECTORY.extension(
    "10.12-http-nobody",
    "GET /api/v1/users/ID of nobody is 404, with code and detail",
    "answer by 404 {code, detail}",
)
async def _http_nobody(probe: Probe) -> None:
    await _known(probe)
    who = await probe.identity("nobody")
    status, members = await _get(probe, f"/api/v1/users/{who.id}")
    same("the status", status, 404)
    text_of(Frame("", {"type": "the answer", "payload": members}), "code")


# --- limits -------------------------------------------------------------------------------------


@LIMITS.should(
    "12.1-burst",
    f"{_BURST} frames at once are answered",
    "let a user's link say 120 frames at once and 30 a second after that",
)
async def _burst(probe: Probe) -> None:
    carol = await probe.user("carol")
    members = carol.frame("LIST_REQUEST", {})
    for _ in range(_BURST):
        await carol.link.say(members)
    for _ in range(_BURST):
        came = await carol.link.hears(*LISTS, "ERROR")
        if came.type == "ERROR":
            raise Breach(f"among them: {came.gist()}")


@LIMITS.must(
    "12.2-no-proof-in-time",
    "who is challenged and sends no AUTH_PROOF is closed after about 10 s",
    "bound the time to AUTH_PROOF as that to the first frame",
    feature="link-auth/1",
    waits_s=20,
)
async def _no_proof(probe: Probe) -> None:
    link, _, _ = await challenged(probe, "slow")
    await link.ends(within_s=20)


# --- other names --------------------------------------------------------------------------------


def _list_name(rule_id: str, kind: str) -> None:
    @DIALECTS.should(
        rule_id,
        f"{kind} is taken as LIST_REQUEST",
        "take the other names of section 13",
    )
    async def _taken(probe: Probe) -> None:
        alice = await probe.alice()
        await alice.say(kind, {})
        came = await alice.link.hears(*LISTS, "ERROR")
        if came.type == "ERROR":
            raise Breach(f"it is answered by {came.gist()}")


for _id, _kind in {
    "13.1-user-list-req": "USER_LIST_REQ",
    "13.2-user-list-request": "USER_LIST_REQUEST",
    "13.3-cmd-list": "CMD_LIST",
    "13.4-list": "LIST",
    "13.5-ctrl-list": "CTRL_LIST",
    "13.6-who": "WHO",
}.items():
    _list_name(_id, _kind)


@DIALECTS.should(
    "13.7-get-pubkey",
    "GET_PUBKEY is taken as PUBKEY_REQUEST",
    "take the other names of section 13",
)
async def _get_pubkey(probe: Probe) -> None:
    alice, bob = await probe.alice(), await probe.bob()
    await alice.say("GET_PUBKEY", {"user_id": bob.id})
    came = await alice.link.hears("PUBKEY_RESPONSE", "ERROR")
    if came.type == "ERROR":
        raise Breach(f"it is answered by {came.gist()}")
