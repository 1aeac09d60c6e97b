"""Run a RabbitMQ node for tests from the system's `rabbitmq-server`, with its own folder, name, ports, cookie and epmd.

Under root it runs as the user `rabbitmq`. It listens on loopback only and deletes its files.
"""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import amqp

from deploy.postgres import ServerFailed, stop_with_parent

#: Settings of the Erlang runtime, as in deploy/compose.yaml, which gives the reasons.
ERLANG = "+sbwt none +sbwtdcpu none +sbwtdio none +P 65536 +Q 16384 +MMmcs 5 -kernel inet_dist_use_interface {127,0,0,1}"
_ADMIN = "liaison"
_START_WITHIN = 60.0
#: The timeout of `rabbitmqctl`, which starts a virtual machine for each command.
_CONTROL_WITHIN = 300.0
_STOP_WITHIN = 20.0
_PROGRAM_FOLDERS = ("/usr/lib/rabbitmq/bin", "/usr/local/lib/rabbitmq/bin", "/usr/local/sbin", "/opt/rabbitmq/sbin")


class Node:
    """A RabbitMQ node, which `start_node` creates."""

    def __init__(self, folder: Path, *, tls: Path | None = None, settings: Mapping[str, str] | None = None) -> None:
        """Describe a node whose files are in `folder`.

        :param tls: a folder with ca.pem, cert.pem and key.pem.
        :param settings: more of its configuration; with `listeners.tcp` = `none` it speaks nothing but TLS.
        """
        self.folder = folder
        self.port = _free_port()
        self.tls_port = _free_port() if tls else 0
        self._tls = tls
        self._more = dict(settings or {})
        self._distribution_port = _free_port()
        self._epmd_port = _free_port()
        self._name = f"liaison{self.port}@localhost"
        self._password = secrets.token_urlsafe(12)
        self._server: subprocess.Popen[bytes] | None = None
        self._epmd: subprocess.Popen[bytes] | None = None
        self._user = pwd.getpwnam("rabbitmq") if os.geteuid() == 0 else None

    @property
    def url(self) -> str:
        """Return the address of the administrator."""
        return self.url_of(_ADMIN, self._password)

    def url_of(self, user: str, password: str) -> str:
        """Return the address of a user."""
        scheme, port = ("amqps", self.tls_port) if self._is_closed else ("amqp", self.port)
        return f"{scheme}://{user}:{password}@127.0.0.1:{port}//"

    @property
    def _is_closed(self) -> bool:
        return self._more.get("listeners.tcp") == "none"

    def start(self) -> Node:
        """Start or restart the node with the data in its folder, and wait until it answers.

        :raises ServerFailed: it did not start; the message has the end of its log.
        """
        self._write_configuration()
        if self._epmd is None:
            self._epmd = self._spawn(["epmd", "-port", str(self._epmd_port), "-address", "127.0.0.1"])
        self._server = self._spawn([str(_program("rabbitmq-server"))])
        deadline = time.monotonic() + _START_WITHIN
        while not self._answers():
            if self._server.poll() is not None or time.monotonic() > deadline:
                end = self._log_end()
                self.stop()
                raise ServerFailed(f"the RabbitMQ node did not start: {end}")
            time.sleep(0.1)
        return self

    def terminate(self) -> None:
        """Stop the node in order; its files stay."""
        self._end(signal.SIGTERM)

    def crash(self) -> None:
        """Kill the node; its files stay."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """Kill the node, and delete its files."""
        self._end(signal.SIGKILL)
        if self._epmd is not None:
            self._epmd.kill()
            self._epmd.wait()
            self._epmd = None
        shutil.rmtree(self.folder, ignore_errors=True)

    def control(self, *arguments: str) -> str:
        """Run `rabbitmqctl` and return its output.

        :raises ServerFailed: it failed.
        """
        done = subprocess.run(
            [str(_program("rabbitmqctl")), "--quiet", "--node", self._name, *arguments],
            env=self._environment(),
            capture_output=True,
            check=False,
            timeout=_CONTROL_WITHIN,
            cwd=self.folder,
            **self._as_user(),
        )
        if done.returncode:
            raise ServerFailed(f"rabbitmqctl {arguments[0]}: {done.stderr.decode(errors='replace')[-500:]}")
        said: str = done.stdout.decode()
        return said

    def pids(self) -> list[int]:
        """Return the process ids of the node."""
        group = self._server.pid if self._server else -1
        return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit() and _group_of(entry) == group]

    def freeze(self) -> None:
        """Suspend the node: connections stay open and nothing is answered."""
        if self._server is not None:
            os.killpg(self._server.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """Resume the node."""
        if self._server is not None:
            os.killpg(self._server.pid, signal.SIGCONT)

    def _end(self, number: signal.Signals) -> None:
        if self._server is None:
            return
        # The processes of the node are in one process group.
        try:
            os.killpg(self._server.pid, signal.SIGCONT)
            os.killpg(self._server.pid, number)
            self._server.wait(_STOP_WITHIN)
        except subprocess.TimeoutExpired:
            os.killpg(self._server.pid, signal.SIGKILL)
            self._server.wait(_STOP_WITHIN)
        except ProcessLookupError:
            self._server.wait(_STOP_WITHIN)
        self._server = None

    def _spawn(self, command: list[str]) -> subprocess.Popen[bytes]:
        with (self.folder / "output.log").open("ab") as log:
            return subprocess.Popen(
                command,
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.folder,
                start_new_session=True,
                preexec_fn=stop_with_parent(signal.SIGTERM),  # noqa: PLW1509 - one system call, through a function that was looked up before
                **self._as_user(),
            )

    def _as_user(self) -> dict[str, Any]:
        return {"user": self._user.pw_uid, "group": self._user.pw_gid} if self._user else {}

    def _environment(self) -> dict[str, str]:
        return {
            "PATH": f"/usr/local/bin:/usr/bin:/bin:{os.environ.get('PATH', '')}",
            "HOME": str(self.folder),
            "LANG": "C.UTF-8",
            "ERL_EPMD_PORT": str(self._epmd_port),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODENAME": self._name,
            "RABBITMQ_NODE_PORT": str(self.port),
            "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_DIST_PORT": str(self._distribution_port),
            "RABBITMQ_MNESIA_BASE": str(self.folder / "data"),
            "RABBITMQ_LOG_BASE": str(self.folder / "log"),
            "RABBITMQ_LOGS": str(self.folder / "log" / "node.log"),
            "RABBITMQ_PID_FILE": str(self.folder / "pid"),
            "RABBITMQ_CONFIG_FILE": str(self.folder / "rabbitmq"),
            "RABBITMQ_CONF_ENV_FILE": str(self.folder / "no-such-file"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self.folder / "enabled_plugins"),
            "RABBITMQ_GENERATED_CONFIG_DIR": str(self.folder / "config"),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": ERLANG,
        }

    def _write_configuration(self) -> None:
        told = {
            "listeners.tcp.1": f"127.0.0.1:{self.port}",
            "default_user": _ADMIN,
            "default_pass": self._password,
            "vm_memory_high_watermark.absolute": "1GB",
            "disk_free_limit.absolute": "50MB",
            "raft.wal_max_size_bytes": "16000000",
            "log.file.level": "warning",
        }
        if self._tls is not None:
            told |= {
                "listeners.ssl.1": f"127.0.0.1:{self.tls_port}",
                "ssl_options.cacertfile": str(self._tls / "ca.pem"),
                "ssl_options.certfile": str(self._tls / "cert.pem"),
                "ssl_options.keyfile": str(self._tls / "key.pem"),
                "ssl_options.verify": "verify_none",
            }
        if self._is_closed:
            del told["listeners.tcp.1"]
        lines = [f"{name} = {value}" for name, value in (told | self._more).items()]
        for folder in ("data", "log", "config"):
            (self.folder / folder).mkdir(exist_ok=True)
        (self.folder / "rabbitmq.conf").write_text("\n".join(lines) + "\n")
        (self.folder / "enabled_plugins").write_text("[].\n")
        cookie = self.folder / ".erlang.cookie"
        if not cookie.exists():
            cookie.write_text(secrets.token_hex(16).upper())
            cookie.chmod(0o400)
        if self._user:
            for path in (self.folder, *self.folder.rglob("*")):
                os.chown(path, self._user.pw_uid, self._user.pw_gid)

    def _answers(self) -> bool:
        where: dict[str, Any] = {"host": f"127.0.0.1:{self.port}"}
        if self._is_closed and self._tls is not None:
            where = {"host": f"127.0.0.1:{self.tls_port}", "ssl": {"ca_certs": str(self._tls / "ca.pem"), "cert_reqs": ssl.CERT_REQUIRED}}
        try:
            with amqp.Connection(**where, userid=_ADMIN, password=self._password, connect_timeout=2) as connection:
                connection.connect()
        except (OSError, amqp.AMQPError, AttributeError):
            return False
        return True

    def _log_end(self) -> str:
        texts = [path.read_text(errors="replace")[-1500:] for path in (self.folder / "output.log", self.folder / "log" / "node.log") if path.exists()]
        return "\n".join(texts)


def start_node(*, tls: Path | None = None, settings: Mapping[str, str] | None = None) -> Node:
    """Start a node in a folder that is deleted when it stops.

    :param tls: a folder with ca.pem, cert.pem and key.pem.
    :param settings: more of its configuration.
    :raises ServerFailed: it did not start.
    """
    folder = Path(tempfile.mkdtemp(prefix="liaison-mq-"))
    return Node(folder, tls=tls, settings=settings).start()


def _group_of(entry: Path) -> int:
    try:
        # The command name in parentheses may contain spaces; the process group is the third field after it.
        return int((entry / "stat").read_text().rpartition(")")[2].split()[2])
    except (FileNotFoundError, ProcessLookupError):
        return 0


def _program(name: str) -> Path:
    # Debian's programs on PATH require root; the programs that they wrap do not.
    for folder in _PROGRAM_FOLDERS:
        if (program := Path(folder, name)).exists():
            return program
    found = shutil.which(name)
    if found is None:
        raise ServerFailed(f"{name} is not installed")
    return Path(found)


def _free_port() -> int:
    """Return a free port below 32768, because the system assigns the ports above."""
    while True:
        port = 20000 + secrets.randbelow(12000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
