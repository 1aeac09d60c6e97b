"""Checkpoints are signed notes as C2SP has them, and a witness takes only what continues what it saw."""

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from services.chassis.translog import merkle
from services.chassis.translog.checkpoints import Checkpoint, CheckpointRefused, SigningKey, VerifierKey, witness
from tests.support.keys import new_signing_key

#: The keys of the reference implementation's test, without the byte for Ed25519 before them.
PETERS_KEY = SigningKey("PeterNeumann", base64.b64decode("AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz")[1:])
PETERS_PUBLIC = VerifierKey("PeterNeumann", base64.b64decode("ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW")[1:])
PETERS_TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
PETERS_NOTE = PETERS_TEXT + "\n— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
ENOCHS_LINE = "— EnochRoot rwz+eBzmZa0SO3NbfRGzPCpDckykFXSdeX+MNtCOXm2/5n2tiOHp+vAF1aGrQ5ovTG01oOTGwnWLox33WWd1RvMc+QQ=\n"


@pytest.fixture
def key():
    return new_signing_key("liaison.example/audit")


class Trail:
    """Signs the checkpoints of a trail of made-up entries."""

    def __init__(self, key, entries):
        self.key = key
        self.leaves = [merkle.leaf_hash(entry) for entry in entries]

    def note(self, size):
        return self.key.sign(Checkpoint(self.key.name, size, merkle.root_of(self.leaves[:size])).text())

    def proof(self, first, second):
        def subtree(level, index):
            return merkle.root_of(self.leaves[index << level : (index + 1) << level])

        return merkle.consistency_proof(first, second, subtree)


@pytest.fixture
def trail(key):
    return Trail(key, [b"%d" % n for n in range(20)])


def test_a_note_is_signed_as_the_reference_implementation_signs_it():
    assert PETERS_KEY.verifier == PETERS_PUBLIC
    assert PETERS_KEY.sign(PETERS_TEXT) == PETERS_NOTE
    assert PETERS_PUBLIC.open(PETERS_NOTE) == PETERS_TEXT


def test_signatures_of_others_are_ignored_and_never_enough():
    assert PETERS_PUBLIC.open(PETERS_NOTE + ENOCHS_LINE) == PETERS_TEXT
    with pytest.raises(CheckpointRefused):
        PETERS_PUBLIC.open(PETERS_TEXT + "\n" + ENOCHS_LINE)


def test_a_private_key_is_not_shown(key):
    assert base64.b64encode(b"\x01" + key.seed).decode() not in repr(key)
    assert repr(key.seed) not in repr(key)


def test_keys_come_as_pem():
    private = Ed25519PrivateKey.generate()
    pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    public = private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    key = SigningKey.parse(pem, name="liaison/audit")
    assert VerifierKey.parse(public, name="liaison/audit") == key.verifier


@pytest.mark.parametrize("parse", [SigningKey.parse, VerifierKey.parse])
def test_a_key_of_another_kind_is_refused(parse):
    other = ec.generate_private_key(ec.SECP256R1())
    private = other.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    public = other.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    for pem in ("", "no key", private, public):
        with pytest.raises(CheckpointRefused):
            parse(pem, name="liaison/audit")


@pytest.mark.requirement("R124", "N2")
def test_any_damaged_byte_of_a_checkpoint_is_refused(key, trail):
    note = trail.note(7)
    assert key.verifier.checkpoint(note).size == 7
    for position in range(len(note)):
        damaged = note[:position] + ("A" if note[position] != "A" else "B") + note[position + 1 :]
        with pytest.raises(CheckpointRefused):
            key.verifier.checkpoint(damaged)
        with pytest.raises(CheckpointRefused):
            key.verifier.checkpoint(note[:position])


@pytest.mark.parametrize(
    "text",
    [
        "",
        "liaison.example/audit\n",
        "liaison.example/audit\n01\n{root}\n",
        "liaison.example/audit\n-1\n{root}\n",
        "liaison.example/audit\n1\nAAAA\n",
        "liaison.example/audit\n1\n{root}\nmore\n",
        "\n1\n{root}\n",
        "other.example/audit\n1\n{root}\n",
        "liaison.example/audit\n1\n{root}",
    ],
)
def test_only_a_well_formed_text_is_a_checkpoint_however_signed(key, text):
    note = key.sign(text.replace("{root}", base64.b64encode(bytes(32)).decode()))
    with pytest.raises(CheckpointRefused):
        key.verifier.checkpoint(note)


@pytest.mark.requirement("R124", "R126", "N2")
def test_a_witness_takes_what_continues_the_trail_it_saw(key, trail):
    assert key.verifier.checkpoint(trail.note(0)).size == 0
    assert witness(key.verifier, trail.note(0), trail.note(5)).size == 5
    assert witness(key.verifier, trail.note(5), trail.note(5)).size == 5
    assert witness(key.verifier, trail.note(5), trail.note(13), trail.proof(5, 13)).size == 13


@pytest.mark.requirement("R124", "R126", "N2")
def test_a_witness_refuses_a_shorter_trail_a_fork_and_a_missing_proof(key, trail):
    fork = Trail(key, [b"%d" % (n if n < 4 else n + 1) for n in range(20)])
    with pytest.raises(CheckpointRefused, match="shrank"):
        witness(key.verifier, trail.note(13), trail.note(5))
    with pytest.raises(CheckpointRefused, match="continue"):
        witness(key.verifier, trail.note(5), fork.note(13), fork.proof(5, 13))
    with pytest.raises(CheckpointRefused, match="continue"):
        witness(key.verifier, trail.note(5), fork.note(5))
    with pytest.raises(CheckpointRefused, match="continue"):
        witness(key.verifier, trail.note(5), trail.note(13))
    with pytest.raises(CheckpointRefused, match="key"):
        key.verifier.checkpoint(Trail(new_signing_key(key.name), [b"1"]).note(1))
    # What continues the part before the fork is taken: the two share it.
    assert witness(key.verifier, trail.note(4), fork.note(13), fork.proof(4, 13)).size == 13
