"""A service is known by its key: for one purpose, by the keys that are valid just now."""

import pytest

from services.chassis.identity import IdentityRefused, ServiceKey, ServiceKeys, Signature


def keys_of(*keys: ServiceKey) -> ServiceKeys:
    return ServiceKeys.parse("# everybody\n\n" + "\n".join(key.line for key in keys) + "\n")


def test_a_signature_is_of_one_service_for_one_purpose_over_one_message() -> None:
    contacts, access = ServiceKey.generate("contacts"), ServiceKey.generate("access")
    keys = keys_of(contacts, access)
    signature = contacts.sign("audit stream", b"a")
    assert keys.verify("contacts", "audit stream", b"a", signature)
    for service, context, message in (("access", "audit stream", b"a"), ("contacts", "exchange", b"a"), ("contacts", "audit stream", b"b")):
        assert not keys.verify(service, context, message, signature)
    assert not keys.verify("contacts", "audit stream", b"a", Signature(access.key_id, signature.value))
    assert not keys_of(access).verify("contacts", "audit stream", b"a", signature)


def test_another_services_key_under_ones_own_name_is_not_ones_key() -> None:
    access = ServiceKey.generate("access")
    assert not keys_of(access).verify("contacts", "audit stream", b"a", access.sign("audit stream", b"a"))


def test_a_former_key_is_good_as_long_as_its_line_stands() -> None:
    former, present = ServiceKey.generate("contacts"), ServiceKey.generate("contacts")
    for key in (former, present):
        assert keys_of(former, present).verify("contacts", "x", b"a", key.sign("x", b"a"))
    assert not keys_of(present).verify("contacts", "x", b"a", former.sign("x", b"a"))


def test_a_signature_travels_as_one_word() -> None:
    signature = ServiceKey.generate("contacts").sign("x", b"a")
    assert Signature.parse(str(signature)) == signature
    for text in (None, 5, "", "a", "a.b", f"{signature.key_id}", f"{signature}=", str(signature)[:-4]):
        with pytest.raises(IdentityRefused):
            Signature.parse(text)


@pytest.mark.parametrize("line", ["contacts", "contacts 00 AAAA", "con tacts 1 2", "contacts 0011223344556677 " + "A" * 43 + "="])
def test_a_malformed_line_is_refused(line: str) -> None:
    with pytest.raises(IdentityRefused):
        ServiceKeys.parse(line)


def test_a_key_is_read_from_pem_and_never_shown() -> None:
    for text in ("", "no key", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----"):
        with pytest.raises(IdentityRefused):
            ServiceKey.parse("contacts", text)
    assert repr(ServiceKey.generate("contacts")).startswith("ServiceKey('contacts', '")


def test_a_purpose_is_one_of_words() -> None:
    with pytest.raises(ValueError, match="purpose"):
        ServiceKey.generate("contacts").sign("purpose\0of", b"")
