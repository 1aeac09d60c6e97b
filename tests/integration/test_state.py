"""One process at a time has a state folder."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from deploy.state import AlreadyRunning, StateFolder


def test_a_second_start_on_the_same_folder_is_refused_with_a_sentence(tmp_path: Path) -> None:
    sentence = rf"already running on .*data \(process {os.getpid()}\); stop that one first"
    with StateFolder(tmp_path / "data"), pytest.raises(AlreadyRunning, match=sentence):
        StateFolder(tmp_path / "data").__enter__()
    with StateFolder(tmp_path / "data") as again:
        assert again.secrets["vault_master_key"]
