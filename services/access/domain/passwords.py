"""Passwords of the built-in directory: argon2id (RFC 9106).

Both functions take tens of milliseconds of CPU and release the interpreter lock: the service calls them in a thread.
"""

from __future__ import annotations

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.low_level import Type

# OWASP's second choice: 19 MiB, two passes. The service lets two run at a time, so that twenty at once take no more.
_HASHER = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1, hash_len=32, salt_len=16, type=Type.ID)

#: Verified against when there is no such user, so that the answer takes as long as for a wrong password (made once, of
#: chance, with the costs below).
DECOY = "$argon2id$v=19$m=19456,t=2,p=1$j1aNrVoJ3up8Z5uVcbuDdw$tqXAVb3AAwtLWlSqzVNg146P+rIwEbWkN9i/+LDnT+4"


def password_hash(password: str) -> str:
    """Return what is stored of a password."""
    return _HASHER.hash(password)


def is_right(stored: str, password: str) -> bool:
    """Return whether the password matches the stored hash; False for a malformed hash."""
    try:
        return _HASHER.verify(stored, password)
    except (VerificationError, InvalidHashError):
        return False


def why_too_weak(password: str, *, username: str) -> str | None:
    """Return why a new password is refused, or None (NIST SP 800-63B: length, and not the name)."""
    if len(password) < 12:
        return "A password has at least 12 characters."
    if username.casefold() in password.casefold():
        return "A password does not contain the user name."
    return None
