"""Files of our users that another server was handed while its user was there: their author hears
of it where that server says that the reader is not there any more (section 5, delivery)."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

from socp.node.events import LinkId

FILES_MAX = 10_000


@dataclass(frozen=True, slots=True)
class HandedFile:
    """Whom an ERROR about it concerns."""

    link: LinkId
    user_id: str


class HandedFiles:
    """By who may say so, and by the file; the oldest makes room."""

    def __init__(self) -> None:
        self._rows: OrderedDict[tuple[str, str], HandedFile] = OrderedDict()

    def begun(self, server_id: str, file_id: str, handed: HandedFile) -> None:
        """A FILE_START went there."""
        self._rows[server_id, file_id] = handed
        self._rows.move_to_end((server_id, file_id))
        if len(self._rows) > FILES_MAX:
            self._rows.popitem(last=False)

    def refused(self, server_id: str, file_id: str) -> HandedFile | None:
        """That server refused some frame of it. Once for each time it was begun: the frames behind
        the first one meet the same end."""
        return self._rows.pop((server_id, file_id), None)
