"""Goal: durable enqueues at 0.65 of sqlite3 alone. A timed check fails only far outside of it."""

from __future__ import annotations

from pathlib import Path
from statistics import median

import pytest

from tests.storage import bench_mail

PAIRS = 5
FAR_BELOW = 0.5


@pytest.mark.last
def test_mail_is_stored_at_more_than_half_the_rate_of_sqlite_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    measured = bench_mail.pairs(tmp_path, PAIRS)
    with capsys.disabled():
        print(f"\n{bench_mail.told(measured)}")  # noqa: T201
    assert median(pair.ratio for pair in measured) >= FAR_BELOW
