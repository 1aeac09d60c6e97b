"""The body of every service's `migrations/env.py`."""

from __future__ import annotations


def run_scripts() -> None:
    """Run Alembic's migrations over the connection in its configuration."""
    from alembic import context

    context.configure(connection=context.config.attributes["connection"])
    with context.begin_transaction():
        context.run_migrations()
