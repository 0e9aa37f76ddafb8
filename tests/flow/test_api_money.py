"""A bank file from the upload to the decision of finance, over HTTP, at both sizes."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from hub.core import vocabulary as v
from hub.core.errors import Conflict
from hub.core.event import decided
from hub.core.vocabulary import Order
from hub.demo.samples import Row, statement_csv
from hub.ledger.record import record
from hub.parts import book

DAY = date(2026, 11, 2)
ROWS = [
    Row(
        reference="261100000001",
        day=DAY,
        payer="苏州恒励精密机械有限公司",
        account="62000001",
        memo="货款 SO-1001",
        credit=Decimal("100.00"),
    ),
    Row(reference="261100000002", day=DAY, payer="王建国", account="62000002", memo="往来款", credit=Decimal("250.00")),
    Row(reference="261100000003", day=DAY, payer="税务局", account="62000003", memo="税款", debit=Decimal("50.00")),
]


def order(served: Any, number: str, amount: str, customer: str) -> None:
    """An order that is placed; its receivable is opened by the hub."""
    now = datetime.now(UTC)
    data = Order(order=number, customer=customer, customer_name=customer, amount=Decimal(amount), ordered_on=DAY)
    with served.hub.store.work("main") as work:
        record(work, [decided("order.placed", tenant="main", by="test", subject=number, data=data, occurred_at=now, once=number)])


@pytest.fixture
def desk(served: Any) -> Any:
    """A hub whose statement was read: one receipt that names its order, one that nobody can place."""
    served.hub.registry.save("main", "bank", connector="bank_csv", settings={})
    order(served, "SO-1001", "100.00", "苏州恒励精密机械有限公司")
    order(served, "SO-1002", "400.00", "宁波东沐传动有限公司")
    served.until(lambda: len(receivables(served)) == 2)
    served.job = served.upload("statement.csv", statement_csv(ROWS))
    served.until(lambda: len(served.api.get("/receipts", params={"state": "new"}).json()["items"]) == 0)
    return served


def receivables(served: Any) -> dict[str, str]:
    """The receivables by order."""
    found = served.api.get("/events", params={"type": "receivable.opened"}).json()["items"]
    return {one["data"]["order"]: one["subject"] for one in found}


def receipt(served: Any, amount: str) -> dict[str, Any]:
    """The receipt of this amount, whole, with its ETag."""
    items = served.api.get("/receipts").json()["items"]
    id_ = next(one["id"] for one in items if one["amount"] == amount)
    answer = served.api.get(f"/receipts/{id_}")
    return answer.json() | {"etag": answer.headers["etag"]}


def test_a_statement_tells_its_progress_and_is_read_once(desk: Any) -> None:
    """The job says what became of the rows and of the receipts; the same file again changes nothing, under any name."""
    events = desk.api.get("/events", params={"limit": 500}).json()["items"]

    again = desk.upload("another name.csv", statement_csv(ROWS))

    assert desk.job["state"] == "read" and desk.job["new"] == 4 and not desk.job["again"]
    assert (desk.job["understood"], desk.job["ignored"], desk.job["parked"]) == (3, 1, 0)
    assert again["again"] and again["id"] == desk.job["id"]
    assert sum(lane["count"] for lane in again["receipts"]) == 2
    assert sum(Decimal(lane["amount"]) for lane in again["receipts"]) == Decimal("350.00")
    assert desk.api.get("/events", params={"limit": 500}).json()["items"] == events
    (statement,) = desk.api.get("/statements").json()["items"]
    assert statement["balanced"] and statement["credits"] == "350.00"


def test_a_file_that_breaks_is_refused_with_its_reason(desk: Any) -> None:
    """What nobody recognises is refused at once, what breaks while it is read is refused in its job; nothing of it is kept."""
    unknown = desk.api.post("/statements", files={"file": ("photo.jpg", b"\xff\xd8\xff\xe0 not a table")})
    empty = desk.api.post("/statements", files={"file": ("empty.csv", b"")})
    job = desk.upload("broken.xlsx", b"PK\x03\x04" + b"not a workbook" * 6_000, "bank")

    assert unknown.status_code == 422 and unknown.json()["type"] == "urn:shuniu:unreadable" and unknown.json()["next"]
    assert empty.status_code == 422
    assert job["state"] == "refused" and job["problem"]["happened"] and job["problem"]["next"]
    assert job["new"] == 0


def test_a_fact_shows_its_whole_way(desk: Any) -> None:
    """From the raw that brought it over what it caused to who has handled it."""
    fact = next(
        one
        for one in desk.api.get("/events", params={"type": "receipt.received"}).json()["items"]
        if one["data"]["amount"] == "100.00"
    )

    way = desk.api.get(f"/events/{fact['id']}/trace").json()
    raw = desk.api.get(f"/raws/{way['raw']['id']}").json()

    assert way["raw"]["connection"] == "bank" and way["raw"]["outcome"]["kind"] == "understood"
    assert {"receipt.received", "match.proposed"} <= {one["type"] for one in way["events"]}
    assert ("payments", fact["id"]) in {(one["subscriber"], one["event"]) for one in way["handled"]}
    assert way["actions"] == [] and way["held"] == []
    assert "货款 SO-1001" in raw["body"]
    assert desk.api.get("/events/evt_nothing/trace").status_code == 404


def test_receipts_are_decided_and_taken_back(desk: Any) -> None:
    """A receipt lies in its lane; finance gives it to orders, takes that back, and the open amounts follow."""
    stranger = receipt(desk, "250.00")
    to = receivables(desk)["SO-1002"]
    share = {"receivable": to, "order": "SO-1002", "amount": "250.00"}

    shown = [one["id"] for one in desk.api.get("/receipts", params={"lane": "open"}).json()["items"]]
    nothing = desk.api.post(f"/receipts/{stranger['id']}/accept")
    too_much = desk.api.post(f"/receipts/{stranger['id']}/split", json={"shares": [share | {"amount": "250.01"}]})
    given = desk.api.post(f"/receipts/{stranger['id']}/split", json={"shares": [share]}, headers={"If-Match": stranger["etag"]})
    twice = desk.api.post(f"/receipts/{stranger['id']}/split", json={"shares": [share]})
    undone = desk.api.post(f"/receipts/{stranger['id']}/undo", json={"reason": "another customer's"})
    none = desk.api.post(f"/receipts/{stranger['id']}/undo", json={})

    assert stranger["lane"] == "open" and stranger["state"] == "proposed"
    assert shown == [stranger["id"]]
    assert nothing.status_code == 422 and too_much.status_code == 422 and "250.00" in too_much.json()["next"]
    assert given.status_code == 200 and given.json()["state"] == "matched"
    assert [(one["receivable"], one["amount"]) for one in given.json()["shares"]] == [(to, "250.00")]
    assert twice.status_code == 409
    assert undone.status_code == 200 and undone.json()["shares"] == [] and undone.json()["shared"] == "0.00"
    assert none.status_code == 409


def test_a_proposal_is_accepted_or_rejected(desk: Any) -> None:
    """What is proposed carries its evidence; a person who says no is obeyed, and the reason is kept."""
    known = receipt(desk, "100.00")
    if known["state"] == "matched":
        known = desk.api.post(f"/receipts/{known['id']}/undo", json={}).json()

    accepted = desk.api.post(f"/receipts/{known['id']}/accept").json()
    desk.api.post(f"/receipts/{known['id']}/undo", json={})
    rejected = desk.api.post(f"/receipts/{known['id']}/reject", json={"reason": "paid by mistake"})

    assert known["proposal"]["reasons"] and known["proposal"]["policy"]
    assert accepted["state"] == "matched" and accepted["shares"][0]["amount"] == "100.00"
    assert rejected.status_code == 200 and rejected.json()["state"] == "rejected"
    (told,) = desk.api.get("/events", params={"type": "match.rejected"}).json()["items"]
    assert told["data"]["reason"] == "paid by mistake"


def test_a_large_receipt_that_a_person_divides_needs_a_second_one(desk: Any) -> None:
    """Above the limit a division is a proposal: its author cannot accept it, a colleague can, and the engine leaves it alone."""
    hub = desk.hub
    hub.definitions.save("main", "policy", "payments", 'second_person = "200"', by="boss")
    stranger, small = receipt(desk, "250.00"), receipt(desk, "100.00")
    share = v.ShareOf(receivable=receivables(desk)["SO-1002"], order="SO-1002", amount=Decimal("250.00"))

    with hub.store.work("main") as work:
        hub.decisions.accept(work, stranger["id"], by="ann", shares=[share])
    waits = receipt(desk, "250.00")
    order(desk, "SO-1003", "250.00", "另一家公司")
    desk.until(lambda: len(receivables(desk)) == 3)
    desk.until(lambda: hub.bus.depth("payments") == 0)
    with pytest.raises(Conflict, match="second person"), hub.store.work("main") as work:
        hub.decisions.accept(work, stranger["id"], by="ann")
    still = receipt(desk, "250.00")
    with hub.store.work("main") as work:
        hub.decisions.accept(work, stranger["id"], by="bob")

    assert waits["state"] == "proposed" and waits["proposal"]["by"] == "ann" and waits["shares"] == []
    assert still["proposal"]["id"] == waits["proposal"]["id"]
    assert [one["amount"] for one in receipt(desk, "250.00")["shares"]] == ["250.00"]
    assert small["state"] == "matched"


def test_what_a_person_refused_is_not_proposed_again_until_somebody_accepts_it(desk: Any) -> None:
    """A refusal stays with payer and customer; the desk remembers it when the next receipt of that payer comes."""
    hub = desk.hub
    known = receipt(desk, "100.00")
    desk.api.post(f"/receipts/{known['id']}/undo", json={})
    desk.api.post(f"/receipts/{known['id']}/reject", json={"reason": "不同公司"})

    def refused() -> list[str]:
        with hub.store.look("main") as work:
            return [one.customer for one in book._refusals(work)]

    assert refused() == ["苏州恒励精密机械有限公司"]
    desk.api.post(f"/receipts/{known['id']}/accept")
    assert refused() == []


def test_two_people_cannot_decide_the_same_receipt(desk: Any) -> None:
    """Of those who saw the same version one decides; every other is told that somebody did."""
    stranger = receipt(desk, "250.00")
    share = {"receivable": receivables(desk)["SO-1002"], "order": "SO-1002", "amount": "250.00"}

    def decide(_: int) -> int:
        answer = desk.api.post(
            f"/receipts/{stranger['id']}/split", json={"shares": [share]}, headers={"If-Match": stranger["etag"]}
        )
        return int(answer.status_code)

    with ThreadPoolExecutor(4) as people:
        answers = sorted(people.map(decide, range(4)))

    assert answers == [200, 412, 412, 412]
    assert receipt(desk, "250.00")["shared"] == "250.00"


def test_a_write_that_comes_again_is_answered_as_before(desk: Any) -> None:
    """The same Idempotency-Key gives the first answer, also to those who ask at once; with another request it is refused."""
    stranger = receipt(desk, "250.00")
    share = {"receivable": receivables(desk)["SO-1002"], "order": "SO-1002", "amount": "250.00"}
    path, key = f"/receipts/{stranger['id']}/split", {"Idempotency-Key": "decision 1"}

    def decide(_: int) -> Any:
        return desk.api.post(path, json={"shares": [share]}, headers=key)

    with ThreadPoolExecutor(4) as people:
        answers = list(people.map(decide, range(4)))
    other = desk.api.post(path, json={"shares": [share | {"amount": "1.00"}]}, headers=key)

    assert [one.status_code for one in answers] == [200] * 4
    assert len({one.text for one in answers}) == 1
    assert sorted("idempotency-replayed" in one.headers for one in answers) == [False, True, True, True]
    assert other.status_code == 409 and "Idempotency-Key" in other.json()["title"]
    assert len(desk.api.get("/events", params={"type": "match.accepted", "subject": stranger["id"]}).json()["items"]) == 1


@pytest.mark.parametrize("etag", ["forty-two", '"-1"', '"' + "9" * 19 + '"', '"1", "2"'])
def test_an_if_match_that_is_no_version_is_refused(desk: Any, etag: str) -> None:
    """It is never taken for "whatever is there"."""
    stranger = receipt(desk, "250.00")

    answer = desk.api.post(f"/receipts/{stranger['id']}/reject", json={}, headers={"If-Match": etag})

    assert answer.status_code == 422
