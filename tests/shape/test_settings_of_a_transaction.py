"""Only the unit of work sets whose rows may be seen, and only for its transaction.

A setting that outlives its transaction stays on the pooled connection and serves one component's rows to the next user.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
UNIT_OF_WORK = Path("services/chassis/database/unit_of_work.py")
_SETS = re.compile(r"set_config\(\s*'app\.\w+',\s*:\w+,\s*(\w+)\s*\)")
#: Any other way to set it, or a role, for longer than a transaction: SET, SET SESSION, set_config with words put together.
_ANY = re.compile(r"set_config\(|\bSET\s+(?:SESSION\s+)?(?:app\.|ROLE\b|SESSION\s+AUTHORIZATION)|app\.(?:component|level|actor)", re.IGNORECASE)
#: What reads the setting, in policies and functions, and what sets other things that are nobody's.
_HARMLESS = re.compile(
    r"current_setting\('app\.(?:component|level|actor)', true\)|set_config\('(?:tcp_keepalives_\w+|pg_trgm\.\w+)', '[\d.]+', false\)"
)


@pytest.mark.requirement("R154")
def test_the_component_is_set_in_the_unit_of_work_alone_and_for_its_transaction_alone() -> None:
    set_in, otherwise = {}, {}
    for path in sorted(path for part in ("services", "gateway", "deploy") for path in (ROOT / part).rglob("*.py")):
        source = path.read_text()
        if how := _SETS.findall(source):
            set_in[path.relative_to(ROOT)] = set(how)
        rest = _HARMLESS.sub("", _SETS.sub("", source))
        if found := _ANY.findall(rest):
            otherwise[path.relative_to(ROOT)] = found
    assert set_in == {UNIT_OF_WORK: {"true"}}
    assert otherwise == {}
