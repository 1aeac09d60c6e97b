"""The sequencer: each line once, durable when it returns, signed only after the stored bytes are read again."""

import random
from datetime import timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from services.audit.domain.numbers import FURTHEST
from services.audit.storage import leadership, trail
from services.audit.storage.trail import StoredTree
from services.audit.usecases import sequencing
from services.audit.usecases.sequencing import Sequencer, TrailDisagrees
from services.audit.usecases.stream_tracking import HOLE_AFTER
from services.chassis.translog import merkle
from services.chassis.translog.checkpoints import read_proofs, witness
from tests.integration.audit.conftest import CERTIFICATES, START, Sender, with_driver
from tests.support.keys import new_signing_key

#: What a field of a line never is, of every type that JSON has.
ODD = (None, True, False, 0, -1, 2**53, 1.5, "", "x", "\x00", "é" * 9_000, [], [[]], [1, "a"], {}, {"a": []}, {"void": True})


@pytest.mark.requirement("R118", "N2")
def test_whatever_a_captured_service_signs_the_sequencer_goes_on(own_trail, sender):
    chance = random.Random(20261130)
    with own_trail.leading() as sequencer:
        for _ in range(400):
            captured = Sender("interactions")
            sign = lambda line, of=captured: of.sign({name: value for name, value in line.items() if name != "signature"})  # noqa: E731
            kinds = (captured.entry(), captured.void(), captured.void(unknown=True), captured.mark(), captured.mark(closed=True))
            line = dict(chance.choice([*kinds, captured.crash(1, 2), CERTIFICATES[captured.stream]]))
            for name in chance.sample([*line, "void", "unknown", "mark", "closed", "crashed"], chance.choice((1, 1, 2))):
                line[name] = chance.choice(ODD)
            # It may also be sent unsigned, or as anything but an object.
            sequencer.take([chance.choice((sign(line), sign(line), line, chance.choice(ODD)))], now=START)
        assert sequencer.take([sender.entry()], now=START) == []
        assert sequencer.sign(now=START) is not None
        assert sequencer.inspect(now=START) is not None


@pytest.mark.requirement("R118", "R123", "R124", "N2")
def test_what_was_taken_in_is_signed_and_verifies(own_trail, sender):
    with own_trail.leading() as sequencer:
        assert sequencer.take(sender.entries(700), now=START) == []
        assert sequencer.sign(now=START).size == 701
        note = sequencer.note
        assert sequencer.sign(now=START) is None
        assert sequencer.take([sender.void(), sender.mark()], now=START) == []
        assert sequencer.sign(now=START).size == 703
        proofs = read_proofs(sequencer.unannounced())
        assert witness(own_trail.key.verifier, note, sequencer.note, proofs[701]).size == 703
    report = own_trail.verify()
    assert report.ok, report.problems
    assert (report.entries, report.size, report.streams, report.checkpoints) == (703, 703, 1, 4)
    assert own_trail.witness.leaf_count() == 703


def test_a_line_that_is_delivered_again_is_written_once(own_trail, sender):
    lines = [*sender.entries(5), sender.void(), sender.mark()]
    with own_trail.leading() as sequencer:
        sequencer.take(lines, now=START)
        assert sequencer.take(lines[3:] + lines[:2], now=START) == []
        assert sequencer.take([sender.entry()] * 2, now=START) == []
        assert sequencer.size == 9


def test_a_number_with_two_contents_is_a_finding_and_both_are_kept(own_trail, sender):
    first = sender.entry()
    with own_trail.leading() as sequencer:
        sequencer.take([first], now=START)
        (finding,) = sequencer.take([sender.sign(first | {"actor": "somebody-else"})], now=START)
        assert (finding.kind, finding.service, finding.stream, finding.n, finding.position) == ("two-contents", "contacts", sender.stream, 1, 2)
        (finding,) = sequencer.take([sender.void_of(first)], now=START)
        assert finding.kind == "two-contents"
        sequencer.sign(now=START)
    assert [problem.kind for problem in own_trail.verify().problems] == ["two-contents", "two-contents"]


@pytest.mark.parametrize("unknown", [False, True])
def test_an_entry_and_its_void_are_a_finding_in_either_order_for_their_sender_keeps_one_of_them(own_trail, unknown):
    early, late = Sender(), Sender()
    first, second = early.entry(), late.entry()
    with own_trail.leading() as sequencer:
        assert sequencer.take([early.void_of(first, unknown=unknown)], now=START) == []
        assert [finding.kind for finding in sequencer.take([first], now=START)] == ["two-contents"]
        assert sequencer.take([second], now=START) == []
        assert [finding.kind for finding in sequencer.take([late.void_of(second, unknown=unknown)], now=START)] == ["two-contents"]
        sequencer.sign(now=START)
    assert [problem.kind for problem in own_trail.verify().problems] == ["two-contents", "two-contents"]


@pytest.mark.requirement("R124", "R126", "N2")
def test_a_number_that_was_settled_and_never_comes_is_found(own_trail, sender):
    lines = sender.entries(9)
    with own_trail.leading() as sequencer:
        sequencer.take([*lines[:3], *lines[5:], sender.mark()], now=START)
        assert sequencer.inspect(now=START + HOLE_AFTER) == []
        (finding,) = sequencer.inspect(now=START + HOLE_AFTER + timedelta(seconds=1))
        assert (finding.kind, finding.stream, finding.n, finding.key) == ("hole", sender.stream, 4, f"{sender.stream}/4-5")
        assert sequencer.inspect(now=START + 2 * HOLE_AFTER) == []
        sequencer.sign(now=START)
    (problem,) = own_trail.verify().problems
    assert (problem.kind, problem.stream, problem.n) == ("hole", sender.stream, 4)


def test_a_hole_in_a_busy_stream_grows_old_too(own_trail, sender):
    lines = sender.entries(3)
    with own_trail.leading() as sequencer:
        sequencer.take([lines[0], lines[2], sender.mark()], now=START)
        now = START
        while now < START + HOLE_AFTER:
            now += timedelta(seconds=10)
            sequencer.take([sender.entry(), sender.mark()], now=now)
        assert [finding.kind for finding in sequencer.inspect(now=now + timedelta(seconds=1))] == ["hole"]


def test_an_idle_stream_does_not_make_a_new_gap_look_old(own_trail, sender):
    with own_trail.leading() as sequencer:
        sequencer.take([sender.entry(), sender.mark()], now=START)
        later = START + timedelta(hours=1)
        missing = sender.entry()
        sequencer.take([sender.entry(), sender.mark()], now=later)
        assert sequencer.inspect(now=later + timedelta(seconds=1)) == []
        sequencer.take([missing], now=later + timedelta(seconds=2))
        assert sequencer.inspect(now=later + 2 * HOLE_AFTER) == []


def test_numbers_that_a_crash_may_have_swallowed_are_no_hole_but_an_unproven_tail(own_trail, sender):
    lines = sender.entries(6)
    crash = sender.crash(2, 6)
    with own_trail.leading() as sequencer:
        sequencer.take([*lines[:3], *lines[4:], crash], now=START)
        found = [finding for finding in sequencer.inspect(now=START + 2 * HOLE_AFTER) if finding.stream == sender.stream]
        assert [(finding.kind, finding.service, finding.n) for finding in found] == [("unproven-tail", "contacts", 3)]
        sequencer.sign(now=START)
    report = own_trail.verify()
    assert report.ok, report.problems
    assert report.excused == 1
    assert report.unproven == [("contacts", sender.stream, 3)]


def test_what_was_settled_before_a_crash_is_not_excused_by_it(own_trail, sender):
    lines = sender.entries(6)
    with own_trail.leading() as sequencer:
        sequencer.take([lines[0], *lines[2:4], sender.crash(3, 6)], now=START)
        found = sequencer.inspect(now=START + 2 * HOLE_AFTER)
        assert [(finding.kind, finding.n) for finding in found if finding.stream == sender.stream] == [("hole", 2), ("unproven-tail", 4)]


def test_a_line_that_cannot_be_read_is_kept_by_its_hash_alone(own_trail, sender):
    bad = sender.entry(action="no action", actor="Dov Levi <dov@example.org>")
    with own_trail.leading() as sequencer:
        findings = sequencer.take([bad, "nonsense", {"stream": "x", "n": 1}, sender.entry(actor="nul\0")], now=START)
        assert [finding.kind for finding in findings] == ["unreadable", "unreadable", "malformed", "malformed"]
        assert sequencer.size == 3
        sequencer.sign(now=START)
    assert own_trail.sql("SELECT body FROM trail WHERE body LIKE '%dov%'") == []
    assert own_trail.verify().ok


def test_an_entry_under_a_passport_that_access_never_issued_is_found(own_trail, sender):
    access = Sender("access")
    issued = access.entry(action="access:passport:issue", subjects=["jti-1", "jti-2"])
    forged_issue = sender.entry(action="access:passport:issue", subjects=["jti-3"])
    with own_trail.leading() as sequencer:
        sequencer.take([sender.entry(jti="jti-1"), issued, sender.entry(jti="jti-2"), sender.entry(jti="jti-9")], now=START)
        sequencer.take([forged_issue, sender.entry(jti="jti-3")], now=START)
        assert sequencer.inspect(now=START + timedelta(seconds=1)) == []
        later = START + timedelta(minutes=5)
        found = sequencer.inspect(now=later)
        found = [finding for finding in found if finding.kind == "unknown-passport"]
        assert [(finding.position, finding.service, finding.stream, finding.n) for finding in found] == [
            (5, "contacts", sender.stream, 4),
            (7, "contacts", sender.stream, 5),
        ]
        assert not any(finding.kind == "unknown-passport" for finding in sequencer.inspect(now=later))


def test_a_passport_is_good_for_the_entries_of_its_holder_alone(own_trail, sender):
    access = Sender("access")
    chloe, bruno = "0190f3a4-0000-7000-8000-00000000000c", "0190f3a4-0000-7000-8000-00000000000b"
    with own_trail.leading() as sequencer:
        issued = access.entry(action="access:passport:issue", subjects=["jti-1"], actor=bruno)
        issued_again = access.entry(action="access:passport:issue", subjects=["jti-1"], actor=chloe)
        sequencer.take([issued, issued_again, sender.entry(jti="jti-1", actor=bruno), sender.entry(jti="jti-1", actor=chloe)], now=START)
        found = sequencer.inspect(now=START + timedelta(minutes=5))
        found = [finding for finding in found if finding.kind == "unknown-passport"]
        assert [(finding.position, finding.service, finding.stream, finding.n) for finding in found] == [(5, "contacts", sender.stream, 2)]


@pytest.mark.parametrize("said", [{}, {"crashed": True}, {"closed": True}])
@pytest.mark.parametrize("number", [FURTHEST + 4, 2**53 - 1])
def test_a_mark_that_jumps_is_a_finding_and_takes_no_longer_than_another(own_trail, sender, said, number):
    lines = sender.entries(3)
    jump = sender.crash(1, number) if "crashed" in said else sender.mark(number, **said)
    with own_trail.leading() as sequencer:
        found = sequencer.take([*lines, jump], now=START)
        assert [(finding.kind, finding.service, finding.stream, finding.n) for finding in found] == [
            ("jump", "contacts", sender.stream, jump["mark"])
        ]
        assert [finding for finding in sequencer.inspect(now=START + 2 * HOLE_AFTER) if finding.stream == sender.stream] == []
        sequencer.take([sender.entry(), sender.mark(5)], now=START)
        found = sequencer.inspect(now=START + 2 * HOLE_AFTER)
        assert [finding.n for finding in found if finding.kind == "hole"] == [5], "the stream is followed on"
        sequencer.sign(now=START)
    assert [problem.kind for problem in own_trail.verify().problems] == ["jump", "hole"]


def test_a_wide_hole_is_one_finding(own_trail, sender):
    with own_trail.leading() as sequencer:
        sequencer.take([sender.entry(), sender.mark(FURTHEST)], now=START)
        found = sequencer.inspect(now=START + 2 * HOLE_AFTER)
        assert [finding.key for finding in found if finding.kind == "hole"] == [f"{sender.stream}/2-{FURTHEST}"]


@pytest.mark.requirement("R124", "N2")
def test_every_proof_from_the_stored_tree_verifies(own_trail, sender):
    with own_trail.leading() as sequencer:
        for _ in range(3):
            sequencer.take([sender.entry() for _ in range(301)], now=START)
        leaves = [row.leaf for row in own_trail.sql("SELECT leaf FROM trail ORDER BY position")]
        root = merkle.root_of(leaves)
        with sequencer._connection.begin():
            for index in (0, 1, 255, 256, 511, 512, 900, 903):
                path = merkle.inclusion_proof(index, 904, StoredTree(sequencer._connection).subtree)
                assert merkle.verify_inclusion(leaves[index], index, 904, path, root)
            for first in (1, 255, 256, 257, 512, 768, 903):
                path = merkle.consistency_proof(first, 904, StoredTree(sequencer._connection).subtree)
                assert merkle.verify_consistency(first, 904, path, merkle.root_of(leaves[:first]), root)
    assert [(row.level, row.index) for row in own_trail.sql("SELECT level, index FROM trail_nodes ORDER BY 1, 2")] == [(8, 0), (8, 1), (8, 2)]


def test_a_second_sequencer_waits_and_takes_everything_up(own_trail, sender):
    lines = sender.entries(300)
    with own_trail.leading() as sequencer:
        sequencer.take([*lines[:200], lines[250]], now=START)
        sequencer.sign(now=START)
        sequencer.take(lines[200:220], now=START)
        other = sa.create_engine(with_driver(own_trail.addresses.runtime), poolclass=sa.NullPool)
        with other.connect() as connection:
            assert not leadership.take_lead(connection)
    with own_trail.leading() as sequencer:
        assert sequencer.size == 222
        sequencer.take([*lines[210:], sender.mark()], now=START)
        assert sequencer.size == 302
        assert sequencer.inspect(now=START + 2 * HOLE_AFTER) == []
        sequencer.sign(now=START)
    assert own_trail.verify().ok


def test_a_batch_that_fails_leaves_nothing_behind(own_trail, sender, monkeypatch):
    with own_trail.leading() as sequencer:
        sequencer.take(sender.entries(3), now=START)
        lines = sender.entries(4)
        with monkeypatch.context() as patch:
            patch.setattr(trail, "save_streams", lambda *_: (_ for _ in ()).throw(RuntimeError("the database is away")))
            with pytest.raises(RuntimeError):
                sequencer.take(lines, now=START)
        assert sequencer.size == 4
        sequencer.take(lines, now=START)
        sequencer.sign(now=START)
    assert own_trail.verify().ok


@pytest.mark.requirement("R124", "R126")
@pytest.mark.parametrize("table", ["trail", "trail_nodes", "checkpoints", "issued_passports", "findings", "reviews"])
@pytest.mark.parametrize("statement", ["UPDATE {} SET ctid = ctid", "DELETE FROM {}", "TRUNCATE {}"])
def test_nobody_changes_or_deletes_a_row_of_the_trail(own_trail, table, statement):
    column = {"trail": "body", "trail_nodes": "hash", "checkpoints": "note", "issued_passports": "jti"}.get(table, "id")
    change = statement.format(table).replace("ctid = ctid", f"{column} = NULL")
    for url in (own_trail.addresses.runtime, own_trail.addresses.superuser):
        engine = sa.create_engine(with_driver(url), poolclass=sa.NullPool)
        with engine.connect() as connection:
            if url == own_trail.addresses.superuser:
                # An ordinary trigger would not fire for a session that pretends to be a replica.
                connection.execute(text("SET session_replication_role = replica"))
            with pytest.raises(ProgrammingError, match="only ever added|permission denied"):
                connection.execute(text(change))


@pytest.mark.requirement("R124", "N2")
def test_bytes_that_changed_between_taking_and_signing_are_not_signed(own_trail, sender):
    with own_trail.leading() as sequencer:
        sequencer.take(sender.entries(20), now=START)
        own_trail.sql("UPDATE trail SET body = replace(body, 'trace-7\"', 'trace-9\"') WHERE position = 7")
        with pytest.raises(TrailDisagrees) as disagrees:
            sequencer.sign(now=START)
        assert disagrees.value.finding.position == 7
    assert own_trail.sql("SELECT * FROM checkpoints") == []


@pytest.mark.requirement("R124", "N2")
def test_whoever_recomputes_the_unsigned_tree_as_well_is_still_found(own_trail, sender):
    with own_trail.leading() as sequencer:
        sequencer.take(sender.entries(5), now=START)
        sequencer.sign(now=START)
        sequencer.take(sender.entries(20), now=START)
        body = own_trail.sql("SELECT replace(body, 'trace-7\"', 'trace-9\"') AS body FROM trail WHERE position = 7")[0].body
        own_trail.sql("UPDATE trail SET body = :body, leaf = :leaf WHERE position = 7", body=body, leaf=merkle.leaf_hash(body.encode()))
        with pytest.raises(TrailDisagrees) as disagrees:
            sequencer.sign(now=START)
        assert disagrees.value.finding.position == 7


@pytest.mark.requirement("R124", "N2")
def test_without_reading_again_the_altered_entry_would_be_signed(own_trail, sender, monkeypatch):
    """The negative control of P2: without the remedy the altered entry is signed, and only the verifier could see it."""
    monkeypatch.setattr(Sequencer, "_read_again", lambda self, _: self._frontier.root())
    with own_trail.leading() as sequencer:
        sequencer.take(sender.entries(20), now=START)
        own_trail.sql("UPDATE trail SET body = replace(body, 'trace-7\"', 'trace-9\"') WHERE position = 7")
        assert sequencer.sign(now=START).size == 21
    assert own_trail.verify().first_bad.position == 7


def test_a_sequencer_does_not_take_up_a_trail_that_is_shorter_than_its_witness_remembers(own_trail, sender):
    with own_trail.leading() as sequencer:
        sequencer.take(sender.entries(20), now=START)
        sequencer.sign(now=START)
    own_trail.sql("DELETE FROM trail WHERE position >= 15", "DELETE FROM checkpoints")
    with pytest.raises(TrailDisagrees, match="covers 21 lines and the trail has 15"), own_trail.leading():
        pass


def test_a_sequencer_does_not_take_up_a_trail_that_was_rewritten_or_signed_by_another(own_trail, sender):
    with own_trail.leading() as sequencer:
        sequencer.take(sender.entries(20), now=START)
        sequencer.sign(now=START)
    stranger = new_signing_key(own_trail.key.name)
    with pytest.raises(TrailDisagrees, match="not ours"), own_trail.leading(stranger):
        pass
    own_trail.sql("UPDATE trail SET leaf = sha256(leaf) WHERE position = 3")
    with pytest.raises(TrailDisagrees, match="not the one that was signed"), own_trail.leading():
        pass


def test_a_lost_witness_file_is_written_again_and_a_crash_before_the_database_is_made_good(own_trail, sender, monkeypatch):
    with own_trail.leading() as sequencer:
        sequencer.take(sender.entries(20), now=START)
        sequencer.sign(now=START)
        sequencer.take(sender.entries(20), now=START)
        with monkeypatch.context() as patch:
            patch.setattr(sequencing.trail, "add_checkpoint", lambda *_: (_ for _ in ()).throw(RuntimeError("killed")))
            with pytest.raises(RuntimeError):
                sequencer.sign(now=START)
    with own_trail.leading() as sequencer:
        assert sequencer.signed.size == 41
    assert [row.size for row in own_trail.sql("SELECT size FROM checkpoints ORDER BY size")] == [21, 41]
    own_trail.witness.path.unlink()
    own_trail.witness.leaves_path.unlink()
    with own_trail.leading() as sequencer:
        assert own_trail.witness.leaf_count() == 41
    assert own_trail.verify().ok


def test_a_torn_line_in_the_witness_file_is_closed_and_means_nothing(own_trail, sender):
    with own_trail.leading() as sequencer:
        sequencer.take(sender.entries(3), now=START)
        sequencer.sign(now=START)
        with own_trail.witness.path.open("ab") as file:
            file.write(b'{"at": "2026-11-22T09:')
        with own_trail.witness.leaves_path.open("ab") as file:
            file.write(sequencer._key.seed[:0])
        sequencer.take(sender.entries(3), now=START)
        sequencer.sign(now=START)
    assert [note.split("\n")[1] for _, note in own_trail.witness.notes()] == ["4", "7"]
    assert own_trail.verify().ok
