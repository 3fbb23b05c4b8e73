"""How long to wait before the next attempt to reach the server (section 5)."""

from __future__ import annotations

from collections.abc import Callable

from socp.wire import limits


class Backoff:
    """1 s, doubled up to 60 s (2 s on loopback), less by chance: clients must not keep step."""

    def __init__(self, *, loopback: bool, chance: Callable[[], float]) -> None:
        """`chance` gives numbers in [0, 1)."""
        self._longest_s = float(
            limits.RECONNECT_MAX_LOOPBACK_S if loopback else limits.RECONNECT_MAX_S
        )
        self._chance = chance
        self._next_s = float(limits.RECONNECT_FIRST_S)

    def next_s(self) -> float:
        """Seconds to wait now."""
        wait_s = self._next_s * (0.5 + self._chance() / 2)
        self._next_s = min(self._next_s * 2, self._longest_s)
        return wait_s

    def reset(self) -> None:
        """The server took us: the next outage begins anew."""
        self._next_s = float(limits.RECONNECT_FIRST_S)
