"""Words that their author took back, as they are kept for who missed them: not at all. In their
place stands that they were taken back (section 11; threat P4)."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from socp.member.records import OutboxLine
from socp.wire import content
from socp.wire.content import Delete, Edit, File, Text

_WORDS: Final = frozenset({Text.KIND, Edit.KIND, File.KIND})


def words_of(line: OutboxLine) -> tuple[str, ...]:
    """The msg_refs of the message that has these words, be they its first ones or others."""
    if line.place is None or line.kind not in _WORDS:
        return ()
    body = content.unpack(line.body) if line.body else None
    return (body.of,) if isinstance(body, Edit) else (line.place.first, *line.msg_refs)


def wordless(line: OutboxLine, of: str) -> OutboxLine:
    """The deletion of `of` in the place of this line, which nobody is told of as theirs."""
    body = Delete(of=of)
    return replace(
        line,
        text="",
        kind=body.KIND,
        body=content.pack(body),
        frames=(),
        msg_refs=(),
        reason="",
        said=0,
    )
