"""The library's reference is what the docstrings say, and every name in it has one."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import get_args

import pytest

import socp.client
from socp.client import errors, library

ROOT = Path(__file__).parents[2]


def test_the_reference_is_current() -> None:
    done = subprocess.run(
        [str(ROOT / "script/reference"), "--check"], capture_output=True, text=True, timeout=100
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_every_notice_and_every_error_is_among_the_names_of_the_library() -> None:
    named = {getattr(library, name) for name in library.__all__}
    assert set(get_args(library.Notice)) <= named
    faults = {each for each in vars(errors).values() if isinstance(each, type)}
    # A file that is not stored is told by FileFailed.
    raised = {each for each in faults if not issubclass(each, errors.FileUnstorable)}
    assert {each for each in raised if issubclass(each, Exception)} <= named


@pytest.mark.parametrize("name", library.__all__)
def test_a_program_finds_each_name_at_the_front_door(name: str) -> None:
    assert getattr(socp.client, name) is getattr(library, name)


def test_what_is_no_name_of_the_library_is_not_there() -> None:
    with pytest.raises(AttributeError):
        getattr(socp.client, "Walk")  # noqa: B009 - the type checker knows it too
