"""The data dictionary: every column, what it holds, about whom, and what an erasure does to it (P27, N3).

Each service declares its tables in `storage/dictionary.py`, and a test compares the declarations with the databases.
Erasures use the same declarations to find the columns to search.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from sqlalchemy import ARRAY, Boolean, Date, DateTime, Integer, MetaData, Uuid

#: Kinds of content of a column.
ID: Final = "id"
CODE: Final = "code"
TIME: Final = "time"
NUMBER: Final = "number"
PLAIN: Final = "plain"
ENCRYPTED: Final = "encrypted"
DIGEST: Final = "digest"

#: What an erasure does to a column; the generated document explains each word.
DELETED: Final = "deleted"
SEARCHED: Final = "searched"
REMADE: Final = "made anew"
APART: Final = "searched apart"
CLEARED: Final = "cleared"
LAPSES: Final = "lapses"
STAYS: Final = "stays"

SENTENCES: Final[Mapping[str, str]] = {
    DELETED: "The row goes with the person, in the first step.",
    SEARCHED: "The row goes with the person whom it is about. In rows about others the person's values are searched for, and taken out"
    " or decided (T27).",
    REMADE: "Made of other columns, and made anew when one of them changes; the row of the person goes with them.",
    APART: "Searched by other means than the rest, as the column says.",
    CLEARED: "Emptied, when it is about the person or names them.",
    LAPSES: "Not searched: it cannot be read without a key that is in no database, or is gone within the time that the table says.",
    STAYS: "Kept: it says nothing of a stakeholder by itself, and joins nothing that could once the person's rows are gone.",
}

STAKEHOLDER: Final = "stakeholders"
USER: Final = "users"
NOBODY: Final = "nobody"

#: SQL types of searched columns, by the suffix of the declared name.
_TYPES: Final[Mapping[str, str]] = {"[]": "text[]", "{}": "json"}


@dataclass(frozen=True, slots=True)
class Column:
    """A declared column."""

    name: str
    #: A kind of content.
    holds: str
    #: Whose data it is: of stakeholders, of users, or of nobody.
    whose: str
    #: What an erasure does to it.
    erased: str
    #: The numbers of the requirements or decisions behind it.
    why: str
    #: A remark for the document.
    note: str = ""
    #: `text`, `text[]` or `json` for a column with text by people, else empty.
    sql: str = ""
    #: Whether the whole value is deleted if it mentions the person, because the rest would be meaningless.
    whole: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """A declared table."""

    name: str
    says: str
    #: The retention period of its rows.
    kept: str
    #: The columns with the id of the row's person; the row is deleted with that person.
    linked: tuple[str, ...]
    columns: tuple[Column, ...]
    #: The column that identifies a row, and the one that tells rows with the same key apart.
    key: str = "id"
    part: str | None = None

    @property
    def searched(self) -> tuple[Column, ...]:
        """The columns that are searched for an erased person's values."""
        return tuple(column for column in self.columns if column.erased == SEARCHED)


def table(
    name: str,
    says: str,
    *,
    kept: str,
    why: str,
    linked: str = "",
    whose: str = STAKEHOLDER,
    ids: str = "",
    codes: str = "",
    times: str = "",
    numbers: str = "",
    searched: str = "",
    whole: str = "",
    own: str = "",
    remade: str = "",
    encrypted: str = "",
    digests: str = "",
    others: Iterable[Column] = (),
    whys: Mapping[str, str] = MappingProxyType({}),
    notes: Mapping[str, str] = MappingProxyType({}),
    key: str = "id",
    part: str | None = None,
) -> Table:
    """Declare a table; its column names are grouped by content and separated by spaces.

    :param linked: the columns with the id of the row's person.
    :param searched: text by people, searched for an erased person's values; `[]` or `{}` marks a list or JSON.
    :param whole: likewise, but the whole value is deleted if it mentions the person.
    :param own: names of the row's own person or organization, which are not searched for other people.
    :param remade: columns that are computed from others.
    :param others: columns that erasures treat in another way.
    :param whys: requirements of single columns, if they differ from the table's.
    """
    own_fate = DELETED if linked else STAYS

    def each(names: str, holds: str, of: str, erased: str, *, is_whole: bool = False) -> Iterator[Column]:
        for written in names.split():
            sign = written[-2:] if written[-2:] in _TYPES else ""
            column = written.removesuffix(sign)
            sql = _TYPES.get(sign, "text") if erased == SEARCHED else ""
            yield Column(column, holds, of, erased, whys.get(column, why), notes.get(column, ""), sql, is_whole)

    columns = (
        *each(ids, ID, whose, own_fate),
        *each(codes, CODE, whose, own_fate),
        *each(times, TIME, whose, own_fate),
        *each(numbers, NUMBER, whose, own_fate),
        *each(own, PLAIN, whose, own_fate),
        *each(searched, PLAIN, STAKEHOLDER, SEARCHED),
        *each(whole, PLAIN, STAKEHOLDER, SEARCHED, is_whole=True),
        *each(remade, PLAIN, whose, REMADE),
        *each(encrypted, ENCRYPTED, whose, own_fate if linked else LAPSES),
        *each(digests, DIGEST, whose, own_fate),
        *others,
    )
    return Table(name, says, kept, tuple(linked.split()), columns, key, part)


#: What columns hold whose type has no words.
_BY_TYPE: Final = {"ids": (Uuid,), "times": (DateTime, Date), "numbers": (Integer, Boolean)}


def typed_table(store: MetaData, name: str, says: str, *, others: Collection[Column] = (), **declared: Any) -> Table:
    """Declare a table as `table` does; its ids, instants and numbers are told from the types of its columns, unless `others` has them."""
    apart = {column.name for column in others}
    typed: dict[str, Any] = dict.fromkeys(_BY_TYPE, "")
    for column in store.tables[name].columns:
        kind = column.type.item_type if isinstance(column.type, ARRAY) else column.type
        for holds, types in _BY_TYPE.items():
            if isinstance(kind, types) and column.name not in apart:
                typed[holds] += f" {column.name}"
    return table(name, says, others=others, **typed, **declared)


#: The retention period of copies of access's users and components.
AS_THE_ACCOUNT: Final = "As long as the account; told by access"


def users(*, times: str = "") -> Table:
    """Declare the table with a service's copies of users.

    :param times: its columns with instants.
    """
    codes, numbers = "component level roles", "active revision"
    return table("users", "Who may do what", kept=AS_THE_ACCOUNT, why="R181", whose=USER, ids="id", codes=codes, times=times, numbers=numbers)


_DAYS = "Until a signed checkpoint covers the day: usually the day after"

#: The chassis's tables in every service's database; they contain only ids, codes and names of fields.
BOOKKEEPING: Final[tuple[Table, ...]] = (
    table(
        "outbox",
        "Announcements on their way: ids and codes",
        kept=_DAYS,
        why="N3",
        whose=NOBODY,
        ids="id",
        codes="routing_key",
        times="day created_at due_at",
        numbers="done",
        others=[
            Column("body", CODE, NOBODY, STAYS, "N3", "JSON of ids and codes; of a component's message its id, which the component chose."),
        ],
    ),
    table(
        "entries",
        "Entries of the audit trail on their way: ids, codes and names of fields",
        kept=_DAYS,
        why="R123",
        whose=USER,
        ids="stream",
        times="day created_at",
        numbers="n done",
        others=[Column("body", CODE, USER, STAYS, "R123", "JSON of ids, codes and names of fields; never a value.")],
    ),
    table(
        "streams",
        "The numbers of each process, and the certificate of the key that signs its lines",
        kept="For good",
        why="R124",
        whose=NOBODY,
        ids="id",
        codes="certificate",
        times="started_at settled_at closed_at",
        numbers="mark",
    ),
    table("inbox", "Messages that were heard", kept="30 days", why="N3", whose=NOBODY, ids="id", codes="name", times="received_at"),
    table(
        "operations",
        "Commands that were done, to answer a repetition: a status and an id, never a body",
        kept="25 hours",
        why="R123",
        whose=USER,
        ids="id user_id subject_id",
        codes="method path",
        times="created_at",
        numbers="status",
        digests="key body_hash",
    ),
    table(
        "checkpoints_seen",
        "Checkpoints of the trail, as witnessed here",
        kept="For good",
        why="R126",
        whose=NOBODY,
        codes="origin note",
        times="seen_at",
        numbers="size",
        digests="root",
    ),
    table("alembic_version", "Which migrations were made", kept="For good", why="R13", whose=NOBODY, codes="version_num"),
)
