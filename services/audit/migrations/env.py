"""What Alembic runs for audit."""

from services.chassis.database.scripts import run_scripts

run_scripts()
