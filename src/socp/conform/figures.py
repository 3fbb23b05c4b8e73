"""The protocol's numbers (section 12), written once more: a wrong one there must not hide here."""

from __future__ import annotations

import re
from typing import Final

KIB: Final = 1024
MIB: Final = 1024 * 1024

FRAME_BYTES: Final = MIB
FRAME_BYTES_FIRST: Final = 64 * KIB
FRAME_VALUES: Final = 50_000
MESSAGE_BYTES: Final = 4 * MIB  # of a frame that is against the rules, as far as it is looked at
FRAME_LEVELS: Final = 16
INTEGER_MAX: Final = 2**53 - 1
WINDOW_MS: Final = 5 * 60_000
LATE_MS: Final = 30 * 24 * 3_600_000
FIRST_FRAME_S: Final = 10
HEARTBEAT_S: Final = 15
SILENCE_S: Final = 45
SALT_MAX_BYTES: Final = 478
SALT_SHORT_BYTES: Final = 32
RSA_BITS: Final = 4096
RSA_BYTES: Final = 512
EXPONENT: Final = 65_537
NONCE_BYTES: Final = 32
FILE_BYTES: Final = 1024 * MIB
FILE_WINDOW_BYTES: Final = 4 * MIB
VERSION_JUMP: Final = 1_000
WATCHED: Final = 1_000
LIST_PAGE: Final = 1_500
LINKS_TOLD: Final = 1_000
SYNCS_AT_ONCE: Final = 3
SESSION_MS: Final = 24 * 3_600_000
SESSION_KEY_BYTES: Final = 32

UUID4: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}\Z")

STANDARD_CODES: Final = frozenset(
    {"USER_NOT_FOUND", "INVALID_SIG", "BAD_KEY", "TIMEOUT", "UNKNOWN_TYPE", "NAME_IN_USE"}
)
"""ERROR codes of the standard; every server gives its own ones beside them."""
