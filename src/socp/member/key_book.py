"""The former keys of everybody known, and whose id is dead (section 10)."""

from __future__ import annotations

from typing import Final

from socp.crypto.key_chains import KeyChains
from socp.crypto.rotation import FIRST_VERSION, Revocation
from socp.member.records import Remembered

FORMER_TRIED: Final = 3
"""So many former keys are tried on mail: each costs an RSA decryption."""
STEPS_MAX: Final = 20_000  # about 2.3 kB each
REVOCATIONS_MAX: Final = 20_000


class KeyBook(KeyChains):
    """Changes in `successors` and `own_key` alone."""

    def __init__(self, remembered: Remembered) -> None:
        super().__init__(remembered.key_steps)
        self.revoked: dict[str, Revocation] = {r.user_id: r for r in remembered.revocations}

    def version(self, user_id: str) -> int:
        """Of the user's present key, as far as known."""
        steps = self.steps(user_id)
        return steps[-1].version if steps else FIRST_VERSION
