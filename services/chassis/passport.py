"""Passports: JWTs with the caller's identity, signed by access with EdDSA (RFC 8037) and valid for at most 60 seconds.

Services have only the public key, and accept only passports that are issued for them.
"""

from __future__ import annotations

from collections import OrderedDict
from datetime import datetime, timedelta
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key, load_pem_public_key

from services.chassis.keyed import key_id, pems_of
from services.chassis.messages import Caller, new_id
from services.chassis.refusals import PassportInvalid

ISSUER = "liaison/access"
LIFETIME = timedelta(seconds=60)
_ALGORITHM = "EdDSA"
_REQUIRED = ["iss", "aud", "sub", "kind", "jti", "iat", "exp"]
#: The tolerated difference between two services' clocks.
_LEEWAY = timedelta(seconds=5)
_REMEMBERED = 4096


def public_key_id(key: PublicKeyTypes) -> str:
    """Return the id of a public key, which is the `kid` of its passports."""
    return key_id(key.public_bytes(Encoding.Raw, PublicFormat.Raw))


def _keys_of(public_keys: str) -> dict[str, Ed25519PublicKey]:
    loaded = [load_pem_public_key(pem.encode()) for pem in pems_of(public_keys)]
    keys = [key for key in loaded if isinstance(key, Ed25519PublicKey)]
    if not keys or len(keys) != len(loaded):
        raise ValueError("passports are checked under a public key in PEM")
    return {public_key_id(key): key for key in keys}


class PassportSigner:
    """Issues passports; only access has the private key."""

    def __init__(self, private_key: str) -> None:
        """Load the Ed25519 private key from PEM."""
        self._key: Any = load_pem_private_key(private_key.encode(), password=None)
        self._id = public_key_id(self._key.public_key())

    def issue(self, caller: Caller, audience: str, now: datetime) -> tuple[str, str]:
        """Return a passport of `caller` for one service, and its `jti`."""
        jti = new_id()
        claims = {
            "iss": ISSUER,
            "aud": audience,
            "sub": caller.id,
            "kind": caller.kind,
            "component": caller.component,
            "level": caller.level,
            "roles": sorted(caller.roles),
            "session": caller.session_id,
            "acknowledgement": caller.acknowledgement_id,
            "policy": caller.policy_version,
            "via": caller.via,
            "jti": jti,
            "iat": int(now.timestamp()),
            "exp": int((now + LIFETIME).timestamp()),
        }
        return jwt.encode(claims, self._key, algorithm=_ALGORITHM, headers={"kid": self._id}), jti


class PassportVerifier:
    """Verifies passports for one audience."""

    def __init__(self, public_keys: str, audience: str) -> None:
        """Load the concatenated PEM public keys; `audience` is the name of this service."""
        self._keys = _keys_of(public_keys)
        self._audience = audience
        # The signature is verified once per passport and the dates at every call: a session sends the same passport
        # with all its requests within half a minute.
        self._seen: OrderedDict[str, tuple[float, float, Caller]] = OrderedDict()

    def renew(self, public_keys: str) -> None:
        """Accept only these keys from now on.

        :raises ValueError: a key is not an Ed25519 public key, or there is none.
        """
        self._keys = _keys_of(public_keys)
        self._seen.clear()

    def verify(self, token: str | None, now: datetime) -> Caller:
        """Verify a passport and return its caller.

        :raises PassportInvalid: it is missing, malformed, expired, or not signed for this service.
        """
        if not token:
            raise PassportInvalid
        issued, expires, caller = self._seen.get(token) or self._check(token)
        instant = now.timestamp()
        if not issued - _LEEWAY.total_seconds() <= instant < expires:
            raise PassportInvalid
        return caller

    def _check(self, token: str) -> tuple[float, float, Caller]:
        try:
            # The header names the key; one that was dropped is not accepted.
            key = self._keys.get(str(jwt.get_unverified_header(token).get("kid")))
            if key is None:
                raise PassportInvalid
            claims = jwt.decode(
                token,
                key,
                algorithms=[_ALGORITHM],
                audience=self._audience,
                issuer=ISSUER,
                # `verify` checks the dates, against the given clock.
                options={"require": _REQUIRED, "verify_exp": False, "verify_iat": False, "verify_nbf": False},
            )
            issued, expires = float(claims["iat"]), float(claims["exp"])
            caller = Caller(
                kind=str(claims["kind"]),
                id=str(claims["sub"]),
                component=claims.get("component"),
                level=claims.get("level"),
                roles=frozenset(claims.get("roles") or ()),
                session_id=claims.get("session"),
                acknowledgement_id=claims.get("acknowledgement"),
                jti=str(claims["jti"]),
                policy_version=claims.get("policy"),
                via=claims.get("via"),
            )
        except (jwt.PyJWTError, TypeError, ValueError) as wrong:
            raise PassportInvalid from wrong
        if expires - issued > LIFETIME.total_seconds():
            raise PassportInvalid
        self._seen[token] = (issued, expires, caller)
        while len(self._seen) > _REMEMBERED:
            self._seen.popitem(last=False)
        return issued, expires, caller
