"""Every notice as one JSON object, for `--json`: what scripts and bots read (docs/write-a-bot.md).

The names here are a promise: they stay when a class or a member of the program is renamed. The
text is pure ASCII, everything else escaped, so that nothing in it acts on a terminal or a log.
Times are Unix ms, sizes bytes; a user id has its label beside it (`author`, `author_name`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, assert_never

from socp.client.notices import GivenUp, KeyNotice, LinkNotice, Notice, Offline
from socp.member import effects
from socp.member.contacts import Person
from socp.wire.canonical import canonical
from socp.wire.ids import PUBLIC

Label = Callable[[str], str]
Event = dict[str, object]

_Talk = effects.MessageArrived | effects.MessageRefused | effects.Amended | effects.LineMoved
_Gaps = effects.GapFound | effects.GapClosed
_Answers = effects.PeerMoved | effects.MembersShown | effects.ListAnswered | effects.WhoisAnswered
_Files = (
    effects.FileOffered
    | effects.FileProgress
    | effects.FileWaits
    | effects.FileDone
    | effects.FileFailed
)
_Link = LinkNotice | effects.Warned

EVERYONE: Final = "everyone"


def line(event: Event) -> str:
    """One line, without its end."""
    return canonical(event).decode("ascii")


class Events:
    """Notices as objects. `label` says what a user id is called."""

    def __init__(self, label: Label) -> None:
        self._label = label

    def event(self, notice: Notice) -> Event:
        """The object of a notice; "event" is its kind."""
        if isinstance(notice, _Talk):
            return self._talk(notice)
        if isinstance(notice, _Gaps):
            return self._gaps(notice)
        if isinstance(notice, KeyNotice):
            return self._keys(notice)
        if isinstance(notice, _Answers):
            return self._answers(notice)
        if isinstance(notice, _Files):
            return self._files(notice)
        if isinstance(notice, _Link):
            return _link(notice)
        assert_never(notice)

    def named(self, member: str, user_id: str) -> Event:
        """`member` and `member_name`: an id, and what it is called."""
        called = EVERYONE if user_id == PUBLIC else self._label(user_id)
        return {member: user_id, f"{member}_name": called}

    def person(self, person: Person) -> Event:
        """One member of the public channel."""
        return {
            "user": person.user_id,
            "user_name": person.label,
            "online": person.online,
            "first_seen_ms": person.first_seen_ms,
            "key": person.fingerprint,
            "verified": person.verified,
            "state": str(person.state),
            "changed_ms": person.changed_ms,
            "bound": person.hybrid,
        }

    def _talk(self, notice: _Talk) -> Event:
        match notice:
            case effects.MessageArrived():
                return {
                    "event": "message",
                    **self.named("author", notice.author),
                    "text": notice.text,
                    "ts": notice.ts,
                    "trust": str(notice.trust),
                    "public": notice.public,
                    "id": notice.msg_ref,
                    "number": notice.said,
                    "reply_to": notice.reply_to,
                    "late": notice.late,
                }
            case effects.MessageRefused():
                return {
                    "event": "message_refused",
                    **self.named("author", notice.author),
                    "reason": notice.reason,
                    "ts": notice.ts,
                }
            case effects.Amended():
                return {
                    "event": notice.kind,  # edit, delete or reaction
                    **self.named("talk", notice.talk),
                    **self.named("author", notice.author),
                    "of": notice.of,
                    "text": notice.body,
                    "ts": notice.ts,
                    "trust": notice.trust,
                    "number": notice.number,
                }
            case effects.LineMoved():
                return {
                    "event": "line",
                    **self.named("to", notice.to),
                    "line": notice.line_id,
                    "text": notice.text,
                    "state": str(notice.state),
                    "reason": notice.reason,
                    "kind": notice.kind,
                    "id": notice.msg_ref,
                    "number": notice.said,
                }
            case _:
                assert_never(notice)

    def _gaps(self, notice: _Gaps) -> Event:
        match notice:
            case effects.GapFound():
                return {
                    "event": "gap",
                    **self.named("talk", notice.talk),
                    **self.named("author", notice.author),
                    "count": notice.count,
                    "after_ts": notice.after_ts,
                    "before_ts": notice.before_ts,
                    "asked": notice.asked,
                }
            case effects.GapClosed():
                return {
                    "event": "gap_closed",
                    **self.named("talk", notice.talk),
                    **self.named("author", notice.author),
                }
            case _:
                assert_never(notice)

    def _keys(self, notice: KeyNotice) -> Event:
        match notice:
            case effects.KeyChanged():
                return {
                    "event": "key_changed",
                    **self.named("user", notice.user_id),
                    "key": notice.pinned,
                    "claimed_key": notice.claimed,
                }
            case effects.KeyReplaced():
                return {
                    "event": "key_replaced",
                    **self.named("user", notice.user_id),
                    "former_key": notice.former,
                    "key": notice.key,
                    "was_verified": notice.was_verified,
                }
            case effects.KeyRevoked():
                return {"event": "key_revoked", **self.named("user", notice.user_id)}
            case effects.TrustMoved():
                return {
                    "event": "trust",
                    **self.named("user", notice.user_id),
                    "state": str(notice.state),
                }
            case effects.OwnKeyMoved():
                return {
                    "event": "own_key",
                    "state": str(notice.state),
                    "key": notice.fingerprint,
                    "reason": notice.reason,
                }
            case _:
                assert_never(notice)

    def _answers(self, notice: _Answers) -> Event:
        match notice:
            case effects.PeerMoved():
                return {
                    "event": "presence",
                    **self.named("user", notice.user_id),
                    "online": notice.online,
                    "first_seen": notice.first_seen,
                    "here_before": notice.here_before,
                }
            case effects.MembersShown():
                return {
                    "event": "members",
                    "members": [self.person(person) for person in notice.members],
                    "new": [person.user_id for person in notice.fresh],
                }
            case effects.ListAnswered():
                return {"event": "users", "users": list(notice.users)}
            case effects.WhoisAnswered():
                return {
                    "event": "key",
                    **self.named("user", notice.user_id),
                    "key": notice.pubkey_fingerprint,
                    "note": notice.note,
                }
            case _:
                assert_never(notice)

    def _files(self, notice: _Files) -> Event:
        if isinstance(notice, effects.FileOffered):
            return {
                "event": "file_offered",
                "file": notice.file_id,
                **self.named("peer", notice.author),
                "name": notice.name,
                "size": notice.size,
                "public": notice.public,
                "trust": str(notice.trust),
            }
        file: Event = {
            "file": notice.file_id,
            **self.named("peer", notice.peer),
            "name": notice.name,
            "sending": notice.sending,
        }
        match notice:
            case effects.FileProgress():
                return file | {
                    "event": "file_progress",
                    "done": notice.done,
                    "size": notice.size,
                    "bytes_per_s": notice.bytes_per_s,
                    "remaining_s": notice.remaining_s,
                }
            case effects.FileWaits():
                return file | {
                    "event": "file_waits",
                    "done": notice.done,
                    "size": notice.size,
                    "reason": notice.reason,
                }
            case effects.FileDone():
                return file | {
                    "event": "file_done",
                    "size": notice.size,
                    "path": notice.path.encode(errors="backslashreplace").decode(),
                    "kept": notice.kept,
                }
            case effects.FileFailed():
                return file | {"event": "file_failed", "reason": notice.reason}
            case _:
                assert_never(notice)


def _link(notice: _Link) -> Event:
    match notice:
        case effects.Online():
            return {
                "event": "online",
                "server": notice.server_id,
                "key": notice.fingerprint,
                "proven": notice.proven,
                "first_seen": notice.first_seen,
            }
        case Offline():
            return {"event": "offline", "reason": notice.reason}
        case GivenUp():
            return {"event": "given_up", "reason": notice.reason}
        case effects.Warned():
            return {"event": "warning", "text": notice.text}
        case _:
            assert_never(notice)
