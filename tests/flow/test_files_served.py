"""A served hub takes bank files out of a ZIP and out of a folder, by the same way as a file that is uploaded."""

import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
OFX = (ROOT / "connectors/bank_ofx/fixtures/unclosed_tags_and_a_code_page/raw.txt").read_bytes()
QIF = (ROOT / "connectors/bank_qif/fixtures/register_with_opening_and_splits/raw.txt").read_bytes()


def zipped(**files: bytes) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name, body in files.items():
            archive.writestr(name.replace("_", "."), body)
    return made.getvalue()


def connect(served: Any, connector: str) -> None:
    served.hub.registry.save("main", connector.replace("_", "-"), connector=connector, settings={})


def test_an_archive_is_uploaded_like_a_file(served: Any) -> None:
    """Each file in it finds its reader; the job tells the sums, the members and the receipts of all of them."""
    for connector in ("bank_ofx", "bank_qif"):
        connect(served, connector)

    job = served.upload("march.zip", zipped(march_qfx=OFX, book_qif=QIF, photo_jpg=b"\xff\xd8"))
    again = served.upload("march.zip", zipped(march_qfx=OFX, book_qif=QIF))

    assert (job["state"], job["rows"], job["parked"], job["waiting"]) == ("read", 8, 0, 0)
    assert [(one["name"], one["problem"] is None) for one in job["members"]] == [
        ("march.qfx", True),
        ("book.qif", True),
        ("photo.jpg", False),
    ]
    assert sum(one["count"] for one in job["receipts"]) == 4
    assert [one["name"] for one in again["members"]] == ["march.qfx", "book.qif"]
    assert len(served.api.get("/receipts").json()["items"]) == 4


def test_an_archive_that_may_not_be_unpacked_is_refused_at_the_door(served: Any) -> None:
    """With the rule by its name."""
    refused = served.api.post("/statements", files={"file": ("empty.zip", zipped())})

    assert refused.status_code == 422
    assert "no file in the archive" in refused.text


def test_a_dropped_file_becomes_receipts(
    serve: Callable[..., Any], database_url: str, bus_url: str | None, bus_prefix: str, tmp_path: Path
) -> None:
    """The hub watches the folder that its settings name; what nobody reads lies in `refused` with its reason."""
    folder = tmp_path / "in"
    settings = {"watch_folder": str(folder), "watch_every": 0.05}
    hub = serve(home=tmp_path, database_url=database_url, bus_url=bus_url or "", bus_prefix=bus_prefix, **settings)
    connect(hub, "bank_ofx")
    hub.until(folder.is_dir)

    (folder / "march.ofx").write_bytes(OFX)
    (folder / "photo.jpg").write_bytes(b"\xff\xd8")
    hub.until(lambda: (folder / "done" / "march.ofx").exists() and (folder / "refused" / "photo.jpg").exists())

    hub.until(lambda: len(hub.api.get("/receipts").json()["items"]) == 2)
    assert "no connection recognises" in (folder / "refused" / "photo.jpg.reason.txt").read_text(encoding="utf-8")
    hub.stop()
    if bus_url:
        hub.hub.bus.remove()
        hub.hub.bus.close()
