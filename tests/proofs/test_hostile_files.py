"""Files changed at random or generated are read, or refused with a code, within ten seconds and 200 MB of additional memory (P19)."""

from __future__ import annotations

import hashlib
import time
from collections import Counter
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.chassis.sandbox.pool import Pool
from services.contacts.contract.imports import FileTooCostly
from tests.proofs.generated import GENERATED
from tests.proofs.hostile import changed, read_measured
from tests.proofs.limits import AT_THE_LIMITS
from tests.rows import SOAK, figure

pytestmark = pytest.mark.row("P19")

_SECONDS = 10.0
_MORE = 200 << 20
#: Of those that are changed at random and of those that are made up; workbooks take ten times as long as other files.
_MANY = {"xlsx": figure(10_000, 100), "csv": figure(10_000, 500), "vcf": figure(10_000, 500)}
_MADE_UP = {"xlsx": figure(10_000, 25), "csv": figure(10_000, 50), "vcf": figure(10_000, 50)}
#: Of what is made up, some has this size.
_LARGE = figure(10 << 20, 64 << 10)


class MadeUp:
    """A generated file; its text form is cut, because it may have ten megabytes."""

    def __init__(self, content: bytes) -> None:
        self.content = content

    def __repr__(self) -> str:
        return f"{len(self.content)} bytes, sha256 {hashlib.sha256(self.content).hexdigest()[:16]}: {self.content[:2000]!r}"


class Seen:
    """How reading files ended, and what it cost."""

    def __init__(self) -> None:
        self.ended, self.longest, self.more = Counter[str](), 0.0, 0

    def add(self, how: str, seconds: float, more: int) -> None:
        """Count one."""
        self.ended[how] += 1
        self.longest, self.more = max(self.longest, seconds), max(self.more, more)

    def __str__(self) -> str:
        refused = {how: count for how, count in self.ended.most_common() if how != "read"}
        told = f"{self.ended.total()} files: {self.ended['read']} read, {sum(refused.values())} refused ({refused})"
        return f"{told}; at most {self.longest:.2f} s of CPU (limit {_SECONDS:.0f}) and {self.more >> 20} MiB more (limit {_MORE >> 20})"


@pytest.fixture(scope="module")
def pool() -> Iterator[Pool]:
    """Child processes with the product's limits."""
    pool = Pool()
    yield pool
    pool.end()


def _one(pool: Pool, name: str, content: bytes) -> tuple[str, float, int]:
    try:
        how, seconds, more = pool.run(read_measured, name, content, refusal=FileTooCostly)
    except FileTooCostly:
        return "its process was ended: no refusal of the reader", 0.0, 0
    return how, seconds, more


@pytest.mark.requirement("R77", "R78", "R79")
@pytest.mark.parametrize("kind", ["xlsx", "csv", "vcf"])
def test_a_file_changed_at_random_is_read_or_refused_with_a_code(kind: str, pool: Pool) -> None:
    seen, wrong, began = Seen(), [], time.monotonic()
    for number in range(_MANY[kind]):
        one = _one(pool, f"a.{kind}", changed(kind, number))
        seen.add(*one)
        if "no refusal" in one[0]:
            wrong.append((number, one[0]))
    print(f"{kind}, changed at random: {seen}; {time.monotonic() - began:.0f} s")
    assert seen.ended.total() == _MANY[kind]
    assert wrong == []
    # What no reader would open reaches nothing that reads.
    assert seen.ended["read"] * 4 >= _MANY[kind]
    assert seen.longest <= _SECONDS
    assert seen.more <= _MORE


@pytest.mark.requirement("R77", "R78", "R79")
@pytest.mark.timeout(figure(0, 600))
@pytest.mark.parametrize("kind", ["xlsx", "csv", "vcf"])
def test_a_file_made_up_is_read_or_refused_with_a_code(kind: str, pool: Pool) -> None:
    seen, began = Seen(), time.monotonic()
    sizes = st.sampled_from([20 << 10] * 49 + [_LARGE])

    @settings(
        max_examples=_MADE_UP[kind],
        deadline=None,
        database=None,
        derandomize=not SOAK,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example],
    )
    @given(sizes.flatmap(GENERATED[kind]).map(MadeUp))
    def read(made: MadeUp) -> None:
        one = _one(pool, f"a.{kind}", made.content)
        seen.add(*one)
        assert "no refusal" not in one[0]
        assert one[1] <= _SECONDS
        assert one[2] <= _MORE

    read()
    print(f"{kind}, made up: {seen}; {time.monotonic() - began:.0f} s")
    assert seen.ended["read"] * 4 >= seen.ended.total()


@pytest.mark.requirement("R77", "R78", "R79")
@pytest.mark.timeout(figure(0, 600))
@pytest.mark.parametrize("kind", [kind for kind, file in AT_THE_LIMITS.items() if SOAK or not file.takes_long])
def test_a_file_at_a_limit_is_read_or_refused_within_the_memory(kind: str, pool: Pool) -> None:
    file = AT_THE_LIMITS[kind]
    content = file.made()
    how, seconds, more = _one(pool, file.name, content)
    print(f"{kind}, {len(content) >> 10} KiB: {how}, {seconds:.1f} s of CPU (aim {_SECONDS:.0f}), {more >> 20} MiB more (limit {_MORE >> 20})")
    assert how == file.ends
    assert more <= _MORE
