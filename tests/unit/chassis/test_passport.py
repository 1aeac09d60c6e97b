"""A passport is believed only when access made it out to this service, now (P16)."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat, load_pem_public_key

from services.chassis.messages import Caller
from services.chassis.passport import ISSUER, PassportSigner, PassportVerifier, public_key_id
from services.chassis.refusals import PassportInvalid

pytestmark = pytest.mark.row("P16")

NOW = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)
AMINA = Caller(
    kind="user",
    id="7d9f",
    component="ICE",
    level="contributor",
    roles=frozenset({"office_administrator"}),
    session_id="s1",
    acknowledgement_id="a1",
    policy_version="3",
)


def _pair() -> tuple[str, str]:
    key = Ed25519PrivateKey.generate()
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    return private, key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


PRIVATE, PUBLIC = _pair()
OTHER_PRIVATE, OTHER_PUBLIC = _pair()
KID = public_key_id(load_pem_public_key(PUBLIC.encode()))


def _claims(**changed: Any) -> dict[str, Any]:
    claims = {
        "iss": ISSUER,
        "aud": "contacts",
        "sub": "7d9f",
        "kind": "user",
        "jti": "j1",
        "iat": int(NOW.timestamp()),
        "exp": int(NOW.timestamp()) + 60,
    }
    return {name: value for name, value in {**claims, **changed}.items() if value is not None}


def _none() -> str:
    parts = [{"alg": "none", "typ": "JWT"}, _claims()]
    return ".".join(base64.urlsafe_b64encode(json.dumps(p).encode()).rstrip(b"=").decode() for p in parts) + "."


def _hmac_with_the_public_key() -> str:
    import hashlib
    import hmac

    parts = [{"alg": "HS256", "typ": "JWT", "kid": KID}, _claims()]
    head = ".".join(base64.urlsafe_b64encode(json.dumps(p).encode()).rstrip(b"=").decode() for p in parts)
    mac = hmac.new(PUBLIC.encode(), head.encode(), hashlib.sha256).digest()
    return head + "." + base64.urlsafe_b64encode(mac).rstrip(b"=").decode()


def _made(**changed: Any) -> Callable[[], str]:
    return lambda: jwt.encode(_claims(**changed), PRIVATE, algorithm="EdDSA", headers={"kid": KID})


def test_a_passport_tells_everything_about_its_bearer() -> None:
    token, jti = PassportSigner(PRIVATE).issue(AMINA, "contacts", NOW)
    read = PassportVerifier(PUBLIC, "contacts").verify(token, NOW)
    assert read.jti == jti
    assert (read.id, read.component, read.level, read.roles) == ("7d9f", "ICE", "contributor", AMINA.roles)
    assert (read.session_id, read.acknowledgement_id, read.policy_version) == ("s1", "a1", "3")


FORGERIES: dict[str, Callable[[], str]] = {
    "algorithm none": _none,
    "HS256 under the public key": _hmac_with_the_public_key,
    "another key": lambda: jwt.encode(_claims(), OTHER_PRIVATE, algorithm="EdDSA", headers={"kid": KID}),
    "no key named": lambda: jwt.encode(_claims(), PRIVATE, algorithm="EdDSA"),
    "an unknown key named": lambda: jwt.encode(_claims(), PRIVATE, algorithm="EdDSA", headers={"kid": "nobody"}),
    "a key named that is no text": lambda: jwt.encode(_claims(), PRIVATE, algorithm="EdDSA", headers={"jwk": PUBLIC}),
    "another audience": _made(aud="interactions"),
    "another issuer": _made(iss="liaison/contacts"),
    "expired": _made(iat=int(NOW.timestamp()) - 61, exp=int(NOW.timestamp()) - 1),
    "from the future": _made(iat=int(NOW.timestamp()) + 30, exp=int(NOW.timestamp()) + 60),
    "too long a life": _made(exp=int(NOW.timestamp()) + 61),
    "no jti": _made(jti=None),
    "no expiry": _made(exp=None),
    "no subject": _made(sub=None),
    "an expiry that is no number": _made(exp="tomorrow"),
    "nothing": str,
    "rubbish": lambda: "a.b.c",
}


@pytest.mark.requirement("R156", "R153")
@pytest.mark.parametrize("name", FORGERIES)
def test_a_forged_passport_is_refused(name: str) -> None:
    with pytest.raises(PassportInvalid):
        PassportVerifier(PUBLIC, "contacts").verify(FORGERIES[name](), NOW)


@pytest.mark.requirement("R156")
def test_no_truncated_and_no_altered_passport_is_accepted() -> None:
    token, _ = PassportSigner(PRIVATE).issue(AMINA, "contacts", NOW)
    verifier = PassportVerifier(PUBLIC, "contacts")
    for length in range(len(token)):
        with pytest.raises(PassportInvalid):
            verifier.verify(token[:length], NOW)
    accepted = 0
    for place in range(len(token) - 1):  # the last character of base64 may hold bits that mean nothing
        changed = token[:place] + ("A" if token[place] != "A" else "B") + token[place + 1 :]
        try:
            verifier.verify(changed, NOW)
            accepted += 1
        except PassportInvalid:
            pass
    assert accepted == 0


@pytest.mark.requirement("R156")
def test_a_passport_is_good_under_a_former_key_until_the_key_is_dropped() -> None:
    of_old, _ = PassportSigner(PRIVATE).issue(AMINA, "contacts", NOW)
    of_new, _ = PassportSigner(OTHER_PRIVATE).issue(AMINA, "contacts", NOW)
    verifier = PassportVerifier(PUBLIC, "contacts")
    with pytest.raises(PassportInvalid):
        verifier.verify(of_new, NOW)
    for public in (f"{PUBLIC}\n{OTHER_PUBLIC}", f"{OTHER_PUBLIC}\n{PUBLIC}"):
        verifier.renew(public)
        assert verifier.verify(of_old, NOW).id == verifier.verify(of_new, NOW).id == "7d9f"
    verifier.renew(OTHER_PUBLIC)
    assert verifier.verify(of_new, NOW).id == "7d9f"
    with pytest.raises(PassportInvalid) as refused:
        verifier.verify(of_old, NOW)
    assert refused.value.code == "passport-invalid"
    with pytest.raises(ValueError, match="PEM"):
        verifier.renew("")
    assert verifier.verify(of_new, NOW).id == "7d9f", "a key that is none changes nothing"


def test_a_passport_that_was_checked_once_still_expires() -> None:
    token, _ = PassportSigner(PRIVATE).issue(AMINA, "contacts", NOW)
    verifier = PassportVerifier(PUBLIC, "contacts")
    verifier.verify(token, NOW)
    verifier.verify(token, NOW + timedelta(seconds=59))
    with pytest.raises(PassportInvalid):
        verifier.verify(token, NOW + timedelta(seconds=60))
