"""What every service's `migrations/env.py` runs."""

from __future__ import annotations


def run_scripts() -> None:
    """Run the migrations that are asked for; each service's `env.py` calls this and nothing else."""
    from alembic import context

    context.configure(connection=context.config.attributes["connection"])
    with context.begin_transaction():
        context.run_migrations()
