"""`/reply`, `/edit`, `/delete`, `/react`: something said before, by its number or the last one."""

from __future__ import annotations

from typing import Final

from socp.client.client import Client
from socp.client.line import Line
from socp.member.history import FILE
from socp.member.history_line import HistoryLine
from socp.talk.commands import Delete, Edit, React, Reply, Unclear

_LOOKED_BACK: Final = 200


class Amending:
    """Finds what is meant in the talk that one has turned to, and says it."""

    def __init__(self, me: Client) -> None:
        self._me = me

    async def do(self, talk: str, command: Reply | Edit | Delete | React) -> Line:
        """Carry it out. Unclear where it is not clear what is meant, ClientError."""
        mine = isinstance(command, Edit | Delete)
        found = await self._meant(talk, command.number, mine=mine)
        match command:
            case Reply():
                return await self._me.send(talk, command.text, reply_to=found.msg_ref)
            case Edit():
                return await self._me.edit(talk, found.msg_ref, command.text)
            case Delete():
                return await self._me.delete(talk, found.msg_ref)
            case React():
                return await self._me.react(talk, found.msg_ref, command.emoji)

    async def _meant(self, talk: str, number: int, *, mine: bool) -> HistoryLine:
        """The line of that number, or the last one that can be meant."""
        before, limit = (number + 1, 1) if number else (0, _LOOKED_BACK)
        for line in reversed(await self._me.history(talk, before=before, limit=limit)):
            if number and line.number != number:
                break
            if line.kind in ("text", FILE) and not line.deleted:
                if (line.author == self._me.user_id) == mine or (number and not mine):
                    return self._known(line)
                if number:
                    raise Unclear(f"#{number} is not yours to change; /history shows what is")
        if number:
            raise Unclear(f"there is no #{number} in this talk; /history shows the numbers")
        whose = "you said nothing here" if mine else "they said nothing"
        raise Unclear(f"{whose} lately; /history shows more, with its numbers")

    @staticmethod
    def _known(line: HistoryLine) -> HistoryLine:
        if line.kind == FILE and not line.msg_ref:
            raise Unclear(
                f"#{line.number} is a file, which cannot be answered, changed or taken back; say"
                " which message with its number, as /history shows it"
            )
        if not line.msg_ref:
            raise Unclear(f"#{line.number} is not on its way yet; wait until it is")
        return line
