"""The small authority: what it makes clients take, what it renews, and what it leaves alone."""

from __future__ import annotations

import json
import ssl
import stat
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from cryptography import x509

from deploy.certificates import (
    AUTHORITY,
    AUTHORITY_KEY,
    SERVERS,
    CertificatesMissing,
    Shown,
    certificate_file,
    certificates,
    certify,
    dialled,
    files,
    key_file,
    show,
)
from deploy.doctor import _certificates
from deploy.init import init, write_secrets
from deploy.secrets import Secrets

NAMES = {"postgres": ["postgres"], "broker": ["broker"], "gateway": ["gateway", "localhost", "127.0.0.1"]}
LATER = datetime.now(UTC) + timedelta(days=340)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    certify(Secrets(tmp_path / "secrets"), NAMES)
    return tmp_path / "secrets"


def faults(folder: Path, names: dict[str, str] | None = None, **when: datetime) -> dict[str, str]:
    return {shown.server: shown.fault for shown in show(folder, names or {server: server for server in SERVERS}, **when) if shown.fault}


def contents(folder: Path) -> dict[str, str]:
    return {file.name: file.read_text() for file in folder.iterdir()}


def changed(before: dict[str, str], folder: Path) -> set[str]:
    after = contents(folder)
    return {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}


@pytest.mark.requirement("R15")
def test_clients_take_each_server_under_its_name_and_nobody_else_can_read_a_key(folder: Path) -> None:
    assert faults(folder) == {}
    assert set(contents(folder)) == {*files(), AUTHORITY_KEY}
    assert {stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()} == {0o600}
    for name in NAMES["gateway"]:
        assert faults(folder, {"gateway": name}) == {}
    for shown in show(folder, {server: server for server in SERVERS}):
        assert 300 < shown.days < 398
        assert list(shown.names) == NAMES[shown.server]


@pytest.mark.parametrize("server", SERVERS)
def test_a_server_under_another_name_is_refused(folder: Path, server: str) -> None:
    for name in ("elsewhere.example", "192.0.2.7", next(each for each in SERVERS if each != server)):
        assert f"dials {name} refuses it" in faults(folder, {server: name})[server]


def test_a_server_of_another_authority_is_refused(folder: Path, tmp_path: Path) -> None:
    certify(Secrets(tmp_path / "other"), NAMES)
    (folder / AUTHORITY).write_text((tmp_path / "other" / AUTHORITY).read_text())
    assert set(faults(folder)) == set(SERVERS)


def test_a_key_of_another_certificate_is_told(folder: Path) -> None:
    (folder / key_file("broker")).write_text((folder / key_file("postgres")).read_text())
    assert set(faults(folder)) == {"broker"}


def test_no_certificate_signs_others_and_the_authority_none_that_would(folder: Path) -> None:
    (authority,) = x509.load_pem_x509_certificates((folder / AUTHORITY).read_bytes())
    assert authority.extensions.get_extension_for_class(x509.BasicConstraints).value == x509.BasicConstraints(ca=True, path_length=0)
    for server in SERVERS:
        (leaf,) = x509.load_pem_x509_certificates((folder / certificate_file(server)).read_bytes())
        assert not leaf.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
        assert not leaf.extensions.get_extension_for_class(x509.KeyUsage).value.key_cert_sign
    strict = ssl.create_default_context(cafile=str(folder / AUTHORITY))
    assert strict.check_hostname


def test_again_changes_nothing_until_the_end_is_near(folder: Path) -> None:
    before = contents(folder)
    assert certify(Secrets(folder), NAMES) == []
    assert certify(Secrets(folder), NAMES, now=datetime.now(UTC) + timedelta(days=200)) == []
    assert contents(folder) == before
    renewed = certify(Secrets(folder), NAMES, now=LATER)
    assert set(renewed) == changed(before, folder) == {name for server in SERVERS for name in (certificate_file(server), key_file(server))}
    # The authority stays, so whoever believes it need not be told; nobody's clock is there yet.
    assert {fault.rpartition(": ")[2] for fault in faults(folder).values()} == {"certificate is not yet valid"}


def test_the_authority_is_renewed_under_its_key_before_what_it_signs_outlives_it(folder: Path) -> None:
    nearly = datetime.now(UTC) + timedelta(days=3650 - 300)
    before = contents(folder)
    certify(Secrets(folder), NAMES, now=nearly)
    assert AUTHORITY in changed(before, folder)
    assert AUTHORITY_KEY not in changed(before, folder)
    (authority,) = x509.load_pem_x509_certificates((folder / AUTHORITY).read_bytes())
    assert authority.not_valid_after_utc > nearly + timedelta(days=3000)


def test_what_was_deleted_or_lacks_a_name_is_made_anew_and_nothing_else(folder: Path) -> None:
    before = contents(folder)
    (folder / key_file("broker")).unlink()
    certify(Secrets(folder), NAMES)
    assert changed(before, folder) == {certificate_file("broker"), key_file("broker")}
    before = contents(folder)
    certify(Secrets(folder), {**NAMES, "postgres": ["db.example.gov"]})
    assert changed(before, folder) == {certificate_file("postgres"), key_file("postgres")}
    assert faults(folder, {"postgres": "db.example.gov"}) == {}


def _bring_your_own(folder: Path, tmp_path: Path, *servers: str) -> None:
    certify(Secrets(tmp_path / "agency"), NAMES)
    agency = contents(tmp_path / "agency")
    for server in servers:
        for name in (certificate_file(server), key_file(server)):
            (folder / name).write_text(agency[name])
    (folder / AUTHORITY).write_text(agency[AUTHORITY])
    (folder / AUTHORITY_KEY).unlink()


def test_an_operators_own_are_never_replaced_however_old_they_are(folder: Path, tmp_path: Path) -> None:
    _bring_your_own(folder, tmp_path, *SERVERS)
    before = contents(folder)
    assert certify(Secrets(folder), {**NAMES, "postgres": ["db.example.gov"]}, now=LATER) == []
    assert contents(folder) == before
    assert faults(folder) == {}


def test_an_operators_own_server_beside_the_others_of_the_small_authority(folder: Path, tmp_path: Path) -> None:
    ours = (folder / AUTHORITY).read_text()
    key = (folder / AUTHORITY_KEY).read_text()
    _bring_your_own(folder, tmp_path, "postgres")
    (folder / AUTHORITY).write_text((folder / AUTHORITY).read_text() + ours)
    (folder / AUTHORITY_KEY).write_text(key)
    before = contents(folder)
    assert faults(folder) == {}
    certify(Secrets(folder), NAMES, now=LATER)
    assert changed(before, folder) == {name for server in ("broker", "gateway") for name in (certificate_file(server), key_file(server))}


def test_without_the_authoritys_key_what_is_missing_is_said_and_nothing_is_made_up(folder: Path, tmp_path: Path) -> None:
    _bring_your_own(folder, tmp_path, "postgres", "broker")
    (folder / certificate_file("gateway")).unlink()
    before = contents(folder)
    with pytest.raises(CertificatesMissing, match="tls_certificate_gateway is missing"):
        certify(Secrets(folder), NAMES)
    (folder / key_file("postgres")).unlink()
    with pytest.raises(CertificatesMissing, match="tls_key_postgres is missing"):
        certify(Secrets(folder), NAMES)
    assert changed(before, folder) == {key_file("postgres")}
    (folder / certificate_file("broker")).write_text("no certificate\n")
    with pytest.raises(CertificatesMissing, match="tls_certificate_broker holds no certificate"):
        certify(Secrets(folder), {"broker": ["broker"]})
    told = CliRunner().invoke(init, ["--secrets", str(folder), "--env", str(tmp_path / ".env")])
    assert (told.exit_code, type(told.exception)) == (1, SystemExit), "a sentence, and no traceback"


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., tuple[int, list[Shown]]]:
    write_secrets(tmp_path / "secrets")

    def certificates_of(*words: str) -> tuple[int, list[Shown]]:
        told = CliRunner().invoke(certificates, ["--secrets", str(tmp_path / "secrets"), "--json", *words])
        return told.exit_code, [Shown(**{**each, "names": tuple(each["names"])}) for each in json.loads(told.output)]

    return certificates_of


def test_the_command_says_when_they_expire_and_fails_when_a_client_would_refuse(run: Callable[..., tuple[int, list[Shown]]], tmp_path: Path) -> None:
    folder = tmp_path / "secrets"
    status, shown = run()
    assert status == 0
    assert {each.server: each.names[0] for each in shown} == dialled(folder) == {"postgres": "postgres", "broker": "broker", "gateway": "gateway"}
    lines = CliRunner().invoke(certificates, ["--secrets", str(folder)]).output.splitlines()
    assert all(each.expires in line and line.startswith("ok") for each, line in zip(shown, lines, strict=True))
    assert _certificates(folder).good
    (folder / key_file("gateway")).unlink()
    assert not _certificates(folder).good
    status, shown = run()
    assert status == 1
    assert [each.fault for each in shown if each.fault] == ["tls_key_gateway is missing"]


def test_one_that_expires_soon_or_has_expired_is_told(folder: Path) -> None:
    soon = datetime.now(UTC) + timedelta(days=380)
    assert set(faults(folder, now=soon).values()) == {"it expires soon"}
    past = datetime.now(UTC) - timedelta(days=500)
    for server in SERVERS:
        (folder / key_file(server)).unlink()
    certify(Secrets(folder), NAMES, now=past)
    assert all("expired" in fault for fault in faults(folder).values())
    assert set(faults(folder)) == set(SERVERS)
