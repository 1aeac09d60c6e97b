"""What Alembic runs for the key store."""

from services.chassis.database.scripts import run_scripts

run_scripts()
