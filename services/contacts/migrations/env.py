"""What Alembic runs for contacts."""

from services.chassis.database.scripts import run_scripts

run_scripts()
