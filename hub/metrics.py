"""What is counted and timed, for Prometheus."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import sqlalchemy as sa
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from hub.store import tables as t

if TYPE_CHECKING:
    from hub.http import Call
    from hub.store.sql import Store

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


class Metrics:
    """The process's own numbers, and those that the database knows, read when they are asked for."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._calls = Counter(
            "shuniu_vendor_calls",
            "Calls to other systems by connection and result",
            ["connection", "result"],
            registry=self.registry,
        )
        self._seconds = Histogram(
            "shuniu_vendor_call_seconds", "How long other systems take", ["connection"], buckets=_SECONDS, registry=self.registry
        )

    def call(self, call: Call) -> None:
        """Count one call to a vendor."""
        result = call.code or f"{(call.status or 0) // 100}xx"
        self._calls.labels(call.connection, result).inc()
        self._seconds.labels(call.connection).observe(call.seconds)

    def watch(self, store: Store) -> None:
        """Tell the database's numbers too."""
        self.registry.register(_Stored(store))

    def text(self) -> bytes:
        """Everything in the Prometheus text format."""
        return generate_latest(self.registry)


class _Stored:
    """Counts that are rows: they are right however many processes there are."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def describe(self) -> Iterable[Metric]:
        return ()

    def collect(self) -> Iterable[Metric]:
        waiting = GaugeMetricFamily("shuniu_waiting", "Rows that wait, by queue", labels=["queue"])
        actions = GaugeMetricFamily("shuniu_actions", "Actions by connection and state", labels=["connection", "state"])
        raws = CounterMetricFamily("shuniu_raws", "Raws by connection and outcome", labels=["connection", "outcome"])
        with self._store.read_transaction() as connection:
            for name, table in (("inbox", t.inbox), ("outbox", t.outbox), ("held", t.held)):
                waiting.add_metric([name], connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one())
            a = t.actions
            for row in connection.execute(
                sa.select(a.c.connection, a.c.state, sa.func.count()).group_by(a.c.connection, a.c.state)
            ):
                actions.add_metric([row[0], row[1]], row[2])
            o = t.outcomes
            for row in connection.execute(
                sa.select(o.c.connection, o.c.kind, sa.func.count()).group_by(o.c.connection, o.c.kind)
            ):
                raws.add_metric([row[0], row[1]], row[2])
            d = t.duplicates
            for row in connection.execute(sa.select(d.c.connection, sa.func.count()).group_by(d.c.connection)):
                raws.add_metric([row[0], "duplicate"], row[1])
        yield waiting
        yield actions
        yield raws
