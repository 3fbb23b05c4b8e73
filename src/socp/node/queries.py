"""What the brain asks its store while it runs, and the answers.

`Ask(query)` is the effect, `Answered(query, answer)` the event; the answer is None where the store
could not be read. Queries see every record that was given to the store before them.
"""

from __future__ import annotations

import msgspec

from socp.node.records import Mail, MailState, Post


class LoadMail(msgspec.Struct, frozen=True):
    """The next page of a user's WAITING mail, by `seq`: MailPage.

    A page ends before it has more than `count_max` pieces or `size_max` bytes, but has at least one
    where there is one.
    """

    user_id: str
    after_seq: int
    count_max: int
    size_max: int
    handed_below: int | None = None  # only what was handed out fewer times to those who cannot ACK


class MailPage(msgspec.Struct, frozen=True):
    """`more`: there was more WAITING mail behind it when it was read."""

    mail: tuple[Mail, ...]
    more: bool


class LoadPosts(msgspec.Struct, frozen=True):
    """The next page of posts, by `seq`: PostPage. `own`: only those whose author is ours."""

    owner: str  # for whom, user_id or server_id: comes back with the answer
    after_seq: int
    count_max: int
    size_max: int
    own: bool = False


class PostPage(msgspec.Struct, frozen=True):
    posts: tuple[Post, ...]
    more: bool


class FindMail(msgspec.Struct, frozen=True):
    """What is known of some mail, waiting or not: MailFound. `user_id` is "public" for a post."""

    request: int
    user_id: str
    msg_ref: str
    part: int = 0


class MailFound(msgspec.Struct, frozen=True):
    """`state` None: it never came here, or so long ago that it is forgotten. A post is WAITING."""

    state: MailState | None
    sender: str = ""
    via: str = ""
    payload: bytes = b""  # of WAITING mail
    ts: int = 0


class Expire(msgspec.Struct, frozen=True):
    """Delete what was stored before `before_ms`, whatever became of it: Expired."""

    before_ms: int


class ExpiredBox(msgspec.Struct, frozen=True):
    """WAITING mail of one sender to one user that was deleted."""

    user_id: str
    sender: str
    count: int
    size: int


class Expired(msgspec.Struct, frozen=True):
    boxes: tuple[ExpiredBox, ...]
    posts_count: int
    posts_size: int
    posts_first_seq: int  # of those that are left, 0 where none is


Query = LoadMail | LoadPosts | FindMail | Expire
Answer = MailPage | PostPage | MailFound | Expired
