"""Names of received files (section 8; threat M5)."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from socp.files.names import NAME_BYTES_MAX, next_free, safe_name

pytestmark = [pytest.mark.spec("8"), pytest.mark.threat("M5")]


@pytest.mark.parametrize(
    ("given_name", "safe"),
    [
        ("plan.txt", "plan.txt"),
        ("Zoë's Übersicht (2).pdf", "Zoë's Übersicht (2).pdf"),
        ("日本語.txt", "日本語.txt"),
        ("../../etc/passwd", "passwd"),
        ("..\\..\\windows\\win.ini", "win.ini"),
        ("/etc/cron.d/job", "job"),
        ("C:\\temp\\a.txt", "a.txt"),
        ("C:a.txt", "C_a.txt"),
        ("a.txt:hidden", "a.txt_hidden"),
        ("dir/", "dir"),
        ("..", "file"),
        (".", "file"),
        ("", "file"),
        ("///", "file"),
        (".bashrc", "bashrc"),
        ("...hidden", "hidden"),
        ("-rf", "rf"),
        ("name. . .", "name"),
        (" spaced ", "spaced"),
        ("a\x00b\x1b[31m\r\n.txt", "ab[31m.txt"),
        ("photo\u202egnp.exe", "photognp.exe"),
        ("a\u200bb\ufeff.txt", "ab.txt"),
        ("line\u2028break", "linebreak"),
        ("\ud800lone.txt", "lone.txt"),
        ("a\u00a0b.txt", "a b.txt"),
        ("CON", "_CON"),
        ("nul.txt", "_nul.txt"),
        ("com1.tar.gz", "_com1.tar.gz"),
        ("aux .txt", "_aux.txt"),
        ("conference.txt", "conference.txt"),
        ('<a>|"b"?*', "_a___b___"),
        ("e\u0301.txt", "é.txt"),
    ],
)
def test_a_name_becomes_a_harmless_basename(given_name: str, safe: str) -> None:
    assert safe_name(given_name) == safe


def test_a_name_that_is_too_long_keeps_its_ending() -> None:
    name = safe_name("ä" * 500 + ".tar")
    assert len(name.encode()) <= NAME_BYTES_MAX
    assert name.endswith("ä.tar")


def test_an_ending_that_is_too_long_is_none() -> None:
    assert len(safe_name("a." + "b" * 500).encode()) == NAME_BYTES_MAX


@given(st.text())
@example("a" * 198 + " .txt")
@example("." * 300 + "x")
@example("a/\u200b")
@example("con\u200b")
@example("e\u200b\u0301")
@example("a" * 199 + "." + "é" * 30)
def test_whatever_the_name_the_result_is_safe_and_stays_as_it_is(text: str) -> None:
    name = safe_name(text)
    assert name
    assert len(name.encode()) <= NAME_BYTES_MAX
    assert not set(name) & set('/\\<>:"|?*\0')
    assert name[0] not in ".- "
    assert name[-1] not in ". "
    assert all(unicodedata.category(each)[0] != "C" for each in name)
    assert safe_name(name) == name


@given(st.text(), st.integers(min_value=2, max_value=9_999))
def test_the_next_free_name_is_another_one_and_safe_too(text: str, n: int) -> None:
    name = safe_name(text)
    other = next_free(name, n)
    assert other != name
    assert safe_name(other) == other
    assert f"({n})" in other


def test_the_number_stands_before_the_ending() -> None:
    assert next_free("plan.txt", 2) == "plan (2).txt"
    assert next_free("plan", 3) == "plan (3)"


def test_the_next_free_name_of_the_longest_is_no_longer_and_keeps_its_ending() -> None:
    name = safe_name("a" * 500 + ".txt")
    other = next_free(name, 12)
    assert len(other.encode()) == len(name.encode()) == NAME_BYTES_MAX
    assert other.endswith("a (12).txt")


def test_an_ending_may_have_39_bytes() -> None:
    ending = "." + "b" * 39
    assert safe_name("a" * 500 + ending).endswith("a" + ending)
    assert not safe_name("a" * 500 + ending + "b").endswith("b")
