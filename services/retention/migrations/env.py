"""What Alembic runs for retention."""

from services.chassis.database.scripts import run_scripts

run_scripts()
