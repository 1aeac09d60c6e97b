"""Provide what tests need: databases, brokers, callers, and waiting without sleeping."""

from tests.support.callers import a_caller, a_command, anonymous
from tests.support.databases import Databases
from tests.support.discovery import Absent, Taken, take_broker, take_database
from tests.support.log_lines import lines_logged
from tests.support.waiting import eventually

__all__ = ["Absent", "Databases", "Taken", "a_caller", "a_command", "anonymous", "eventually", "lines_logged", "take_broker", "take_database"]
