"""The field maps that come with the connector do what the connector does by itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from connectors.crm_jiandaoyun.connector import Connector
from hub.core.manifest import read_manifest
from hub.sdk import Event, Raw
from hub.testing import NOON, FakeHttp, answer, context_for
from mappings import events_from, load_map, run_examples

FOLDER = Path(__file__).parents[1]
SETTINGS = {"forms": {"quote": {"app": "a", "entry": "e"}}}


@pytest.mark.parametrize("name", ["fields.toml", "fields_quote.toml"])
def test_each_map_does_what_its_examples_say(name: str) -> None:
    """The examples in the file are run."""
    field_map = load_map((FOLDER / name).read_text(encoding="utf-8"), file=name)

    assert run_examples(field_map) == []


def test_the_quote_map_reads_what_the_normaliser_reads() -> None:
    """A connection whose map starts from the file means the same as one without a map."""
    body = (FOLDER / "fixtures/quote_asks_for_stock/raw.json").read_bytes()
    raw = Raw(stream="quote", key="k", body=body).stamped(tenant="t", connection="c", door="poll", received_at=NOON)
    field_map = load_map((FOLDER / "fields_quote.toml").read_text(encoding="utf-8"), file="fields_quote.toml")
    connector = Connector(context_for(read_manifest(FOLDER / "manifest.toml"), settings=SETTINGS))

    (mapped,) = list(events_from(field_map, raw))
    (read,) = list(connector.normalise(raw))

    assert isinstance(mapped, Event)
    assert isinstance(read, Event)
    assert (mapped.id, mapped.subject, mapped.time) == (read.id, read.subject, read.time)
    assert mapped.data == read.data


def test_the_outgoing_map_gives_what_the_write_takes() -> None:
    """A checked quote through the map and the write ends as the form's own field."""
    field_map = load_map((FOLDER / "fields.toml").read_text(encoding="utf-8"), file="fields.toml")
    fields = field_map.apply({"quote": "Q-1", "verdict": "available", "summary": ""}).data
    http = FakeHttp(answer({"data": [{"_id": "r1", "报价单号": "Q-1"}]}), answer({"data": {}}))
    connector = Connector(context_for(read_manifest(FOLDER / "manifest.toml"), settings=SETTINGS, http=http))

    assert connector.write("record.update", fields, idempotency_key="k") == "r1"

    assert http.sent[1].json()["data"]["库存结论"] == {"value": "可按期交付"}
