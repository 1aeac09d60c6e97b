"""No file and no text blocks others: child processes parse both, and their failures affect nothing else (P19)."""

from __future__ import annotations

import io
import os
import signal
import sys
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import eventlet
import pytest

from services.chassis.messages import Refusal
from services.chassis.sandbox import pool as apart
from services.chassis.sandbox.pool import Pool
from services.contacts.contract.imports import FileTooCostly
from services.contacts.domain.imports import reading, staging
from services.lexicon.screening import screen
from services.lexicon.screening.apart import screen_long_texts_apart
from services.lexicon.screening.screen import LONG, screen_here
from tests.cast import GRACE
from tests.integration.contacts.conftest import Desk
from tests.integration.contacts.test_imports import Porter
from tests.support.waiting import eventually

AIM = 0.05
SMALL = "Last name,First name\nLevi,Dov\n"
ALPHABETS = {
    "plain": "The director met Dov about the grant and asked for a call. ", "digits": "5 ", "telephones": "202-555-0147 ", "documents": "123-45-678 ",
    "signs": "a@", "dots": "a.", "hyphens": "555-", "brackets": "(", "blanks": " ", "lines": "\n", "quotes": '"', "names": "O'Mc",
    "terms": "Muslim, ",
    "persons": "he is a ", "spoken": "one two three ", "births": "born 01/01/19 ", "Han": "漢", "Arabic": "مسلم ", "Hebrew": "יהודי ",
    "Greek": "Ωμέγα ",
    "Cyrillic": "Иван ", "combining": "e\u0301", "invisible": "a\u200b", "emoji": "👩‍👩‍👧",
}  # fmt: skip
LONGEST = 20_000


@pytest.fixture
def own(monkeypatch: pytest.MonkeyPatch) -> Iterator[Pool]:
    """A pool of this test's own."""
    own = Pool()
    monkeypatch.setattr(apart, "_pool", own)
    yield own
    own.end()


@pytest.fixture
def porter(desk: Desk, own: Pool) -> Porter:
    return Porter(desk)


@contextmanager
def stalls(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[float]]:
    """Measure the loop's own computing time between two turns; a busy machine adds nothing to it."""
    hub = eventlet.hubs.get_hub()
    switch, since, found = hub.switch, time.thread_time(), [0.0]

    def measured() -> Any:
        nonlocal since
        found.append(time.thread_time() - since)
        answer = switch()
        since = time.thread_time()
        return answer

    with monkeypatch.context() as patched:
        patched.setattr(hub, "switch", measured)
        yield found


def workbook(rows: bytes) -> bytes:
    file = io.BytesIO()
    main = b'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    relations = b"http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    leads = b'<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1" Type="%s/%s" Target="%s"/>'
    sheets = b'<workbook %s xmlns:r="%s"><sheets><sheet name="a" sheetId="1" r:id="r1"/></sheets></workbook>'
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("_rels/.rels", leads % (relations, b"officeDocument", b"xl/workbook.xml") + b"</Relationships>")
        archive.writestr("xl/workbook.xml", sheets % (main, relations))
        archive.writestr("xl/_rels/workbook.xml.rels", leads % (relations, b"worksheet", b"worksheets/sheet1.xml") + b"</Relationships>")
        archive.writestr("xl/worksheets/sheet1.xml", b"<worksheet %s><sheetData>%s</sheetData></worksheet>" % (main, rows))
    return file.getvalue()


#: Two cells, and ten million places between them that the reader lays out.
SPARSE = workbook(b'<row r="1"><c r="A1"><v>1</v></c></row><row r="100000"><c r="CV100000"><v>1</v></c></row>')
FILES = {
    "far.xlsx": workbook(b'<row r="2"><c a=">" r="xfd1048576"><v>1</v></c></row>'),
    "sparse.xlsx": SPARSE,
    "names.csv": b"Last name,First name\n" + b"Levi,Dov\n" * 20_000,
    "one-cell.csv": b"Last name,First name\nLevi," + b"a" * (9 << 20),
    "open.csv": b"Last name,First name\n" + b'"' * 3_000_000,
    "folds.vcf": b"BEGIN:VCARD\r\nN:Levi;Dov\r\nNOTE:x" + b"\r\n y" * 300_000 + b"\r\nEND:VCARD\r\n",
    "old.xls": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\xff" * 500_000,
}


@pytest.mark.requirement("R77", "R78", "R79")
def test_files_are_read_in_another_process_and_hold_nobody_up(porter: Porter, own: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    def read_here(*_: object) -> None:
        pytest.fail("A file was read in the process of the service.")

    porter.upload(SMALL)
    assert own.pids
    assert os.getpid() not in own.pids
    for module in (reading, staging):
        monkeypatch.setattr(module, "read", read_here)
    longest = {}
    for name, content in FILES.items():
        with stalls(monkeypatch) as found:
            try:
                became = str(porter.upload(content, name, GRACE)["rows"])
            except Refusal as refusal:
                became = refusal.code
        longest[name] = max(found)
        print(f"{name}, {len(content) >> 10} KiB: {became}; the loop's longest stall {max(found) * 1000:.0f} ms (aim {AIM * 1000:.0f})")
    print(f"longest of all: {max(longest.values()) * 1000:.0f} ms")
    assert porter.upload(SMALL)["rows"] == 1


@pytest.mark.requirement("R77")
def test_a_file_whose_process_dies_is_refused_and_the_next_one_is_read(porter: Porter, own: Pool) -> None:
    porter.upload(SMALL)

    def kill_when_at_work() -> None:
        eventually(lambda: own._at_work)
        for pid in own.pids:
            os.kill(pid, signal.SIGKILL)

    killing = eventlet.spawn(kill_when_at_work)
    with pytest.raises(FileTooCostly):
        porter.upload(b"Last name,First name\n" + b"Levi,Dov\n" * 50_000, by=GRACE)
    killing.wait()
    problem = porter.list_imports(GRACE, query={})["items"][0]["problem"]
    assert problem["code"] == "file-too-costly"
    assert porter.upload(SMALL)["rows"] == 1


@pytest.mark.requirement("R77")
def test_a_file_that_takes_too_much_memory_is_refused_and_the_next_one_is_read(porter: Porter, own: Pool) -> None:
    own.memory = 90 << 20
    many = b",".join(b"Column%d" % n for n in range(20)) + b"\n" + (b"a," * 20 + b"\n") * 50_000
    with pytest.raises(FileTooCostly):
        porter.upload(many, by=GRACE)
    assert porter.upload(SMALL)["rows"] == 1
    pids = own.pids
    own.end()
    assert not any(Path(f"/proc/{pid}").exists() for pid in pids)


@pytest.mark.requirement("T15", "R41")
def test_long_texts_of_every_alphabet_hold_nobody_up(own: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules[screen_here.__module__], "_of_long_texts", None)
    screen_long_texts_apart()
    own.run(os.getpid, refusal=FileTooCostly)
    worst = 0.0
    for alphabet, letters in ALPHABETS.items():
        text = (letters * (LONGEST // len(letters) + 1))[:LONGEST]
        with stalls(monkeypatch) as found:
            found_apart = screen(text)
        worst = max(worst, *found)
        assert found_apart == screen_here(text), alphabet
    print(f"texts of {LONGEST} letters in {len(ALPHABETS)} alphabets: the loop's longest stall {worst * 1000:.0f} ms (aim {AIM * 1000:.0f})")
    (at_rest,) = own.pids
    os.kill(at_rest, signal.SIGKILL)
    with pytest.raises(Refusal, match="takes too long"):
        screen("a " * LONG)
    assert screen("a " * LONG) == []
