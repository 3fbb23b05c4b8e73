"""What Tab offers."""

from __future__ import annotations

from pathlib import Path

import pytest
from prompt_toolkit.completion import CompleteEvent
from prompt_toolkit.document import Document

from socp.cli.lines.completion import Completions
from socp.crypto.symbolic import SymbolicSuite
from socp.member.contacts import AddressBook, Contacts


def book() -> AddressBook:
    contacts = Contacts(SymbolicSuite(1), "00000000-0000-4000-8000-000000000000", "me")
    for number, name in enumerate(["bob", "Bonnie Lee", 'x"y', "carol"], 1):
        contacts.came(f"{number}1111111-1111-4111-8111-111111111111", "server", name)
    return contacts


def offers(typed: str) -> list[str]:
    found = Completions(book()).get_completions(Document(typed), CompleteEvent())
    return sorted(typed[: len(typed) + each.start_position] + each.text for each in found)


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("/te", ["/tell "]),
        ("/verify c", ["/verify carol "]),
        ("/trust bob k", ["/trust bob keep"]),
        ("/history a", ["/history all "]),
        ("/", ["/all ", "/cancel ", "/file ", "/help ", "/list ", "/members ", "/quit ", "/tell "]),
        ("/tell b", ["/tell Bonnie_Lee ", "/tell bob "]),
        ("/t c", ["/t carol "]),
        ("/tell bob h", []),
        ("/all b", []),
        ("/file a", ["/file all "]),
        ("hello b", []),
        ("", []),
    ],
)
def test_tab_offers_commands_and_names(typed: str, offered: list[str]) -> None:
    assert set(offered) <= set(offers(typed))
    if typed != "/":
        assert offers(typed) == offered


def test_a_name_that_would_be_read_as_another_is_not_offered() -> None:
    assert not any('"' in offer for offer in offers("/tell "))


def test_paths_are_offered_for_files(tmp_path: Path) -> None:
    (tmp_path / "plan.pdf").touch()
    assert offers(f"/file bob {tmp_path}/pl") == [f"/file bob {tmp_path}/plan.pdf"]


@pytest.mark.threat("I8")
@pytest.mark.parametrize("name", ["x\x1b[31m.txt", "x\u202etxt.exe", "x\n.txt"])
def test_a_file_whose_name_acts_is_not_offered(tmp_path: Path, name: str) -> None:
    (tmp_path / name).touch()
    (tmp_path / "x.txt").touch()
    assert offers(f"/file bob {tmp_path}/x") == [f"/file bob {tmp_path}/x.txt"]
