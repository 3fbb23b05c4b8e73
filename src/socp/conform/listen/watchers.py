"""Section 11: `presence/1`, a client that asks who is there."""

from __future__ import annotations

from typing import Final

from socp.conform.expect import list_of
from socp.conform.figures import LIST_PAGE, UUID4, WATCHED
from socp.conform.frames import Frame
from socp.conform.listen.visit import Visit
from socp.conform.rule import Section
from socp.conform.verdicts import Breach, Unjudged

WATCHERS: Final[Section[Visit]] = Section()


async def _watch(visit: Visit) -> Frame:
    visit.check_announces("presence/1")
    try:
        return await visit.told("PRESENCE_WATCH")
    except Unjudged as fault:
        raise Breach(f"it hears of nobody then: {fault}") from fault


@WATCHERS.extension(
    "11.140-watches",
    "a client with presence/1 says PRESENCE_WATCH {users} when it is attached",
    "ask for those you deal with after each ACK: nobody is told of unasked",
)
async def _watches(visit: Visit) -> None:
    list_of(await _watch(visit), "users")


@WATCHERS.extension(
    "11.141-watches-ids",
    f"its lists have at most {WATCHED:,} ids, each a UUID v4, none twice",
    f"leave out whoever was dealt with longest ago where there are more than {WATCHED:,}",
    rests_on="11.140-watches",
)
async def _watches_ids(visit: Visit) -> None:
    await _watch(visit)
    for frame in visit.house.said:
        if frame.type != "PRESENCE_WATCH":
            continue
        users = list_of(frame, "users")
        if len(users) > WATCHED:
            raise Breach(f"a list of {len(users):,}")
        for user_id in users:
            if not isinstance(user_id, str) or not UUID4.match(user_id):
                raise Breach(f"{user_id!r:.60} is in the list")
        if len(set(map(str, users))) < len(users):
            raise Breach("somebody is in the list twice")


@WATCHERS.extension(
    "11.142-watches-again",
    "it says PRESENCE_WATCH again when it comes back",
    "a watch ends with its link: say it after each ACK",
    rests_on="11.140-watches",
)
async def _watches_again(visit: Visit) -> None:
    first = await _watch(visit)
    before = visit.house.visits
    await (await visit.guest()).link.close(1001)
    await visit.guest()
    if visit.house.visits == before:
        raise Unjudged("it did not come back: see 5.80-comes-back")
    try:
        await visit.told("PRESENCE_WATCH", where=lambda frame: frame in visit.house.lately)
    except Unjudged as fault:
        raise Breach(f"{fault} after it came back, and {first.gist()} before") from fault


@WATCHERS.extension(
    "11.143-pages",
    f"its LIST_REQUEST has a limit from 1 to {LIST_PAGE:,} where it has one, and `after` is a text",
    f"ask for pages of at most {LIST_PAGE:,}",
)
async def _pages(visit: Visit) -> None:
    visit.check_announces("presence/1")
    await visit.told("LIST_REQUEST", hint="; have it ask for the list")
    for frame in visit.house.said:
        if frame.type != "LIST_REQUEST":
            continue
        limit, after = frame.get("limit"), frame.get("after")
        if limit is not None and not (type(limit) is int and 1 <= limit <= LIST_PAGE):
            raise Breach(f"limit is {limit!r:.40}")
        if after is not None and not isinstance(after, str):
            raise Breach(f"after is {after!r:.40}")
