"""Days as people say them, for what is told long after it happened. A brain has no time zone, so
they are those of UTC."""

from __future__ import annotations

from typing import Final

_DAY_MS: Final = 86_400_000
_WEEKDAYS: Final = (
    "Thursday",  # 1 January 1970
    "Friday",
    "Saturday",
    "Sunday",
    "Monday",
    "Tuesday",
    "Wednesday",
)
_DAYS_TO_MARCH: Final = 719_468  # from 1 March of the year 0 to 1970
_DAYS_IN_400_YEARS: Final = 146_097


def day(ts: int) -> str:
    """ "Tuesday, 2026-03-03" for Unix ms."""
    days = ts // _DAY_MS
    year, month, date = _calendar(days)
    return f"{_WEEKDAYS[days % 7]}, {year:04}-{month:02}-{date:02}"


def _calendar(days: int) -> tuple[int, int, int]:
    """Year, month and day of the month, in years that begin in March, so that the leap day is the
    last one."""
    era, in_era = divmod(days + _DAYS_TO_MARCH, _DAYS_IN_400_YEARS)
    year = (in_era - in_era // 1_460 + in_era // 36_524 - in_era // 146_096) // 365
    in_year = in_era - (365 * year + year // 4 - year // 100)
    month = (5 * in_year + 2) // 153  # 0 is March
    date = in_year - (153 * month + 2) // 5 + 1
    january_comes = month >= 10
    return (
        400 * era + year + january_comes,
        month - 9 if january_comes else month + 3,
        date,
    )
