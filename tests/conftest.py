"""What holds for every test: their order, what they need, and what the run says at its end."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import hypothesis
import pytest

from tests import logbook, postgres
from tests.site import DATABASES, Site, new_site

pytest_plugins = ("tests.unsteady", "tests.beside")

HERE = Path(__file__).parent
SECTIONS = {str(section) for section in range(1, 14)}
# The fast ones first, so that a fault in the ground shows before what stands on it.
FIRST = (
    "wire",
    "crypto",
    "channel",
    "files",
    "node",
    "member",
    "house",
    "sim",
    "storage",
    "keystore",
)
# Those whose files take longest last: side by side they are begun from there (tests/beside.py), so
# that what is left for one process at the end is short.
LAST = ("bench", "conform", "cli", "threats", "mesh")
# Programs that are found elsewhere than in the path.
FIND: dict[str, Callable[[str], object]] = {"postgresql": lambda _: postgres.programs()}

# How long one example takes says more of the machine's load than of the code.
hypothesis.settings.register_profile("ours", deadline=None)
hypothesis.settings.load_profile("ours")

said_in = pytest.StashKey[set[str]]()


@pytest.fixture(scope="session")
def cluster() -> Iterator[postgres.Postgres]:
    """A private PostgreSQL, one for the whole run; tests of it are marked needs("postgresql")."""
    with postgres.private() as cluster:
        yield cluster


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--long", action="store_true", help="kill servers 200 times, not 10")
    parser.addoption("--seed", type=int, help="play the schedule of this seed again")


@pytest.fixture(params=DATABASES)
def site(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Site]:
    """A data folder nobody has used, with a database of each kind."""
    with new_site(request, tmp_path / "data") as site:
        yield site


def pytest_configure() -> None:
    os.umask(0o022)  # a folder that others may write in is refused, and some machines make such
    logbook.listen()


def pytest_collection_modifyitems(session: pytest.Session, items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: (item.get_closest_marker("last") is not None, _rank(item.path)))
    session.config.stash[said_in] = {
        str(section).partition(".")[0]
        for item in items
        for marker in item.iter_markers("spec")
        for section in marker.args
    }
    for item in items:
        for program in _missing(item):
            item.add_marker(pytest.mark.skip(reason=f"{program} is not installed"))


def _missing(item: pytest.Item) -> list[str]:
    needed = [program for marker in item.iter_markers("needs") for program in marker.args]
    return [program for program in needed if FIND.get(program, shutil.which)(program) is None]


def _rank(path: Path) -> int:
    room = path.relative_to(HERE).parts[0]
    if room in FIRST:
        return FIRST.index(room)
    return len(FIRST) + 1 + LAST.index(room) if room in LAST else len(FIRST)


def pytest_sessionfinish(session: pytest.Session) -> None:
    if _skips_in_ci(session.config) and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def _skips_in_ci(config: pytest.Config) -> int:
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    in_ci = os.environ.get("CI") == "true"
    return len(reporter.stats.get("skipped", ())) if reporter and in_ci else 0


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    said = config.stash.get(said_in, SECTIONS)
    unsaid = SECTIONS - said
    if unsaid and config.args_source is pytest.Config.ArgsSource.TESTPATHS:
        sections = ", ".join(sorted(unsaid, key=int))
        terminalreporter.write_line(f"sections of the protocol without a test: {sections}")
    if skipped := _skips_in_ci(config):
        terminalreporter.write_line(f"CI: {skipped} skipped, so this run has failed", red=True)
