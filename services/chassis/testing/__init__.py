"""What tests stand on: a database and a broker of whatever kind there is, callers, and waiting without sleeping."""

from services.chassis.testing.callers import a_caller, a_command, anonymous
from services.chassis.testing.databases import Databases
from services.chassis.testing.ladder import Absent, Taken, take_broker, take_database
from services.chassis.testing.lines import lines_logged
from services.chassis.testing.waiting import eventually

__all__ = ["Absent", "Databases", "Taken", "a_caller", "a_command", "anonymous", "eventually", "lines_logged", "take_broker", "take_database"]
