"""Describe a command's failure in one sentence without personal data."""

from __future__ import annotations

from kombu.exceptions import OperationalError as BrokerError
from sqlalchemy.exc import ArgumentError, OperationalError, SQLAlchemyError

from services.chassis.config import SettingInvalid
from services.chassis.logs import where
from services.chassis.messages import Refusal


def sentence_of(failed: Exception) -> str:
    """Return a sentence that describes the failure."""
    if isinstance(failed, Refusal):
        reasons = [f"{field}: {' '.join(sentences)}" for field, sentences in (failed.errors or {}).items()]
        return " ".join([failed.detail, *reasons])
    if isinstance(failed, SettingInvalid):
        return str(failed)
    if isinstance(failed, OperationalError):
        # An error while connecting names the address and the reason, and has no statement with values.
        said = str(failed.orig).strip().splitlines() if failed.statement is None else []
        return f"The database does not answer{f': {said[0].strip()}' if said else ''}."
    if isinstance(failed, ArgumentError):
        return "An address of a database is written as postgresql://user:password@host:port/name."
    if isinstance(failed, SQLAlchemyError):
        return "The database is not as this version expects it; liaison migrate brings it up to date."
    if isinstance(failed, BrokerError):
        return "The broker does not answer."
    if isinstance(failed, FileNotFoundError) and failed.filename:
        return f"There is no {failed.filename}."
    if isinstance(failed, OSError):
        return str(failed) or type(failed).__name__
    # Other messages may quote input, so only the type and location are shown.
    found = where(failed)
    return f"Liaison made a mistake ({found['error']} at {found['at'][-1] if found['at'] else 'an unknown place'}); please report it."
