"""Finding stakeholders in the directory: filters, pages, totals, facets, counts; all of it directory layer (T17).

Statements are text: they are put together from conditions, and each stands as its plan needs it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta

import orjson
from sqlalchemy import text

from services.chassis.database import UnitOfWork
from services.chassis.database.rows import all_typed
from services.contacts.contract.answers.search import FacetValue
from services.contacts.contract.commands import StakeholderQuery
from services.contacts.domain.stakeholders import Line
from services.contacts.storage.directory import terms
from services.contacts.storage.individuals import RELATIONSHIPS
from services.contacts.storage.rows import INSTANT
from services.lexicon.folding import fold, plain
from services.lexicon.honorifics import without_titles
from services.lexicon.places import REGIONS

# Text SQL: filters, ranks and facets are composed, with plans that a test checks.

#: Totals are exact up to here.
COUNTED = 10_000
#: Whom the caller's component sees frozen alone (T26): few, and found by an index of their own.
_TWIN = "d.frozen_for <> '{}' AND CAST(:asking AS text) = ANY(d.frozen_for)"
#: The others; nobody else's statement differs.
_SHOWN = "NOT (CAST(:asking AS text) = ANY(d.frozen_for))"
_NEVER = "timestamptz '1970-01-01 00:00:00+00'"
_SORT_KEYS = {
    "name": "d.sort_name",
    "last_contacted_at": f"coalesce(d.last_contacted_at, {_NEVER})",
    "created_at": "d.created_at",
}

#: An issue and every issue under it.
_BELOW = (
    "ARRAY(WITH RECURSIVE below (id) AS (SELECT CAST(:{} AS uuid) UNION"
    " SELECT i.id FROM issues i JOIN below b ON i.parent_id = b.id) SELECT id FROM below)"
)
_ISSUE = f"s.issue_id = ANY({_BELOW.format('issue')})"
#: Of links: to what, in the stakeholder's state, and not past.
_LINK_TO = "{} AND (s.kind = 'engaged' OR s.ended_on IS NULL OR s.ended_on >= :today)"
_IN_STATE = "{} AND s.state = :state"


@dataclass(slots=True)
class Filter:
    """Conditions over `directory d`, and their parameters."""

    conditions: list[str] = field(default_factory=list)
    parameters: dict[str, object] = field(default_factory=dict)
    #: Whether words were asked for: how many have them can't be estimated, and a wrong guess reads the whole directory.
    by_words: bool = False
    #: Who is found, by the links to issues alone, where these say it: a count then need not read the directory too.
    linked: str | None = None

    def add(self, condition: str, **parameters: object) -> None:
        """Add one condition."""
        self.conditions.append(condition)
        self.parameters.update(parameters)

    @property
    def where(self) -> str:
        """The conditions as SQL."""
        return " AND ".join(self.conditions) or "true"


def filter_of(query: StakeholderQuery, *, now: datetime, misspelt: bool = False) -> Filter:
    """Return the filter of a query.

    :param misspelt: match words that are only similar.
    """
    wanted = Filter()
    if query.get("holders") is not None:
        # Whoever has a value that was searched for: few, so that no estimate is worth its time.
        wanted.by_words = True
        wanted.add("d.stakeholder_id = ANY(CAST(:holders AS uuid[]))", holders=query["holders"])
    written = query.get("q") or ""
    if words := terms(written):
        wanted.by_words = True
        _add_words(wanted, words, _named(written), misspelt=misspelt)
    elif written:
        # Only punctuation was asked for: nothing is called so.
        wanted.add("false")
    for name in ("type", "state", "sector"):
        if query.get(name) is not None:
            wanted.add(f"d.{name} = :{name}", **{name: query.get(name)})
    if query.get("owner") is not None:
        wanted.add("d.owner_id = CAST(:owner AS uuid)", owner=query["owner"])
    if query.get("organization_id") is not None:
        wanted.add("d.organization_id = CAST(:organization_id AS uuid)", organization_id=query["organization_id"])
    if (region := query.get("fema_region")) is not None:
        wanted.add("d.state = ANY(CAST(:region_states AS text[]))", region_states=list(REGIONS.get(region, ())))
    if query.get("interest") is not None:
        wanted.add("EXISTS (SELECT FROM unnest(d.interests) AS i (name) WHERE lower(i.name) = lower(:interest))", interest=query["interest"])
    if query.get("group") is not None:
        wanted.add("CAST(:group AS uuid) = ANY(d.group_ids)", group=query["group"])
    if query.get("component") is not None:
        wanted.add(
            "EXISTS (SELECT FROM relationships r WHERE r.stakeholder_id = d.stakeholder_id AND r.component = :component)",
            component=query["component"],
        )
    _add_issues(wanted, query, now=now)
    _add_contacts(wanted, query)
    if query.get("state") is not None and query.get("issue") is not None and len(wanted.conditions) == 2:
        linked = _LINK_TO.format(_IN_STATE.format(_ISSUE))
        wanted.linked = f"SELECT DISTINCT s.stakeholder_id FROM stakeholder_issues s WHERE {linked}"  # noqa: S608 - put together from our own constants
    return wanted


def _named(written: str) -> list[tuple[str, ...]]:
    """Return the words of a search that are a person's name: "Dr. Robert Smith Jr." is Robert Smith."""
    return terms(" ".join(without_titles([token for token in plain(written).replace(",", " ").split() if fold(token)])))


def _add_words(wanted: Filter, words: Sequence[tuple[str, ...]], named: Sequence[tuple[str, ...]], *, misspelt: bool) -> None:
    found = _have(wanted, words, "word", misspelt=misspelt)
    if named and list(named) != list(words):
        # Salutations and suffixes hide nobody; what is left must then be in the name, or "General Electric" would find every "electric".
        people = _have(wanted, named, "name", misspelt=misspelt)
        if not misspelt:
            wanted.parameters["names"] = [f"% {word}%" for unit in named for word in {unit[0], "".join(unit)}]
            people += " AND ' ' || d.sort_name LIKE ANY(CAST(:names AS text[]))"
        found = f"({found} OR d.type = 'individual' AND {people})"
    wanted.add(found)


def _have(wanted: Filter, units: Sequence[tuple[str, ...]], called: str, *, misspelt: bool) -> str:
    def word(text: str, name: str) -> str:
        # Folded words hold letters and digits only, so that quoting them is enough.
        wanted.parameters[name] = f"'{text}':*"
        condition = f"d.words @@ CAST(:{name} AS tsquery)"
        if misspelt and len(text) > 2:
            wanted.parameters[f"{name}_like"] = text
            condition = f"({condition} OR CAST(:{name}_like AS text) <% d.letters)"
        return condition

    conditions = []
    for at, unit in enumerate(units):
        each = " AND ".join(word(text, f"{called}_{at}_{place}") for place, text in enumerate(unit))
        if len(unit) > 1:
            # "A.J." is found as AJ, and "al-Rashid" as Alrashid.
            wanted.parameters[f"{called}_{at}"] = f"'{''.join(unit)}':*"
            each = f"({each} OR d.words @@ CAST(:{called}_{at} AS tsquery))"
        conditions.append(each)
    return " AND ".join(conditions)


def _add_issues(wanted: Filter, query: StakeholderQuery, *, now: datetime) -> None:
    link = f"EXISTS (SELECT FROM stakeholder_issues s WHERE s.stakeholder_id = d.stakeholder_id AND {_LINK_TO})"
    today = now.astimezone(UTC).date()
    if query.get("state") is not None:
        # The same state as the directory's: an index holds issue and state together.
        link = link.format(_IN_STATE)
    if query.get("issue") is not None:
        wanted.add(link.format(_ISSUE), issue=query["issue"], today=today)
    if query.get("priority") is not None:
        wanted.add(link.format("s.issue_id IN (SELECT id FROM issues WHERE priority = :priority)"), priority=query["priority"], today=today)


def _add_contacts(wanted: Filter, query: StakeholderQuery) -> None:
    if query.get("engaged_on") is not None:
        wanted.add(
            f"EXISTS (SELECT FROM engagements e WHERE e.stakeholder_id = d.stakeholder_id AND e.issue_ids && {_BELOW.format('engaged_on')})",
            engaged_on=query["engaged_on"],
        )
    if query.get("event") is not None:
        wanted.add(
            "EXISTS (SELECT FROM engagements e WHERE e.stakeholder_id = d.stakeholder_id AND e.source_id = CAST(:event AS uuid))",
            event=query["event"],
        )
    if (after := query.get("contacted_after")) is not None:
        wanted.add("d.last_contacted_at >= :contacted_after", contacted_after=datetime.combine(after + timedelta(days=1), time(), UTC))
    if (before := query.get("contacted_before")) is not None:
        wanted.add("d.last_contacted_at < :contacted_before", contacted_before=datetime.combine(before, time(), UTC))


def allow_likeness(work: UnitOfWork) -> None:
    """Set how similar a misspelt word must be. It stays on the connection; every other user of it sets the same."""
    work.execute(text("SELECT set_config('pg_trgm.word_similarity_threshold', '0.5', false)"))


@dataclass(frozen=True, slots=True)
class Position:
    """Where a page ended, and what was found on the first one."""

    key: str | None
    id: str
    total: int
    misspelt: bool


def page(work: UnitOfWork, wanted: Filter, *, sort: str, limit: int, component: str | None, after: Position | None = None) -> tuple[list[Line], int]:
    """Return up to `limit` rows after a position, and the total, in one statement.

    Leave out whom only the caller's component sees frozen (T26). A total far above `COUNTED` is not counted; after a
    position the total is 0.
    """
    descending = sort.startswith("-")
    key = _SORT_KEYS[sort.removeprefix("-")]
    direction, beyond = ("DESC", "<") if descending else ("ASC", ">")
    parameters = {**wanted.parameters, "limit": limit, "asking": component or ""}
    shown = f"{wanted.where} AND {_SHOWN}"
    behind = "true"
    if after is not None:
        cast = 'CAST(:after_key AS text) COLLATE "C"' if key == "d.sort_name" else "CAST(:after_key AS timestamptz)"
        behind = f"({key}, d.stakeholder_id) {beyond} ({cast}, CAST(:after_id AS uuid))"
        parameters |= {"after_key": after.key, "after_id": after.id}
    found, source, where, total = "", "directory d", f"{shown} AND {behind}", "0"
    if wanted.by_words:
        found = f"WITH found AS MATERIALIZED (SELECT d.* FROM directory d WHERE {shown})"  # noqa: S608 - put together from our own constants
        source, where = "found d", behind
    if after is None and wanted.by_words:
        total = "(SELECT count(*) FROM found)"
    elif after is None:
        # Counted by the indexes alone, and then without the twins: to ask each row for whom it is frozen costs ten times as much.
        counted = wanted.linked or f"SELECT FROM directory d WHERE {wanted.where}"
        twins = f"(SELECT count(*) FROM directory d WHERE {wanted.where} AND {_TWIN})"  # noqa: S608 - put together from our own constants
        total = f"(SELECT count(*) FROM ({counted} LIMIT {COUNTED + 1} + {twins}) AS counted) - {twins}"  # noqa: S608 - likewise
    # One value for the page: column by column, its rows would take the driver longer than the server takes to find them.
    written = work.execute(
        text(
            f"{found} SELECT CAST(json_agg(p) AS text) FROM (SELECT d.stakeholder_id AS id, d.type, d.name, d.first_name, d.last_name, d.title,"  # noqa: S608 - put together from our own constants
            " d.organization_id, d.organization_name, d.sector, d.state, d.owner_id, d.owner_component,"
            f" {INSTANT.format('d.last_contacted_at')} AS last_contacted_at, CAST({key} AS text) AS key,"
            f" {RELATIONSHIPS.format(id='d.stakeholder_id')}, {total} AS _total"
            f" FROM {source} WHERE {where} ORDER BY {key} {direction}, d.stakeholder_id {direction} LIMIT :limit) AS p"
        ),
        parameters,
    ).scalar_one()
    rows = orjson.loads(written or "[]")
    counted_in_all = int(rows[0]["_total"]) if rows else 0
    for row in rows:
        del row["_total"]
    return [Line(**row) for row in rows], counted_in_all


_FACETS = {
    "type": ("d.type", ""),
    "state": ("d.state", ""),
    "sector": ("d.sector", ""),
    "component": ("r.component", "JOIN relationships r ON r.stakeholder_id = d.stakeholder_id"),
    "issue": ("s.issue_id::text", "JOIN stakeholder_issues s ON s.stakeholder_id = d.stakeholder_id"),
    "priority": ("i.priority", "JOIN stakeholder_issues s ON s.stakeholder_id = d.stakeholder_id JOIN issues i ON i.id = s.issue_id"),
}


def facet(work: UnitOfWork, wanted: Filter, name: str, *, component: str | None) -> list[FacetValue]:
    """Return the number of found stakeholders for each value of a facet, largest first, without whom the component sees frozen."""
    value, join = _FACETS[name]
    # One may be linked to an issue twice, engaged and interested; everything else is there once.
    counted = "DISTINCT d.stakeholder_id" if name in {"issue", "priority"} else "*"
    rows = work.execute(
        text(
            f"SELECT {value} AS value, count({counted}) AS count FROM directory d {join}"  # noqa: S608 - put together from our own constants
            f" WHERE {wanted.where} AND {_SHOWN} GROUP BY 1 ORDER BY 2 DESC, 1"
        ),
        {**wanted.parameters, "asking": component or ""},
    )
    return [{"value": row["value"], "count": row["count"]} for row in rows.mappings() if row["value"] is not None]


@dataclass(frozen=True, slots=True)
class StateCount:
    """How many stakeholders there are in a state, or in none."""

    state: str | None
    individuals: int = 0
    organizations: int = 0


def by_state(work: UnitOfWork, wanted: Filter, *, component: str | None) -> list[StateCount]:
    """Return how many individuals and organizations each state has, null included, without whom the component sees frozen."""
    source, each = f"directory d WHERE {wanted.where} AND {_SHOWN}", "count(*)"
    if not wanted.conditions:
        # Everybody: that number is kept.
        twins = f"SELECT d.type, d.state, -1 FROM directory d WHERE {_TWIN}"  # noqa: S608 - put together from our own constants
        source, each = f"(SELECT type, state, counted FROM directory_tallies UNION ALL {twins}) d", "sum(d.counted)"  # noqa: S608 - likewise
    individuals, organizations = (f"coalesce({each} FILTER (WHERE d.type = '{kind}'), 0)::bigint" for kind in ("individual", "organization"))
    rows = work.execute(
        text(f"SELECT d.state, {individuals} AS individuals, {organizations} AS organizations FROM {source} GROUP BY 1"),  # noqa: S608 - put together from our own constants
        {**wanted.parameters, "asking": component or ""},
    )
    return all_typed(StateCount, rows.mappings())
