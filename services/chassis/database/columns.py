"""Column types that the tables of all services share."""

from datetime import datetime
from typing import TypeVar

from sqlalchemy import Column, DateTime, Uuid
from sqlalchemy.types import TypeEngine

T = TypeVar("T")


def uuid(name: str, *, key: bool = False, nullable: bool = False) -> "Column[str]":
    """Return a UUID column with string values; `key` makes it part of the primary key."""
    return Column(name, Uuid(as_uuid=False), primary_key=key, nullable=nullable)


def instant(name: str, *, nullable: bool = False) -> "Column[datetime]":
    """Return a `timestamptz` column."""
    return Column(name, DateTime(timezone=True), nullable=nullable)


def required(name: str, kind: "TypeEngine[T] | type[TypeEngine[T]]") -> "Column[T]":
    """Return a column that is never null."""
    return Column(name, kind, nullable=False)
