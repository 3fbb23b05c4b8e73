"""`socp bench`: what is asked of it wrongly, and reports that are compared; what it measures is in
tests/bench."""

from __future__ import annotations

import importlib
import inspect
import os
import re
import select
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from socp.bench import goals, run
from socp.bench.figures import Goal, Report, read, written
from socp.bench.serving import LOG
from socp.cli import bench, exits
from socp.cli.bench import BENCHES
from tests.bench.reports import figure, report


def socp_bench(*words: str) -> Result:
    return CliRunner().invoke(bench.command, words, standalone_mode=False)


def saved(file: Path, value: float) -> str:
    file.write_bytes(written(report(figure("one", value))))
    return str(file)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("nonsense",), "no bench 'nonsense'; there are direct,"),
        (("compare", "one.json"), "compare two reports"),
        (("compare", "absent.json", "absent.json"), "absent.json: No such file"),
        (("--scale", "0"), "0.01"),
        (("--scale", "nan"), "nan is no number"),
        (("--url", "nonsense"), '"nonsense" is no address of a server; write ws://host:port'),
        (("--url", "http://localhost:8001"), "is no address of a server"),
        (("--json", "no/such.json"), "there is no folder no; make it, or name another"),
        (("--report", "no/such.html"), "there is no folder no"),
        (("--json", "/"), "is a directory"),
    ],
)
def test_what_is_asked_wrongly_is_said_at_once(
    words: tuple[str, ...], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(run, "run")
    done = socp_bench(*words)
    assert done.exception is not None
    assert said in done.exception.format_message()  # type: ignore[attr-defined]


def test_what_is_no_report_is_not_compared(tmp_path: Path) -> None:
    other = tmp_path / "other.json"
    other.write_text("{}")
    done = socp_bench("compare", str(other), saved(tmp_path / "one.json", 0.5))
    assert "no report of socp bench" in str(done.exception)


def test_two_reports_are_compared_and_worse_is_a_failure(tmp_path: Path) -> None:
    good, bad = saved(tmp_path / "good.json", 0.5), saved(tmp_path / "bad.json", 0.2)
    worse, better = socp_bench("compare", good, bad), socp_bench("compare", bad, good)
    assert (worse.return_value, better.return_value) == (1, 0)
    assert "WORSE" in worse.output
    assert "better" in better.output


@pytest.mark.parametrize(
    ("made", "code"),
    [
        (report(figure("one", 0.5)), 0),
        (report(figure("one", 0.3)), 1),
        (report(figure("one", 0.3), quick=True), 0),
        (report(figure("one", 0.1), quick=True), 1),
        (report(figure("one", 0.5), files="no disk"), 1),
    ],
)
def test_the_exit_code_says_whether_the_goals_are_met(
    made: Report, code: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    orders: list[run.Order] = []

    def ran(order: run.Order, *_: object) -> Report:
        orders.append(order)
        return made

    monkeypatch.setattr(run, "run", ran)
    json_file, page = tmp_path / "out.json", tmp_path / "out.html"
    done = socp_bench("all", "--json", str(json_file), "--report", str(page))
    assert done.return_value == code
    assert orders[0].benches == tuple(BENCHES)
    assert read(json_file.read_bytes()) == made
    assert "<svg" in page.read_text()


def test_a_server_of_others_is_asked_for_what_can_be_seen_from_outside() -> None:
    done = socp_bench("direct", "--url", "ws://127.0.0.1:9", "--pairs", "1")
    assert done.return_value == 1
    assert "direct was not measured: no link to the server is to be had" in done.output


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_full_disk_takes_neither_the_table_nor_the_other_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(run, "run", lambda *_: report(figure("one", 0.5)))
    page = tmp_path / "out.html"
    done = socp_bench("--json", "/dev/full", "--report", str(page))
    assert done.return_value == exits.FAILED
    assert "1 of 1 goals met" in done.output
    assert "socp bench: cannot write /dev/full: No space left on device" in done.output
    assert "<svg" in page.read_text()


def test_who_is_told_to_stop_ends_its_servers_too(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "socp.cli.main", "bench", "mailbox", "--quick"],
        stderr=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        env={**os.environ, "TMPDIR": str(tmp_path)},
    )
    logs = f"*/mailbox/mailbox/{LOG}"
    until_s = time.monotonic() + 200
    while not any("Listening" in each.read_text() for each in tmp_path.glob(logs)):
        assert time.monotonic() < until_s
        assert process.poll() is None
        select.select([], [], [], 0.05)
    process.terminate()
    assert process.wait(100) == exits.STOPPED
    assert not list(tmp_path.iterdir())
    left = [each for each in Path("/proc").glob("[0-9]*/cmdline") if str(tmp_path) in said_by(each)]
    assert left == []


def said_by(file: Path) -> str:
    """The command of a process, "" of one that has ended."""
    try:
        return file.read_text()
    except OSError:
        return ""


@pytest.mark.parametrize("name", BENCHES)
def test_each_bench_has_a_module_that_yields_its_figures(name: str) -> None:
    assert inspect.isasyncgenfunction(importlib.import_module(f"socp.bench.{name}").measure)


def test_the_page_has_every_goal_that_is_judged() -> None:
    page = (Path(__file__).parents[2] / "docs" / "performance.md").read_text()
    judged = [each for value in vars(goals).values() for each in flat(value)]
    assert len(judged) > 20
    for each in judged:
        bound = f"{'>=' if each.at_least else '<='} {each.bound:g}"
        assert re.search(rf"^\| {each.number} \|.*\| {re.escape(bound)} \|", page, re.MULTILINE)


def flat(value: object) -> list[Goal]:
    """The goals in what stands in the table of them."""
    if isinstance(value, dict):
        return [each for each in value.values() if isinstance(each, Goal)]
    return [value] if isinstance(value, Goal) else []
