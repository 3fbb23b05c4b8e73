"""docs/growth.md is made of docs/growth.json, and its formulae are those of the points."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from docs.make.fit import fitted
from docs.make.plot import plot

ROOT = Path(__file__).resolve().parents[2]
SIZES = (5, 10, 20, 40, 70, 100)


def test_the_page_and_its_pictures_are_current() -> None:
    told = subprocess.run(
        [str(ROOT / "script/growth"), "--check"], capture_output=True, text=True, timeout=60
    )
    assert told.returncode == 0, told.stderr


@pytest.mark.parametrize(
    ("terms", "said"),
    [((7.0,), "7"), ((2.0, 3.0), "2 + 3 n"), ((50.0, -2.0, 0.5), "50 - 2 n + 0.5 n²")],
)
def test_a_formula_has_the_terms_that_the_points_need(terms: tuple[float, ...], said: str) -> None:
    points = [(n, sum(c * n**power for power, c in enumerate(terms))) for n in SIZES]
    formula = fitted(points)
    assert str(formula) == said
    assert formula.missed < 1e-6
    assert formula.at(10_000) == pytest.approx(
        sum(c * 10_000**power for power, c in enumerate(terms))
    )


def test_what_costs_something_is_not_said_to_cost_less_and_less() -> None:
    points = [(n, 100 - n / 2) for n in SIZES]
    assert len(fitted(points).terms) == 1


def test_points_that_lie_about_a_line_are_not_fitted_more_closely_than_they_lie() -> None:
    points = [(n, (2 + 3 * n) * (1.05 if n % 20 else 0.95)) for n in SIZES]
    assert len(fitted(points).terms) == 2


def test_a_picture_shows_each_point_above_its_number_of_servers() -> None:
    points = [(5.0, 1.0), (10.0, 2.0), (20.0, 4.0)]
    picture = plot("Frames", "a second", points, fitted(points))
    assert picture.count("<circle") == 3
    for size in ("5", "10", "20"):
        assert f'text-anchor="middle">{size}</text>' in picture
    assert "Frames, a second" in picture
