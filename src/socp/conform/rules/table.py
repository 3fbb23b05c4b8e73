"""All rules for servers, in the order of the protocol's page."""

from __future__ import annotations

from typing import Final

from socp.conform.probe import Probe
from socp.conform.rule import Rule
from socp.conform.rules.answers import ANSWERS
from socp.conform.rules.channel import CHANNEL
from socp.conform.rules.crypto import CRYPTO
from socp.conform.rules.delivery import DELIVERY
from socp.conform.rules.directory import DIALECTS, DIRECTORY, LIMITS
from socp.conform.rules.envelope import ENVELOPE
from socp.conform.rules.fast_frames import FAST_FRAMES
from socp.conform.rules.fast_sig import FAST_SIG
from socp.conform.rules.files import FILES
from socp.conform.rules.gossip import GOSSIP
from socp.conform.rules.healing import HEALING
from socp.conform.rules.identifiers import IDS
from socp.conform.rules.link_auth import BIND, LINK_AUTH
from socp.conform.rules.mailbox import MAILBOX
from socp.conform.rules.messages import MESSAGES
from socp.conform.rules.presence import PRESENCE
from socp.conform.rules.releases import RELEASES
from socp.conform.rules.rotation import ROTATION
from socp.conform.rules.sealed import SEALED
from socp.conform.rules.servers import SERVERS, STRANGERS
from socp.conform.rules.strict_json import STRICT
from socp.conform.rules.transport import TRANSPORT
from socp.conform.rules.two_servers import TWO
from socp.conform.rules.users import USERS
from socp.conform.rules.watching import WATCHING

SECTIONS: Final = (
    TRANSPORT,
    ENVELOPE,
    STRICT,
    CRYPTO,
    IDS,
    SERVERS,
    PRESENCE,
    DELIVERY,
    STRANGERS,
    USERS,
    MESSAGES,
    CHANNEL,
    FILES,
    ANSWERS,
    DIRECTORY,
    LINK_AUTH,
    BIND,
    MAILBOX,
    RELEASES,
    ROTATION,
    GOSSIP,
    HEALING,
    WATCHING,
    SEALED,
    FAST_SIG,
    FAST_FRAMES,
    TWO,
    LIMITS,
    DIALECTS,
)
SERVER_RULES: Final[tuple[Rule[Probe], ...]] = tuple(
    rule for section in SECTIONS for rule in section.rules
)
