"""Who this client is: what its owner chose, fixed for one run."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Profile:
    """`user_id` UUID v4, `display_name` the label others see, `client` what USER_HELLO says of the
    program, `server_url` the ws:// or wss:// address as given (servers are remembered by it),
    `invitation` the code that lets somebody new in."""

    user_id: str
    display_name: str
    client: str
    server_url: str
    invitation: str = field(default="", repr=False)
