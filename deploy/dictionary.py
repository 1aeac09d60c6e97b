"""Generate the data dictionary from the services' declarations."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType

import click

from deploy.conformance import ROOT, read_requirements, write_or_check
from services.access.storage.dictionary import TABLES as ACCESS
from services.audit.storage.dictionary import TABLES as AUDIT
from services.contacts.storage.dictionary import KEYS
from services.contacts.storage.dictionary import TABLES as CONTACTS
from services.interactions.storage.dictionary import TABLES as INTERACTIONS
from services.lexicon.dictionary import SENTENCES, STAYS, Column, Table
from services.retention.storage.dictionary import TABLES as RETENTION

PAGE = ROOT / "docs" / "data-dictionary.md"
#: The tables of each database.
STORES: Mapping[str, tuple[Table, ...]] = MappingProxyType(
    {"contacts": CONTACTS, "keys": KEYS, "interactions": INTERACTIONS, "retention": RETENTION, "access": ACCESS, "audit": AUDIT}
)
_HEAD = """\
# Data dictionary

Made by `liaison dictionary` from what the services declare; nobody writes it by hand. A test holds it to the databases: a
column that is not here fails `make check`. The erasers and the search for what is left of an erased person work through the
same list. What databases keep beside their columns, and what lies outside of them, is at the end.

What becomes of a column when a person is erased:
"""
_BESIDE = """\
## Beside the columns

| what | when a person is erased |
|---|---|
| Expression and trigram indexes, the search's word lists | Made of the columns above, and changed with them. |
| PostgreSQL's statistics (most common values, histograms) | None are kept of columns that people write into, but for those by \
which the search and the comparison of names find people: these are taken anew when the erasure ends. |
| Dead rows, pages of indexes that a vacuum has not reached, the write-ahead log | Not reached: PostgreSQL overwrites them. \
Nobody reads them through a query or a dump, but whoever has the files can. The certificate says so. |
| Backups | Not reached until they are replaced. Contact values in them cannot be read once the person's key is destroyed. |
| Queues, retry queues, dead letters | Announcements, entries and their copies hold ids and codes. Calls with values are \
transient, and expire with their deadline; what a component's system submits lives an hour at most. |
| The in-process broker's journal | The same messages as on the broker, and nothing else. |
| What was typed into a form whose session ended | Carried by the browser, sealed, and kept by no process. |
| Files that are sent in | Read from memory or from a nameless temporary file; staged as `import_pieces` and `import_blocks`. |
| Logs | Ids, codes, sizes and names of routes; a request's own id only where it is a UUID or a trace id. |
| The list of erased ids, the trail's witness file | Ids, and digests of the tree. |
"""


def render() -> str:
    """Return the page."""
    lines = [_HEAD, "| word | meaning |", "|---|---|", *(f"| {word} | {sentence} |" for word, sentence in SENTENCES.items()), ""]
    for store, tables in STORES.items():
        lines += [f"## {store}", ""]
        for each in sorted(tables, key=lambda table: table.name):
            lines += [f"### {store}.{each.name}", "", f"{each.says}. Kept: {each.kept[0].lower()}{each.kept[1:]}.", ""]
            lines += ["| column | holds | whose | when a person is erased | why |", "|---|---|---|---|---|", *_lines(each), ""]
    return "\n".join([*lines, _BESIDE])


def _lines(table: Table) -> Iterator[str]:
    for column in table.columns:
        fate = f"{column.erased}. {column.note}" if column.note else column.erased
        yield f"| {column.name} | {column.holds} | {column.whose} | {fate} | {column.why} |"


def unknown_reasons() -> list[str]:
    """Return the columns without a reason, or whose reason is not a known requirement."""
    known = {requirement.number for requirement in read_requirements()}
    return [name for name, column in every_column() if not column.why or not set(column.why.split()) <= known]


def every_column() -> Iterator[tuple[str, Column]]:
    """Yield the full name and declaration of every column."""
    for store, tables in STORES.items():
        for table in tables:
            for column in table.columns:
                yield f"{store}.{table.name}.{column.name}", column


@click.command()
@click.option("--check", is_flag=True, help="Write nothing; fail if the page is not what the services declare.")
def dictionary(*, check: bool) -> None:
    """Write docs/data-dictionary.md: every column, whose words it holds, and what an erasure makes of it."""
    if not write_or_check(PAGE, render(), "liaison dictionary", check=check):
        return
    columns = [column for _, column in every_column()]
    click.echo(f"{len(columns)} columns; an erasure reaches {sum(column.erased != STAYS for column in columns)} of them.")
