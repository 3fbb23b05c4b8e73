"""What a row of the table of routes says (architecture, "One message walks")."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from socp.node.links import Stage
from socp.wire import limits, payloads
from socp.wire.errors import Misuse
from socp.wire.payloads import Payload

Handler = Callable[..., None]
"""handler(link, envelope, payload, now): each takes its own payload class, paired in the table."""

TO_CLIENTS = {payloads.UserDeliver, payloads.UserList}
ANYWHERE = {payloads.CtrlClose}


@dataclass(frozen=True, slots=True)
class Route:
    """Who may send a frame type is the row's place in the table; here is what is checked first."""

    handler: Handler
    timed: bool = False
    """ts must be within 5 min of now."""
    forwarded: bool = False
    """A server may pass on another server's frame; it verifies under the pinned key of its from."""
    unsigned: bool = False
    """The transport sig is not looked at: the content authenticates itself,
    or the handler looks."""
    bindless: bool = False
    """Travels on unchanged, so it needs no `bind/1`."""
    by_bytes: bool = False
    """Counted by size, not by number."""
    travels: bool = False
    """What it says goes on in another frame, which has more around it."""
    signs: bool = False
    """What comes of it may take a signature by our own key."""
    cost_bytes: int = limits.FILE_FRAME_COST_BYTES
    """What it counts for at the least, where by size."""


Table = Mapping[Stage, Mapping[type[Payload], Route]]


def complete(table: Table) -> Table:
    """The table with a row for each stage. Raises Misuse where a frame type lacks a route."""
    routed = {kind for row in table.values() for kind in row}
    missing = set(payloads.KINDS) - routed - TO_CLIENTS - ANYWHERE
    if missing:
        raise Misuse(f"frame types without a route: {sorted(k.TYPE for k in missing)}")
    return {stage: table.get(stage, {}) for stage in Stage}
