"""Settings come from a name or from a file of that name."""

from __future__ import annotations

from pathlib import Path

import pytest

from services.chassis.config import SettingMissing, Settings


def test_a_setting_is_read_from_its_name_or_from_a_file(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("postgresql://somewhere\n")
    settings = Settings.read({"SERVICE": "contacts", "DATABASE_URL_FILE": str(secret), "LISTEN_PORT": "81"})
    assert settings.database_url == "postgresql://somewhere"
    assert settings.listen_port == 81
    assert settings.call_deadline == 10.0


def test_no_secret_is_in_the_representation() -> None:
    settings = Settings(service="x", database_url="hush1", vault_master_key="hush2", service_secret="hush3")
    assert "hush" not in repr(settings)


def test_a_service_without_a_name_does_not_start() -> None:
    with pytest.raises(SettingMissing, match="SERVICE"):
        Settings.read({})


@pytest.mark.parametrize(("text", "value"), [("1", True), ("true", True), ("no", False), ("", False)])
def test_a_switch_is_on_only_when_it_says_so(text: str, value: bool) -> None:
    assert Settings.read({"SERVICE": "x", "COOKIE_SECURE": text}).cookie_secure is value
