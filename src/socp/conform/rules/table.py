"""All rules for servers, in the order of the protocol's page."""

from __future__ import annotations

from typing import Final

from socp.conform.probe import Probe
from socp.conform.rule import Rule
from socp.conform.rules.envelope import ENVELOPE
from socp.conform.rules.transport import TRANSPORT

SECTIONS: Final = (TRANSPORT, ENVELOPE)
SERVER_RULES: Final[tuple[Rule[Probe], ...]] = tuple(
    rule for section in SECTIONS for rule in section.rules
)
