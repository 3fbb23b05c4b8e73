"""Who this client is: what its owner chose, fixed for one run."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Profile:
    """`user_id` UUID v4, `display_name` the label others see, `client` what USER_HELLO says of the
    program, `server_url` the ws:// or wss:// address as given (servers are remembered by it),
    `invitation` the code that lets somebody new in, `run` 16 hex digits, other ones on each machine
    and after a profile is restored ("": no `content/1` is sent), `since_ms` when this copy of the
    profile began (Unix ms), 0 where it is the first and only one; `tell_delivered` and `tell_read`
    whether others hear that their messages are here, and were read; `fast_sig` whether the
    extension of that name is used."""

    user_id: str
    display_name: str
    client: str
    server_url: str
    invitation: str = field(default="", repr=False)
    run: str = ""
    since_ms: int = 0
    tell_delivered: bool = True
    tell_read: bool = True
    fast_sig: bool = True
