"""The desk's month as record linkage: Splink learns its weights from the pairs themselves, and the best pair is taken.

Splink links one receipt with one order; sums and instalments are beyond it, and an amount is a comparison like any other.
It is a dependency of this comparison alone: `make bench` puts it beside the environment, and nothing else uses it.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

_MISSING = "not installed; `make bench` sets it up, or: pip install 'splink>=5'"
_SURE = 0.99
_NUMBER = re.compile(r"[A-Za-z]{0,4}-?\d[\d-]{5,}")


def pairs_by_splink(receipts: Iterable[Any], orders: Iterable[Any]) -> Mapping[str, list[tuple[float, str]]]:
    """For each receipt its likely orders with their probability, the likeliest first. Raises `ImportError` where Splink is missing."""
    try:
        import pyarrow as pa
        from splink import Linker, block_on
        from splink.backends.duckdb import DuckDBAPI
    except ImportError as missing:
        raise ImportError(_MISSING) from missing

    left = [_row(one.receipt, one.payer_name, one.amount, *[_number(one.memo)] * 3) for one in receipts]
    right = [_row(one.order, one.customer_name, one.open, one.order, one.contract, one.invoice) for one in orders]
    database = DuckDBAPI()
    tables = [
        database.register(pa.Table.from_pylist(rows), dataset_display_name=name)
        for name, rows in (("a_receipts", left), ("b_orders", right))
    ]
    linker = Linker(tables, _settings(len(right)), log_level=40)
    linker.training.estimate_u_using_random_sampling(max_pairs=1_000_000, seed=1)
    for rule in ("amount", "number", "name"):
        linker.training.estimate_parameters_using_expectation_maximisation(block_on(rule))
    found: dict[str, list[tuple[float, str]]] = defaultdict(list)
    for pair in linker.inference.predict(threshold_match_probability=0.01).as_record_list():
        found[pair["unique_id_l"]].append((pair["match_probability"], pair["unique_id_r"]))
    return {receipt: sorted(likely, key=lambda one: (-one[0], one[1])) for receipt, likely in found.items()}


def assigned(likely: Mapping[str, list[tuple[float, str]]]) -> dict[str, tuple[float, str, bool]]:
    """The best order of each receipt, with whether it is sure; the surest first, and no order twice as sure."""
    taken: set[str] = set()
    chosen = {}
    for receipt, found in sorted(likely.items(), key=lambda entry: (-entry[1][0][0], entry[0])):
        probability, order = next((one for one in found if one[1] not in taken), found[0])
        is_sure = probability >= _SURE and order not in taken
        if is_sure:
            taken.add(order)
        chosen[receipt] = (probability, order, is_sure)
    return chosen


def _settings(orders: int) -> Any:
    import splink.comparison_level_library as level
    import splink.comparison_library as compare
    from splink import SettingsCreator, block_on

    named = "(number_l = number_r or contract_l = contract_r or invoice_l = invoice_r)"
    levels = [level.NullLevel("number"), level.CustomLevel(named, label_for_charts="the memo names it"), level.ElseLevel()]
    return SettingsCreator(
        link_type="link_only",
        comparisons=[
            compare.JaroWinklerAtThresholds("name", [0.95, 0.88]),
            compare.ExactMatch("amount").configure(term_frequency_adjustments=True),
            compare.CustomComparison(output_column_name="reference", comparison_levels=levels),
        ],
        blocking_rules_to_generate_predictions=[block_on(name) for name in ("amount", "number", "contract", "invoice", "name")],
        probability_two_random_records_match=1 / orders,
    )


def _row(
    id_: str, name: str | None, amount: Decimal, number: str | None, contract: str | None, invoice: str | None
) -> dict[str, str | None]:
    return {"unique_id": id_, "name": name, "amount": str(amount), "number": number, "contract": contract, "invoice": invoice}


def _number(memo: str) -> str | None:
    """The longest number in the memo, as the author of such a script would look for it."""
    return max(_NUMBER.findall(memo), key=len, default=None)
