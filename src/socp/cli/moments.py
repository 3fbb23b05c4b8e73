"""When somebody means: a day, a moment, or so long ago."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Final

_AGO: Final = re.compile(r"(\d{1,6}) ?(m|min|h|d|w)\Z")
_UNITS: Final = {"m": "minutes", "min": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_DAYS: Final = {"today": 0, "yesterday": 1}


def moment(text: str, now: datetime) -> int | None:
    """Unix ms of what is meant at `now`, local time without a zone; None for what is no time.

    "today", "yesterday", "90m", "2h", "3d", "1w", "2026-11-20", "2026-11-20 14:30", any ISO 8601.
    """
    wanted = text.strip().lower()
    try:
        if wanted in _DAYS:
            day = now - timedelta(days=_DAYS[wanted])
            then = day.replace(hour=0, minute=0, second=0, microsecond=0)
        elif ago := _AGO.match(wanted):
            then = now - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
        else:
            then = datetime.fromisoformat(text.strip())
        return max(0, int(then.timestamp() * 1000))
    except (ValueError, OverflowError, OSError):
        return None
