"""Settings come from a name or from a file of that name."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest

from services.chassis.config import SettingInvalid, Settings


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
    with pytest.raises(SettingInvalid, match="SERVICE"):
        Settings.read({})


@pytest.mark.parametrize(("text", "value"), [("1", True), ("true", True), ("no", False), ("", False)])
def test_a_switch_is_on_only_when_it_says_so(text: str, value: bool) -> None:
    assert Settings.read({"SERVICE": "x", "COOKIE_SECURE": text}).cookie_secure is value


_TYPED = {setting.name.upper(): setting.type for setting in fields(Settings) if setting.type != "str"}


@pytest.mark.parametrize("name", _TYPED)
@pytest.mark.parametrize("text", ["x", "-1", "nan", "1e999", "ture", "9" * 30])
def test_a_setting_that_is_no_number_or_switch_is_refused_by_its_name_and_never_quoted(name: str, text: str) -> None:
    with pytest.raises(SettingInvalid, match=rf"^Set {name} to ") as refused:
        Settings.read({"SERVICE": "x", name: text})
    assert text not in str(refused.value)


@pytest.mark.parametrize("name", ["LOG_LEVEL", "LOG_FORMAT"])
def test_a_setting_that_is_none_of_its_words_is_refused(name: str) -> None:
    with pytest.raises(SettingInvalid, match=rf"^Set {name} to one of "):
        Settings.read({"SERVICE": "x", name: "loud"})
    assert Settings.read({"SERVICE": "x", "LOG_LEVEL": "debug"}).log_level == "DEBUG"


def test_every_default_is_within_its_limits() -> None:
    defaults = {setting.name.upper(): str(setting.default) for setting in fields(Settings) if setting.type != "str"}
    assert len(defaults) >= 9
    Settings.read({"SERVICE": "x", **defaults})


def test_a_number_says_its_limits() -> None:
    with pytest.raises(SettingInvalid, match=r"^Set SWITCH_INTERVAL to a number from 0\.00001 to 1\.$"):
        Settings.read({"SERVICE": "x", "SWITCH_INTERVAL": "0"})
