"""With `--again`: what failed and drives real time is run once more, alone, after all else. What
passes then is named at the end: it is to be mended. All other tests have one chance, for what they
play is the same each time."""

from __future__ import annotations

from collections.abc import Generator
from typing import Final

import pytest
from _pytest.runner import runtestprotocol

# Folders whose tests wait for sockets, processes, terminals, disks or the pilots of a screen.
REAL_TIME: Final = frozenset(
    {
        *("bench", "cli", "client", "conform", "mesh", "server", "storage", "talk", "threats"),
        "tui",
    }
)
HEADING: Final = "unsteady: passed only when run again"
_AGAIN: Final = "again"  # the outcome of what failed and has another chance


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--again", action="store_true", help="run once more what failed and drives real time"
    )


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("--again"):
        config.pluginmanager.register(Again())


class Again:
    """The second chance, and who needed it."""

    def __init__(self) -> None:
        self._failed: dict[str, list[pytest.TestReport]] = {}  # by the id of the test
        self._unsteady: list[pytest.TestReport] = []
        self._last = False  # nobody has another chance now

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(
        self, item: pytest.Item, nextitem: pytest.Item | None
    ) -> bool | None:
        """As pytest does it, but that a failure may be told otherwise."""
        if self._last or not _drives_real_time(item):
            return None
        item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
        reports = runtestprotocol(item, nextitem=nextitem, log=False)
        failed = [report for report in reports if report.failed]
        for report in failed:
            report.outcome = _AGAIN  # type: ignore[assignment]
        for report in failed or reports:
            item.ihook.pytest_runtest_logreport(report=report)
        item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
        return True

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Of a test that ran here, or in a process beside this one."""
        if str(report.outcome) == _AGAIN:
            self._failed.setdefault(report.nodeid, []).append(report)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> Generator[None, object, object]:
        """When all others have run. What tests share is made once for all of them."""
        done = yield
        self._last = True
        again = [item for item in session.items if item.nodeid in self._failed]
        for item, following in zip(again, [*again[1:], None], strict=False):
            failures = session.testsfailed
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            if session.testsfailed == failures:
                self._unsteady += self._failed[item.nodeid]
            if session.shouldfail:
                raise session.Failed(session.shouldfail)
        return done

    def pytest_report_teststatus(self, report: pytest.TestReport) -> tuple[str, ...] | None:
        return ("to run again", "A", "AGAIN") if str(report.outcome) == _AGAIN else None

    @pytest.hookimpl(trylast=True)
    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if not self._unsteady:
            return
        terminalreporter.section(HEADING, sep="=", red=True, bold=True)
        for report in self._unsteady:
            terminalreporter.section(f"{report.nodeid} ({report.when})", sep="_", red=True)
            terminalreporter.write_line(report.longreprtext)
        terminalreporter.section(HEADING, sep="=", red=True, bold=True)
        for nodeid in dict.fromkeys(report.nodeid for report in self._unsteady):
            terminalreporter.write_line(nodeid, red=True)


def _drives_real_time(item: pytest.Item) -> bool:
    tests = item.config.rootpath / "tests"
    return item.path.is_relative_to(tests) and item.path.relative_to(tests).parts[0] in REAL_TIME
