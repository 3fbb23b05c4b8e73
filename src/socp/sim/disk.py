"""What a brain's store would hold: records applied to tables, as `storage` does with rows."""

from __future__ import annotations

from collections.abc import Iterable
from typing import assert_never

from socp.crypto.rotation import KeyStep, Revocation
from socp.member import records as member
from socp.member.taken_back import wordless, words_of
from socp.node import queries
from socp.node import records as node
from socp.sim.mail_disk import MailDisk


class NodeDisk:
    """A server's data folder. Survives a kill, as a committed database does."""

    def __init__(self) -> None:
        self._pins: dict[str, node.ServerPin] = {}
        self._rulings: dict[str, node.Ruling] = {}
        self._accounts: dict[str, node.Account] = {}
        self._homes: dict[str, node.Home] = {}
        self._shares: dict[tuple[str, int], node.ChannelShare] = {}
        self._version = 0
        self.mail = MailDisk()
        self.fault = ""
        """Why nothing can be written at present, as for a full disk; "" where it can."""
        self.reads = False  # whether it can be read all the same
        self._steps: dict[tuple[str, int], KeyStep] = {}
        self._revocations: dict[str, Revocation] = {}
        self._barred: dict[str, node.Barred] = {}

    @property
    def readable(self) -> bool:
        return self.reads or not self.fault

    def write(self, record: node.Record) -> None:  # noqa: C901 - one case a record
        """One Persist."""
        match record:
            case node.Mail() | node.MailSettled() | node.MailDropped():
                self.mail.write(record)  # nearly all there is
            case node.ServerPin():
                self._pins[record.server_id] = record
            case node.Ruling():
                self._rulings[record.fingerprint] = record
            case node.Account():
                self._accounts[record.user_id] = record
            case node.AccountGone():
                self._accounts.pop(record.user_id, None)
                self._homes.pop(record.user_id, None)
            case (
                node.Login()
                | node.LoginRemoved()
                | node.LoginSetup()
                | node.Invitation()
                | node.InvitationGone()
            ):
                pass  # nobody calls over HTTP in here
            case node.Home():
                self._homes[record.user_id] = record
            case node.ChannelShare():
                self._shares[record.member_id, record.version] = record
            case node.ChannelShareGone():
                self._shares.pop((record.member_id, record.version), None)
            case node.ChannelVersion():
                self._version = record.version
            case KeyStep():
                self._steps[record.user_id, record.version] = record
            case Revocation():
                self._revocations[record.user_id] = record
            case node.Barred():
                self._barred[record.user_id] = record
            case node.Forgotten():
                self._pins.pop(record.server_id, None)
                self._rulings.pop(record.fingerprint, None)
            case _:
                self.mail.write(record)

    def ask(self, query: queries.Query) -> queries.Answer:
        """What the store would answer now."""
        return self.mail.ask(query)

    def load(self, now_ms: int = 0) -> node.Remembered:
        """What a start finds."""
        return node.Remembered(
            pins=tuple(self._pins.values()),
            rulings=tuple(self._rulings.values()),
            accounts=tuple(self._accounts.values()),
            homes=tuple(self._homes.values()),
            shares=tuple(self._shares.values()),
            channel_version=self._version,
            **self.mail.load(now_ms),
            key_steps=tuple(self._steps.values()),
            revocations=tuple(self._revocations.values()),
            barred=tuple(self._barred.values()),
        )


class MemberDisk:
    """A user's profile."""

    def __init__(self) -> None:
        self._contacts: dict[str, member.Contact] = {}
        self._choice = member.PublicChoice()
        self._servers: dict[str, member.KnownServer] = {}
        self._seen: dict[str, member.Seen] = {}
        self._lines: dict[int, member.OutboxLine] = {}
        self._keys: dict[tuple[int, str], member.ChannelKey] = {}
        self._steps: dict[tuple[str, int], KeyStep] = {}
        self._revocations: dict[str, Revocation] = {}
        self._arrived: dict[int, member.Arrived] = {}
        self._numbered: dict[str, member.Numbered] = {}
        self._outgoing: dict[str, member.OutgoingFile] = {}
        self._incoming: dict[tuple[str, str], member.IncomingFile] = {}
        self._sent: dict[tuple[str, str, int], member.OutboxLine] = {}
        self._shelves: dict[str, member.Shelf] = {}
        self._threads: dict[tuple[str, bool, str], member.Thread] = {}
        self._last_said = 0

    def write(self, record: member.Record) -> None:  # noqa: C901 - one case a record
        """One Persist."""
        match record:
            case member.Seen():
                self._seen[record.msg_ref] = record
            case member.OutboxLine():
                self._lines[record.line_id] = record
                if record.state is member.LineState.DONE:
                    del self._lines[record.line_id]
            case member.Numbered():
                self._numbered[record.to] = record
            case member.OutgoingFile():
                self._outgoing[record.file_id] = record
                if record.stage is member.FileStage.OVER:
                    del self._outgoing[record.file_id]
            case member.IncomingFile():
                self._incoming[record.author, record.file_id] = record
                if record.stage is member.FileStage.OVER:
                    del self._incoming[record.author, record.file_id]
            case member.SentLine():
                self._sent[record.to, record.run, record.seq] = record.line
            case member.SentGone():
                self._sent.pop((record.to, record.run, record.seq), None)
            case member.SentTakenBack():
                self._take_back(record)
            case member.Shelf():
                self._shelves[record.to] = record
            case member.Thread():
                self._threads[record.author, record.public, record.run] = record
            case member.Arrived():
                self._arrived[record.number] = record
            case member.ArrivedShown():
                self._arrived.pop(record.number, None)
            case member.Said() | member.Amendment():
                self._last_said = record.number  # nobody reads here what was said
            case member.SaidMoved() | member.SaidReached():
                assert record.state, "a line of no state"
            case member.Contact():
                self._contacts[record.user_id] = record
            case member.PublicChoice():
                self._choice = record
            case member.KnownServer():
                self._servers[record.server_id] = record
            case member.ChannelKey():
                self._keys[record.version, record.fingerprint] = record
            case KeyStep():
                self._steps[record.user_id, record.version] = record
            case Revocation():
                self._revocations[record.user_id] = record
            case _:
                assert_never(record)

    def _take_back(self, record: member.SentTakenBack) -> None:
        for seq in range(record.first, record.last + 1):
            line = self._sent.get(key := (record.to, record.run, seq))
            if line is not None and record.of in words_of(line):
                self._sent[key] = wordless(line, record.of)

    def sent(self, to: str, run: str, seqs: Iterable[int]) -> tuple[member.OutboxLine, ...]:
        """What is kept of these messages."""
        keys = ((to, run, seq) for seq in seqs)
        return tuple(self._sent[key] for key in keys if key in self._sent)

    def load(self) -> member.Remembered:
        """What a start finds."""
        return member.Remembered(
            contacts=tuple(self._contacts.values()),
            servers=tuple(self._servers.values()),
            seen=tuple(self._seen.values()),
            outbox=tuple(self._lines.values()),
            channel_keys=tuple(key for key in self._keys.values() if key.private),
            key_steps=tuple(self._steps.values()),
            revocations=tuple(self._revocations.values()),
            arrived=tuple(self._arrived.values()),
            numbered=tuple(self._numbered.values()),
            outgoing_files=tuple(self._outgoing.values()),
            incoming_files=tuple(self._incoming.values()),
            shelves=tuple(self._shelves.values()),
            threads=tuple(one for one in self._threads.values() if one.seq),
            last_said=self._last_said,
            public_choice=self._choice,
        )
