"""What Alembic runs for access."""

from services.chassis.database.scripts import run_scripts

run_scripts()
