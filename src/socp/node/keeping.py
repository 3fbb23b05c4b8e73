"""The parts that keep mail and posts, put together (section 11, `mailbox/1`)."""

from __future__ import annotations

from dataclasses import dataclass

from socp.node.authorship import Authorship
from socp.node.boxes import Boxes, BoxLimits
from socp.node.budget import Table
from socp.node.dedup import SeenIds
from socp.node.directory import Directory
from socp.node.emitter import Emitter
from socp.node.file_mail import FileMail
from socp.node.keepers import Keepers
from socp.node.kept import Kept
from socp.node.letters import Letters
from socp.node.links import Links
from socp.node.mailbox import Mailbox
from socp.node.notices import Notices
from socp.node.owed import Owed
from socp.node.pending import PendingTable
from socp.node.post_log import PostLog
from socp.node.presence import Presence
from socp.node.recall import Recall
from socp.node.records import Remembered
from socp.node.settings import Settings
from socp.node.trust import ServerTrust

GONE = 3  # one in so many of the fates we remember was told already, the others are to be told


@dataclass(frozen=True, slots=True)
class Keeping:
    """What delivery, posts and transfers stand on."""

    keepers: Keepers
    authors: Authorship
    letters: Letters
    recall: Recall
    boxes: Boxes
    mailbox: Mailbox
    log: PostLog
    file_mail: FileMail
    kept: Kept
    pending: PendingTable

    @classmethod
    def of(
        cls,
        settings: Settings,
        emitter: Emitter,
        links: Links,
        directory: Directory,
        presence: Presence,
        trust: ServerTrust,
        seen: SeenIds,
        remembered: Remembered,
    ) -> Keeping:
        """With what lay in the store at the start."""
        budget = settings.budget
        keepers = Keepers(settings.server_id, links, directory, presence, trust)
        # A cursor may stand at a post that the disk did not take: its number is not used again.
        last_seq = max([remembered.mail_seq, *(cursor.seq for cursor in remembered.cursors)])
        letters, recall = Letters(keepers, last_seq), Recall(emitter, budget.recalled)
        bounds = BoxLimits(
            settings.mailbox_messages,
            settings.mailbox_bytes,
            settings.mailboxes_bytes,
            budget.rows(Table.AUTHORS),
        )
        gone_max = budget.rows(Table.FATES) // GONE
        boxes = Boxes(bounds, remembered.boxes)
        notices = Notices(emitter, links, budget.rows(Table.FATES) - gone_max)
        owed_max = budget.rows(Table.OWED) // 2
        owed = Owed(emitter, links, owed_max)
        mailbox = Mailbox(emitter, links, keepers, boxes, notices, owed, gone_max)
        log = PostLog(emitter, links, remembered.posts, remembered.cursors, owed_max=owed_max)
        file_mail = FileMail(letters, mailbox)
        kept = Kept(
            emitter, mailbox, log, file_mail, recall, notices, seen, days=settings.mailbox_days
        )
        authors = Authorship(directory, presence)
        pending = PendingTable(budget.pending)
        return cls(keepers, authors, letters, recall, boxes, mailbox, log, file_mail, kept, pending)
