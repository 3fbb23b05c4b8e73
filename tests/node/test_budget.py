"""How `--memory` is divided (threats S5, S11)."""

from __future__ import annotations

import pytest

from socp.node.budget import BARE_BYTES, LOG_BYTES, PAGE_BYTES, PAGES, SHARES, Budget, Table
from socp.wire import limits

SIZES = [limits.MEMORY_BYTES_MIN, 256 * limits.MIB, limits.MEMORY_BYTES, 64 * 1024 * limits.MIB]


@pytest.mark.parametrize("size", SIZES)
def test_all_tables_full_leave_the_server_below_the_mark_at_which_it_refuses(size: int) -> None:
    budget = Budget(size)
    tables = sum(budget.rows(table) * SHARES[table].row_bytes for table in Table)
    assert BARE_BYTES + tables <= budget.full


@pytest.mark.parametrize("size", SIZES)
def test_what_is_on_its_way_through_fits_between_that_mark_and_the_promise(size: int) -> None:
    budget = Budget(size)
    assert budget.again < budget.full < budget.brim < budget.total
    passing = budget.incoming + budget.committing + budget.recalled + budget.pending + budget.crowd
    assert budget.full + passing + LOG_BYTES + PAGES * PAGE_BYTES < budget.total


def test_the_least_memory_still_serves_a_small_circle() -> None:
    least = Budget(limits.MEMORY_BYTES_MIN)
    assert all(least.rows(table) >= 100 for table in Table)
    assert least.strangers >= 50


def test_by_default_ten_thousand_users_can_be_online() -> None:
    default = Budget()
    assert default.rows(Table.LINKS) >= 10_400  # and some who come meanwhile
    assert default.rows(Table.USERS) >= 50_000
    assert default.rows(Table.SHARES) >= 10_000


def test_no_table_grows_beyond_what_the_code_can_search() -> None:
    huge = Budget(2**50)
    assert {table: huge.rows(table) for table in Table} == {
        table: share.most for table, share in SHARES.items()
    }
