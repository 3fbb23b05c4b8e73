"""Where one types: what is pasted, dropped and completed."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.events import Paste
from textual.widgets import Input

from socp.tui.composer import TEXT_CHARS_MAX, dropped
from socp.tui.harmless import harmless
from socp.wire.content import Text
from tests.tui.stage import Stage, stage


async def pastes(it: Stage, text: str) -> None:
    it.app.post_message(Paste(text))
    await it.pilot.settled()


@pytest.mark.parametrize(
    "pasted",
    [
        "{folder}/a plan.pdf",
        "'{folder}/a plan.pdf'",
        "'{folder}/a plan.pdf' ",
        '"{folder}/a plan.pdf"',
        "{folder}/a\\ plan.pdf ",
        "file://{folder}/a%20plan.pdf",
        "file://localhost{folder}/a%20plan.pdf\r\n",
        "'file://{folder}/a%20plan.pdf'",
    ],
)
def test_a_dropped_file_is_known_however_the_terminal_writes_it(
    tmp_path: Path, pasted: str
) -> None:
    (tmp_path / "a plan.pdf").write_bytes(b"x")
    assert dropped(pasted.replace("{folder}", str(tmp_path))) == f"{tmp_path}/a plan.pdf"


@pytest.mark.parametrize(
    "pasted",
    ["", "/", "{folder}", "{folder}/nothing", "{folder}/x\nhello", "see {folder}/x", "/etc\x00",
     "file:///%00", "file://elsewhere{folder}/x", "~nobody-of-that-name/x", "/" + "x" * 5_000],
)  # fmt: skip
def test_what_is_no_file_stays_a_text(tmp_path: Path, pasted: str) -> None:
    (tmp_path / "x").write_bytes(b"x")
    assert dropped(pasted.replace("{folder}", str(tmp_path))) == ""


async def test_a_dropped_file_is_sent_by_enter_and_what_was_typed_can_be_had_again(
    tmp_path: Path,
) -> None:
    async with stage(tmp_path) as it:
        await it.opens()
        await it.types("wait")
        (tmp_path / "it's mine.txt").write_bytes(b"x")
        await pastes(it, str(tmp_path / "it's mine.txt").replace(" ", "\\ ").replace("'", "\\'"))
        await it.until(lambda: it.composer.text == f"/file bob {tmp_path}/it's mine.txt")
        await it.pilot.press("enter")
        await it.until(lambda: it.ends_with("it's mine.txt"))
        await it.pilot.press("ctrl+up", "ctrl+up")
        assert it.composer.text == "wait"


async def test_a_paste_that_is_too_long_is_refused_and_nothing_is_lost(tmp_path: Path) -> None:
    async with stage(tmp_path) as it:
        await it.opens()
        await it.types("see")
        await pastes(it, "x" * TEXT_CHARS_MAX)
        await it.sees("what you paste is not taken")
        assert it.composer.text == "see"
        await it.pilot.press("enter")
        await it.bob_reads(Text(body="see"))


async def test_a_long_paste_is_said_as_a_whole_and_shown_folded(tmp_path: Path) -> None:
    async with stage(tmp_path) as it:
        await it.opens()
        whole = "\n".join(f"row {number}" for number in range(300))
        await pastes(it, whole.replace("\n", "\r\n"))
        await it.until(lambda: it.composer.text == whole)
        assert it.composer.size.height <= 10
        await it.pilot.press("enter")
        await it.bob_reads(Text(body=whole))
        await it.sees("Enter unfolds")
        assert "row 299" not in it.shown()


@pytest.mark.threat("I8")
@pytest.mark.parametrize(
    ("pasted", "taken"),
    [
        ("a\x1b[31mred\x07", "a[31mred"),
        ("one\r\ntwo\rthree\u2028four", "one\ntwo\nthree\nfour"),
        ("\u202eback\u2066x\x9b2J", "backx2J"),
        ("\tif x:\n\t\treturn", "\tif x:\n\t\treturn"),
        ("می\u200cخواهم 👩\u200d💻", "می\u200cخواهم 👩\u200d💻"),
    ],
)
def test_what_is_pasted_does_not_act_and_stays_what_it_is(pasted: str, taken: str) -> None:
    assert harmless(pasted) == taken


@pytest.mark.threat("I8")
async def test_nothing_that_acts_comes_to_the_composer(tmp_path: Path) -> None:
    async with stage(tmp_path) as it:
        await it.opens()
        await pastes(it, "a\x1b]0;title\x07b")
        assert it.composer.text == "a]0;titleb"
        (tmp_path / "x\x1b[31m.txt").write_bytes(b"x")
        (tmp_path / "x.txt").write_bytes(b"x")
        it.composer.text = f"/file bob {tmp_path}/x"
        it.composer.move_cursor(it.composer.document.end)
        await it.pilot.press("tab")
        assert it.composer.text == f"/file bob {tmp_path}/x.txt"


@pytest.mark.threat("I8")
@pytest.mark.parametrize("key", ["ctrl+k", "ctrl+f", "f3"])
async def test_nothing_that_acts_comes_to_a_line_of_a_dialog(tmp_path: Path, key: str) -> None:
    async with stage(tmp_path) as it:
        await it.opens()
        await it.pilot.press(key)
        await it.until(lambda: isinstance(it.app.focused, Input))
        await pastes(it, "a\x1b]0;title\x07\u202eb\r\nand more")
        assert it.app.screen.query_one(Input).value == "a]0;titleb"


async def test_undo_brings_back_what_was_deleted(tmp_path: Path) -> None:
    async with stage(tmp_path) as it:
        await it.opens()
        await it.types("hello")
        await it.pilot.press("ctrl+u", "ctrl+z")
        assert it.composer.text == "hello"
