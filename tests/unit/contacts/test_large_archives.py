"""Workbooks whose archive has very many parts: refused at once, before anything reads it."""

from __future__ import annotations

import io
import time
import zipfile

import pytest

from services.contacts.contract.imports import TooManyParts
from services.contacts.domain.imports.reading import read


@pytest.mark.requirement("R77")
@pytest.mark.parametrize("payload", [b"", b"<a/>"])
def test_a_workbook_of_very_many_parts_is_refused_before_it_is_read(payload: bytes) -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        for n in range(12_000):
            archive.writestr(zipfile.ZipInfo(f"xl/{n}"), payload)
    began = time.perf_counter()
    with pytest.raises(TooManyParts):
        read("list.xlsx", file.getvalue())
    print(f"refused in {time.perf_counter() - began:.3f} s")
