"""Documents name only files, folders and headings that exist."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.conformance import ROOT

DOCUMENTS = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]
#: `liaison init` and `make` write these; they are in no repository.
WRITTEN = ("deploy/secrets", "deploy/.env")
_PATH = re.compile(r"`((?:services|gateway|deploy|tests|docs|requirements|\.ci)/[^`\s*]*[\w/])`")
_LINK = re.compile(r"\]\(([^)#\s]*)(?:#([^)\s]*))?\)")


def _slug(heading: str) -> str:
    """Return the anchor of a heading as GitHub makes it."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def _missing(document: Path, text: str) -> Iterator[str]:
    for path in _PATH.findall(text):
        if not path.startswith(WRITTEN) and not (ROOT / path).exists():
            yield path
    for target, anchor in _LINK.findall(text):
        if "://" in target or target.startswith("mailto:"):
            continue
        file = document.parent / target if target else document
        if not file.exists():
            yield target
        elif (
            anchor
            and file.suffix == ".md"
            and anchor not in {_slug(line.lstrip("#").strip()) for line in file.read_text().splitlines() if line.startswith("#")}
        ):
            yield f"{target}#{anchor}"


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: str(document.relative_to(ROOT)))
def test_every_file_folder_and_heading_that_a_document_names_exists(document: Path) -> None:
    assert list(_missing(document, document.read_text())) == []


def test_a_path_and_a_heading_that_do_not_exist_are_found() -> None:
    text = "`services/contacts/nowhere.py` [link](operating.md#nowhere) `deploy/secrets/tls_authority` [link](operating.md#backups) `docs`"
    assert list(_missing(ROOT / "docs" / "security.md", text)) == ["services/contacts/nowhere.py", "operating.md#nowhere"]
