"""What answers look like, for /openapi.json: what a caller may rely on, no more. A contract test holds the answers to it."""

from __future__ import annotations

from typing import Any

Schema = dict[str, Any]

TEXT: Schema = {"type": "string"}
WHOLE: Schema = {"type": "integer"}
YES_NO: Schema = {"type": "boolean"}
TIME: Schema = {"type": "string", "format": "date-time"}
DECIMAL: Schema = {"type": "string", "pattern": r"^-?[0-9]+(\.[0-9]+)?$"}
ANY: Schema = {}


def maybe(schema: Schema) -> Schema:
    """The value, or null where there is none."""
    return {"anyOf": [schema, {"type": "null"}]}


def one_of(*values: str) -> Schema:
    return {"type": "string", "enum": list(values)}


def many(schema: Schema) -> Schema:
    return {"type": "array", "items": schema}


def thing(**fields: Schema) -> Schema:
    """An object that has these fields, and may have more tomorrow."""
    return {"type": "object", "required": list(fields), "properties": fields}


def page_of(item: Schema, cursor: Schema | None = None) -> Schema:
    """A page of a list; `next` is null on the last one."""
    return thing(items=many(item), next=maybe(cursor or WHOLE))


def told(schema: Schema, *, status: int = 200, says: str = "Done") -> dict[int | str, dict[str, Any]]:
    """The `responses` of an endpoint that answers so."""
    return {status: {"description": says, "content": {"application/json": {"schema": schema}}}}


EVENT = thing(
    id=TEXT, seq=WHOLE, type=TEXT, source=TEXT, subject=TEXT, time=TIME, recorded_at=TIME, cause=TEXT, trace=TEXT, data=ANY
)
OUTCOME = maybe(thing(kind=one_of("understood", "ignored", "parked"), rule=maybe(TEXT), reason=ANY, events=WHOLE, at=TIME))
RAW = thing(id=TEXT, connection=TEXT, stream=TEXT, key=TEXT, door=TEXT, headers=ANY, received_at=TIME, outcome=OUTCOME)
ACTION = thing(
    id=TEXT,
    connection=TEXT,
    what=TEXT,
    about=maybe(TEXT),
    state=one_of("waiting", "started", "done", "failed", "unknown"),
    attempts=WHOLE,
    asked_at=TIME,
    problem=ANY,
)
TRACE = thing(
    raw=maybe(thing(id=TEXT, connection=TEXT, received_at=TIME, bytes=WHOLE, outcome=OUTCOME)),
    events=many(EVENT),
    handled=many(thing(subscriber=TEXT, event=TEXT, at=TIME)),
    held=many(thing(subscriber=TEXT, event=TEXT, state=TEXT, reason=ANY)),
    actions=many(ACTION),
)
PARKED = thing(id=TEXT, kind=one_of("raw", "event", "action"), rule=maybe(TEXT), reason=ANY)
QUARANTINED = thing(place=WHOLE, connection=TEXT, reason=ANY, headers=ANY, received_at=TIME)
BOOK = thing(
    connection=TEXT,
    received=WHOLE,
    understood=WHOLE,
    ignored=WHOLE,
    duplicate=WHOLE,
    parked=WHOLE,
    waiting=WHOLE,
    balanced=YES_NO,
)
LANE = thing(lane=one_of("auto", "review", "open", "new"), state=TEXT, currency=TEXT, count=WHOLE, amount=DECIMAL)
JOB = thing(
    id=TEXT,
    connection=TEXT,
    name=TEXT,
    state=one_of("waiting", "reading", "read", "refused"),
    again=YES_NO,
    rows=WHOLE,
    new=WHOLE,
    duplicates=WHOLE,
    conflicts=WHOLE,
    problem=ANY,
    members=maybe(many(thing(name=TEXT, file=maybe(TEXT), problem=ANY))),
)
PROGRESS = thing(**JOB["properties"], understood=WHOLE, ignored=WHOLE, parked=WHOLE, waiting=WHOLE, receipts=many(LANE))
STATEMENT = thing(
    id=TEXT,
    account=maybe(TEXT),
    currency=TEXT,
    opening=maybe(DECIMAL),
    closing=maybe(DECIMAL),
    credits=DECIMAL,
    debits=DECIMAL,
    rows=WHOLE,
    balanced=maybe(YES_NO),
    number=maybe(TEXT),
    breaks=maybe(many(thing(kind=one_of("balance", "number", "period", "overlap"), says=TEXT))),
)
RECEIPT = thing(
    id=TEXT,
    amount=DECIMAL,
    shared=DECIMAL,
    currency=TEXT,
    booked_on={"type": "string", "format": "date"},
    payer_name=maybe(TEXT),
    memo=TEXT,
    lane=maybe(one_of("auto", "review", "open")),
    state=one_of("new", "proposed", "matched", "rejected", "reversed"),
    version=WHOLE,
)
SHARE = thing(receivable=TEXT, amount=DECIMAL, difference=DECIMAL, booked_as=maybe(TEXT))
PROPOSAL = thing(
    id=TEXT,
    lane=one_of("auto", "review", "open"),
    probability={"type": "number"},
    shares=many(ANY),
    reasons=many(ANY),
    runners_up=many(ANY),
    held_by=maybe(TEXT),
    policy=TEXT,
)
RECEIPT_WHOLE = thing(**RECEIPT["properties"], proposal=maybe(PROPOSAL), shares=many(SHARE))
PROMISED = thing(
    sku=TEXT,
    quantity=DECIMAL,
    available=DECIMAL,
    promise_date=maybe({"type": "string", "format": "date"}),
    short=DECIMAL,
    materials=many(ANY),
    substitutes=many(ANY),
    as_of=maybe(TIME),
    stale=YES_NO,
    source=maybe(TEXT),
    **{"from": many(thing(warehouse=TEXT, quantity=DECIMAL))},
)
CHECKED = thing(
    verdict=TEXT,
    as_of=maybe(TIME),
    stale=YES_NO,
    says=TEXT,
    says_en=TEXT,
    held=many(TEXT),
    silent=maybe(TEXT),
    lines=many(PROMISED),
)
CONNECTOR = thing(name=TEXT, kind=TEXT, title=TEXT, summary=TEXT, does=many(TEXT), settings=ANY)
CONNECTION = thing(
    id=TEXT,
    connector=TEXT,
    title=TEXT,
    settings=ANY,
    secrets={"type": "array", "items": TEXT, "description": "The names of the secrets that are set; never their values"},
    allow=many(TEXT),
    paused=YES_NO,
    state=TEXT,
    state_reason=ANY,
    version=WHOLE,
    streams=many(ANY),
)
DEFINITION = thing(kind=one_of("map", "flow", "policy"), name=TEXT, version=WHOLE, text=TEXT, active=YES_NO, at=TIME, by=TEXT)
PREVIEW = thing(name=TEXT, target=TEXT, findings=many(ANY))
SUBSCRIPTION = thing(id=TEXT, url=TEXT, types=many(TEXT), state=one_of("active", "disabled"), reason=maybe(TEXT), created_at=TIME)
SECRET_ONCE: Schema = {"type": "string", "description": "Shown this once"}
