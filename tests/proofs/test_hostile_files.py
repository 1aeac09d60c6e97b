"""Files that were changed at random are read or refused with a code, within ten seconds and two hundred megabytes more (P19)."""

from __future__ import annotations

from collections import Counter

import pytest

from services.chassis.apart.pool import Pool
from services.contacts.contract.imports import FileTooCostly
from tests.proofs.hostile import read_measured
from tests.rows import figure

pytestmark = pytest.mark.row("P19")

_SECONDS = 10.0
_MORE = 200 << 20
#: So many to a question: a child may take thirty seconds.
_AT_ONCE = 50


@pytest.mark.requirement("R77", "R78", "R79")
@pytest.mark.parametrize("kind", ["xlsx", "csv", "vcf"])
def test_a_file_changed_at_random_is_read_or_refused_with_a_code(kind: str) -> None:
    many = figure(10_000, 50)
    pool, ended = Pool(seconds=300, waited=900.0, idle=0), Counter[str]()
    longest, more = 0.0, 0
    try:
        for first in range(0, many, _AT_ONCE):
            made = pool.run(read_measured, kind, first, _AT_ONCE, refusal=FileTooCostly)
            ended.update(made["ended"])
            longest, more = max(longest, made["longest"]), max(more, made["more"])
    finally:
        pool.end()
    print(f"{many} {kind}: {dict(ended.most_common())}; at most {longest:.2f} s of CPU and {more >> 20} MiB more")
    assert ended.total() == many
    assert [how for how in ended if " of file " in how] == []
    assert longest <= _SECONDS
    assert more <= _MORE
