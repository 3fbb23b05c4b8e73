"""docs/threats.md: every row of the table of threats, and the tests that show it stopped."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from docs.make.threats import marked_tests, page
from tests.threats.rows import ROWS

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/threats.md").read_text(encoding="utf-8")


def test_the_page_is_current() -> None:
    done = subprocess.run(
        [str(ROOT / "script/threats"), "--check"], capture_output=True, text=True, timeout=100
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_every_mark_of_a_test_is_a_row() -> None:
    assert marked_tests().keys() <= ROWS.keys()


def test_every_file_of_threats_shows_the_row_it_is_named_for() -> None:
    proofs = marked_tests()
    for file in (ROOT / "tests/threats").glob("test_*.py"):
        row = file.name.split("_")[1].upper()
        assert file.relative_to(ROOT) in {proof.path for proof in proofs[row]}, file.name


@pytest.mark.parametrize("row", ROWS)
def test_a_row_is_shown_by_its_tests_or_open(row: str) -> None:
    own = PAGE.partition(f"\n### {row}\n")[2].partition("\n##")[0]
    assert own
    proofs = marked_tests().get(row, [])
    assert ("**Open**" in own) is (not proofs)
    assert all(str(proof.path) in own for proof in proofs)


def test_the_links_of_the_page_lead_to_files() -> None:
    links = re.findall(r"\]\(\.\./([^)]+)\)", PAGE)
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_a_row_without_a_test_is_called_open(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("docs.make.threats.marked_tests", dict)
    assert page().count("**Open**") == len(ROWS)
    assert f"0 of {len(ROWS)} rows are shown to be stopped" in page()
