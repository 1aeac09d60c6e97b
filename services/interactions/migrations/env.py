"""What Alembic runs for interactions."""

from services.chassis.database.scripts import run_scripts

run_scripts()
