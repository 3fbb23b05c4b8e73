"""Section 11: `presence/1`, presence for clients that ask."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from socp.conform.cast import new_id
from socp.conform.expect import LISTS, list_of, of_user, refused, same
from socp.conform.figures import LIST_PAGE, WATCHED
from socp.conform.frames import Frame
from socp.conform.peers import Peer, message
from socp.conform.probe import Probe
from socp.conform.rule import Need, Section
from socp.conform.verdicts import Breach, Unjudged

WATCHING: Final[Section[Probe]] = Section(needs=(Need.USERS,), feature="presence/1")
_WATCHES: Final = ("presence/1",)
_NEWS: Final = ("USER_ADVERTISE", "USER_REMOVE")
_FIRST_ID: Final = "00000000-0000-4000-8000-000000000000"
_NEVER_SEEN: Final = "5eed5eed-0000-4000-8000-{:012x}"
_TRIES: Final = 6


async def watcher(probe: Probe) -> Peer:
    """A user with `presence/1`."""
    wanda = await probe.user("wanda", features=_WATCHES)
    if "presence/1" not in wanda.features:
        raise Unjudged("the ACK of a hello with presence/1 does not announce it")
    return wanda


async def _asks(wanda: Peer, users: Iterable[str]) -> None:
    await wanda.say("PRESENCE_WATCH", {"users": list(users)}, to=wanda.server_id)


async def _hears_of(wanda: Peer, user_id: str) -> Frame:
    return await wanda.link.hears(*_NEWS, where=of_user(user_id))


async def _watching(probe: Probe, *users: str) -> Peer:
    """A user who watches alice and these, and was answered for alice. Raises Unjudged where
    watching is not known there at all."""
    alice, wanda = await probe.alice(), await watcher(probe)
    await _asks(wanda, (alice.id, *users))
    try:
        await _hears_of(wanda, alice.id)
    except Breach as fault:
        raise Unjudged("PRESENCE_WATCH is not answered: see 11.111-watch-online") from fault
    return wanda


async def _left(probe: Probe) -> str:
    """The id of somebody who was here a moment ago."""
    alice, carol = await probe.alice(), await probe.user("carol")
    await alice.link.hears("USER_ADVERTISE", where=of_user(carol.id))
    await carol.link.close()
    await alice.link.hears("USER_REMOVE", where=of_user(carol.id))
    return carol.id


# --- PRESENCE_WATCH -----------------------------------------------------------------------------


@WATCHING.extension(
    "11.110-no-flood",
    "after its ACK a client with presence/1 hears of nobody",
    "send neither the flood of USER_ADVERTISE nor who comes and goes before it asks",
)
async def _no_flood(probe: Probe) -> None:
    await probe.alice()
    wanda = await watcher(probe)
    await _left(probe)
    for frame in wanda.before:
        if frame.type in _NEWS:
            raise Breach(f"{frame.type} came before the ACK")
    await wanda.link.quiet(*_NEWS)


@WATCHING.extension(
    "11.111-watch-online",
    "PRESENCE_WATCH is answered by the USER_ADVERTISE of who is online, as their server said it",
    "answer PRESENCE_WATCH {users} for each of them at once",
)
async def _watch_online(probe: Probe) -> None:
    alice, wanda = await probe.alice(), await watcher(probe)
    await _asks(wanda, [alice.id])
    advert = await _hears_of(wanda, alice.id)
    same("the answer for who is online", advert.type, "USER_ADVERTISE")
    same("from", advert.members.get("from"), alice.server_id)
    same("server_id", advert.get("server_id"), alice.server_id)


@WATCHING.extension(
    "11.112-watch-away",
    "who is away is answered for by USER_REMOVE",
    "send the last USER_REMOVE of who is not online, or one of your own",
    rests_on="11.111-watch-online",
)
async def _watch_away(probe: Probe) -> None:
    carol = await _left(probe)
    wanda = await _watching(probe, carol)
    same("the answer for who is away", (await _hears_of(wanda, carol)).type, "USER_REMOVE")


@WATCHING.extension(
    "11.113-watch-unknown",
    "somebody whom the server never heard of is answered for too, by its own USER_REMOVE",
    "answer for every id of the list: the client waits for it",
    rests_on="11.111-watch-online",
)
async def _watch_unknown(probe: Probe) -> None:
    nobody = new_id()
    wanda = await _watching(probe, nobody)
    removal = await _hears_of(wanda, nobody)
    same("the answer for somebody unknown", removal.type, "USER_REMOVE")
    same("from", removal.members.get("from"), wanda.server_id)
    same("server_id", removal.get("server_id"), wanda.server_id)


@WATCHING.extension(
    "11.114-only-asked",
    "nobody is told of who was not asked about",
    "answer for those in the list alone, at once and later",
    rests_on="11.111-watch-online",
)
async def _only_asked(probe: Probe) -> None:
    wanda = await _watching(probe)
    alice = (await probe.alice()).id
    await _left(probe)
    await wanda.link.quiet(*_NEWS, where=lambda frame: frame.get("user_id") != alice)


@WATCHING.extension(
    "11.115-change-told",
    "who is watched is told of when they come, and when they leave",
    "send USER_ADVERTISE and USER_REMOVE of who is watched as it happens",
    rests_on="11.111-watch-online",
)
async def _change_told(probe: Probe) -> None:
    gone = await _left(probe)
    wanda = await _watching(probe, gone)
    await _hears_of(wanda, gone)
    carol = await probe.user("carol")
    await wanda.link.hears("USER_ADVERTISE", where=of_user(carol.id))
    await carol.link.close()
    await wanda.link.hears("USER_REMOVE", where=of_user(carol.id))


@WATCHING.extension(
    "11.116-watch-replaces",
    "a list takes the place of the last one: who is not in it is told of no more",
    "replace the link's list by each PRESENCE_WATCH, do not add to it",
    rests_on="11.111-watch-online",
)
async def _watch_replaces(probe: Probe) -> None:
    bob, gone = await probe.bob(), await _left(probe)
    wanda = await _watching(probe, gone)
    await _hears_of(wanda, gone)
    await _asks(wanda, [bob.id])
    await _hears_of(wanda, bob.id)
    await _left(probe)
    await wanda.link.quiet(*_NEWS, where=of_user(gone))


@WATCHING.extension(
    "11.117-watch-ends",
    "[] ends it",
    "take an empty list as one of nobody",
    rests_on="11.111-watch-online",
)
async def _watch_ends(probe: Probe) -> None:
    gone = await _left(probe)
    wanda = await _watching(probe, gone)
    await _hears_of(wanda, gone)
    await _asks(wanda, [])
    await _answers(wanda)
    await _left(probe)
    await wanda.link.quiet(*_NEWS, where=of_user(gone))


async def _answers(wanda: Peer) -> None:
    """What was said on this link before is done: a question behind it is answered."""
    await wanda.say("PUBKEY_REQUEST", {"user_id": wanda.id}, to=wanda.server_id)
    answer = await wanda.link.hears("PUBKEY_RESPONSE", "ERROR")
    if answer.type == "ERROR":
        raise Breach(f"the list was refused: {answer.gist()}")


@WATCHING.extension(
    "11.118-watch-ends-with-link",
    "a watch ends with its link",
    "forget the list of a link that ended",
    rests_on="11.111-watch-online",
)
async def _ends_with_link(probe: Probe) -> None:
    gone = await _left(probe)
    wanda = await _watching(probe, gone)
    await wanda.link.close()
    wanda = await watcher(probe)
    await _left(probe)
    await wanda.link.quiet(*_NEWS)


@WATCHING.extension(
    "11.119-watch-thousand",
    f"a list of {WATCHED:,} ids is taken",
    f"take up to {WATCHED:,} ids in one PRESENCE_WATCH",
    rests_on="11.111-watch-online",
)
async def _watch_thousand(probe: Probe) -> None:
    alice, wanda = await probe.alice(), await watcher(probe)
    nobody = [_NEVER_SEEN.format(number) for number in range(WATCHED - 1)]
    await _asks(wanda, [alice.id, *nobody])
    came = await wanda.link.hears("ERROR", "USER_ADVERTISE")
    await _asks(wanda, [])  # the other answers cost the server a signature each
    if came.type == "ERROR":
        raise Breach(f"it was refused: {came.gist()}")
    await _answers(wanda)


async def _refused_watch(probe: Probe, users: list[Any]) -> None:
    """BAD_FRAME must answer this list, and nobody of it be watched."""
    alice, wanda = await probe.alice(), await watcher(probe)
    await wanda.link.fault_turn()
    await _asks(wanda, [alice.id, *users])
    came = await wanda.link.hears("ERROR", *_NEWS)
    if came.type != "ERROR":
        await _asks(wanda, [])
        raise Breach(f"it was answered by {came.gist()}")
    same("the code", came.get("code"), "BAD_FRAME")


@WATCHING.extension(
    "11.120-watch-too-many",
    f"a list of more than {WATCHED:,} ids is refused (BAD_FRAME), and nothing of it answered",
    f"refuse the whole frame where it has more than {WATCHED:,} ids",
)
async def _too_many(probe: Probe) -> None:
    await _refused_watch(probe, [_NEVER_SEEN.format(number) for number in range(WATCHED)])


@WATCHING.extension(
    "11.121-watch-bad-id",
    "a list with what is no id is refused (BAD_FRAME)",
    "check each id of the list",
)
async def _bad_id(probe: Probe) -> None:
    await _refused_watch(probe, ["nobody"])


@WATCHING.extension(
    "11.122-watch-unannounced",
    "PRESENCE_WATCH of a client that did not announce presence/1 is refused (UNKNOWN_TYPE)",
    "answer by UNKNOWN_TYPE where presence/1 is not spoken on the link",
)
async def _unannounced(probe: Probe) -> None:
    alice = await probe.alice()
    await alice.says_wrong("PRESENCE_WATCH", {"users": []}, to=alice.server_id)
    await refused(alice.link, "UNKNOWN_TYPE")


@WATCHING.extension(
    "11.123-messages-unasked",
    "it gets its messages without asking for their author",
    "presence/1 holds back presence alone: mail, posts and keys come as ever",
)
async def _messages_unasked(probe: Probe) -> None:
    alice, wanda = await probe.alice(), await watcher(probe)
    said = message(alice.who, wanda.id, wanda.who.key.public)
    await alice.say("MSG_DIRECT", said.payload, to=wanda.id, ts=said.ts)
    await wanda.link.hears("USER_DELIVER", where=said.is_delivered_by)


# --- LIST_REQUEST {after, limit} ----------------------------------------------------------------


async def _page(wanda: Peer, **asked: Any) -> tuple[list[object], bool]:
    """The ids of one USER_LIST, and whether it says that more come."""
    await wanda.say("LIST_REQUEST", asked, to=wanda.server_id)
    listed = await wanda.link.hears(*LISTS)
    name = "users" if listed.get("users") is not None else "online_users"
    return list_of(listed, name), listed.get("more") is True


async def _all(wanda: Peer) -> list[object]:
    """Everybody online, in as many parts as it takes."""
    await wanda.say("LIST_REQUEST", {}, to=wanda.server_id)
    users: list[object] = []
    while True:
        listed = await wanda.link.hears(*LISTS)
        name = "users" if listed.get("users") is not None else "online_users"
        users += list_of(listed, name)
        if listed.get("more") is not True:
            return sorted(users, key=str)


async def _pages_as_due(probe: Probe, after: str, limit: int) -> None:
    """The page must be that part of the whole list. People may come and go meanwhile."""
    await probe.bob()
    wanda = await watcher(probe)
    for _ in range(_TRIES):
        before = await _all(wanda)
        behind = after or str(before[0])
        users, more = await _page(wanda, after=behind, limit=limit)
        if len(users) > limit:
            raise Breach(f"{len(users)} users came, and limit was {limit}")
        if any(str(each) <= behind for each in users):
            raise Breach("somebody is in it who does not follow `after`")
        later = [each for each in before if str(each) > behind]
        if (users, more) == (later[:limit], len(later) > limit):
            return
        if before == await _all(wanda):
            same("users", users, later[:limit])
            same("more", more, len(later) > limit)
    raise Unjudged("people come and go too fast to compare a page with the whole list")


@WATCHING.extension(
    "11.125-list-limit",
    "LIST_REQUEST {after, limit} is answered by so many users, with more where others follow",
    "send one USER_LIST of the first `limit` users that follow, and more: true where some are left",
)
async def _list_limit(probe: Probe) -> None:
    await _pages_as_due(probe, _FIRST_ID, 1)


@WATCHING.extension(
    "11.126-list-after",
    "a page has those whose ids follow `after` by code point, and not `after` itself",
    "compare ids as text, and begin behind `after`",
)
async def _list_after(probe: Probe) -> None:
    await _pages_as_due(probe, "", LIST_PAGE)


@WATCHING.extension(
    "11.127-list-limit-bounds",
    f"a limit of less than 1 or more than {LIST_PAGE:,} is refused (BAD_FRAME)",
    f"take a limit from 1 to {LIST_PAGE:,}",
)
async def _limit_bounds(probe: Probe) -> None:
    wanda = await watcher(probe)
    for limit in (0, LIST_PAGE + 1):
        await wanda.says_wrong("LIST_REQUEST", {"after": _FIRST_ID, "limit": limit})
        came = await wanda.link.hears("ERROR", *LISTS)
        if came.type != "ERROR":
            raise Breach(f"a limit of {limit} was answered by a list")
        same("the code", came.get("code"), "BAD_FRAME")
