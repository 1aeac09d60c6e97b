"""A PostgreSQL server of our own: it starts, stops, and comes back from a crash."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from deploy import postgres
from deploy.postgres import Programs, embedded_programs, local_programs
from tests.support import eventually
from tests.support.postgres import FAST, DisposableServer

PROGRAMS = [programs for programs in (embedded_programs(), local_programs()) if programs]


@pytest.fixture(params=PROGRAMS, ids=lambda programs: f"PostgreSQL {programs.major}")
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[DisposableServer]:
    """A cluster in a folder that no other user could enter."""
    made = DisposableServer(tmp_path / "pg", "a secret", programs=request.param)
    yield made
    made.forget()


def ask(server: DisposableServer, question: str) -> object:
    """Ask one thing over a connection of its own."""
    engine = sa.create_engine(server.url, poolclass=sa.NullPool)
    with engine.begin() as connection:
        result = connection.exec_driver_sql(question)
        return result.scalar() if result.returns_rows else None


def test_what_was_written_survives_a_stop_and_a_crash(server: DisposableServer) -> None:
    server.start()
    ask(server, "CREATE TABLE kept AS SELECT 1 AS one")
    server.stop()
    server.start()
    ask(server, "INSERT INTO kept VALUES (2)")
    server.crash()
    server.start()
    assert ask(server, "SELECT sum(one) FROM kept") == 3


@pytest.mark.parametrize("programs", PROGRAMS, ids=lambda programs: f"PostgreSQL {programs.major}")
def test_programs_in_a_folder_that_their_user_may_not_enter_run_from_a_copy(
    programs: Programs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres, "_may_reach", lambda *_: False)
    monkeypatch.setattr(postgres, "_SHARED", tmp_path)
    user = pwd.getpwuid(os.getuid())
    copied = postgres._reachable_programs(programs, user)
    assert copied.folder.is_relative_to(tmp_path)
    for name in ("initdb", "pg_ctl", "postgres"):
        assert str(programs.major) in subprocess.run([copied[name], "--version"], capture_output=True, text=True, check=True).stdout
    assert postgres._reachable_programs(programs, user) == copied


def test_nothing_is_left_running_after_a_stop(server: DisposableServer) -> None:
    pid = server.start().pid
    assert pid
    server.stop()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_a_wrong_password_is_refused(server: DisposableServer) -> None:
    server.start()
    engine = sa.create_engine(server.url.set(password="a guess"), poolclass=sa.NullPool)
    with pytest.raises(sa.exc.OperationalError, match="password authentication failed"):
        engine.connect()


def test_lower_case_knows_more_than_ascii(server: DisposableServer) -> None:
    server.start()
    assert ask(server, "SELECT lower('CHLOÉ')") == "chloé"


def test_the_extensions_that_services_stand_on_are_there(server: DisposableServer) -> None:
    server.start()
    for extension in ("pg_trgm", "unaccent", "citext", "fuzzystrmatch", "btree_gin"):
        ask(server, f"CREATE EXTENSION {extension}")


def test_a_killed_process_takes_its_server_along_and_the_next_start_works(tmp_path: Path) -> None:
    script = (
        "import sys, time; from pathlib import Path; from tests.support.postgres import FAST, DisposableServer\n"
        "server = DisposableServer(Path(sys.argv[1]), 'a secret', settings=FAST).start()\n"
        "print(server.pid, flush=True); time.sleep(600)"
    )
    with subprocess.Popen([sys.executable, "-c", script, str(tmp_path / "pg")], stdout=subprocess.PIPE) as child:
        assert child.stdout
        pid = int(child.stdout.readline())
        child.send_signal(signal.SIGKILL)
    server = DisposableServer(tmp_path / "pg", "a secret", settings=FAST)
    try:
        server.start()
        assert ask(server, "SELECT 1") == 1
        eventually(lambda: not Path(f"/proc/{pid}").exists() or "Z" in Path(f"/proc/{pid}/stat").read_text())
    finally:
        server.forget()


def test_the_number_of_a_dead_server_that_another_process_now_has_is_forgotten(server: DisposableServer) -> None:
    server.start()
    server.crash()
    note = server._data / "postmaster.pid"
    note.write_text(f"{os.getpid()}\n{server._data}\n1\n5432\n\n\n")
    if server._user:
        os.chown(note, server._user.pw_uid, server._user.pw_gid)
    server.start()
    assert ask(server, "SELECT 1") == 1


@pytest.mark.skipif(os.geteuid() != 0, reason="only root lends its server another user, and a place that user can reach")
def test_a_cluster_whose_folder_was_deleted_is_deleted_when_the_next_one_is_made(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    former = DisposableServer(closed / "former", "a secret", settings=FAST)
    former.start().stop()
    elsewhere = (closed / "former" / "elsewhere").readlink()
    assert (elsewhere / "data" / "PG_VERSION").exists()
    shutil.rmtree(closed / "former")
    following = DisposableServer(closed / "next", "a secret", settings=FAST)
    try:
        following.start()
        assert ask(following, "SELECT 1") == 1
        assert not elsewhere.exists()
    finally:
        following.forget()
