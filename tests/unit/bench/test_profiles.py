"""A profile's shares: by whose code is at the end of a stack; the standard library counts for its caller, idle threads for nobody."""

from __future__ import annotations

from tests.bench.profiles import shares_of

WRITTEN = """\
main (services/contacts/__main__.py:9);perform (services/chassis/entrypoints/rpc.py:90);execute (sqlalchemy/engine/base.py:14) 2
main (services/contacts/__main__.py:9);perform (services/chassis/entrypoints/rpc.py:90);loads (json/__init__.py:7) 5
run (threading.py:1) 1
run (threading.py:1);tworker (eventlet/tpool.py:5);get (queue.py:1);wait (threading.py:32) 7
main (services/contacts/__main__.py:9);run (eventlet/hubs/hub.py:3);do_poll (eventlet/hubs/epolls.py:7) 2
"""


def test_each_sample_counts_for_whoever_is_at_the_end_and_waiting_for_nobody() -> None:
    assert shares_of(WRITTEN) == {"Liaison": 5 / 8, "SQLAlchemy": 2 / 8, "other": 1 / 8, "waiting": 2 / 10}


def test_of_a_process_that_was_never_seen_nothing_is_said() -> None:
    assert shares_of("") == {}
