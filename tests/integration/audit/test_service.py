"""Audit as a running service: two processes on one database and one broker, the ISSO, and users who may not read."""

import base64
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import eventlet
import orjson
import pytest

from services.audit.service import AuditService
from services.audit.service.dependencies import DependenciesProvider
from services.chassis.config import Settings
from services.chassis.messages import Caller, Refusal, new_id
from services.chassis.passport import PassportSigner
from services.chassis.runtime.process import Services, compose, declare_topology, topology_of
from services.chassis.translog import merkle
from services.chassis.transport import embedded
from services.chassis.transport.connection import Address
from services.chassis.transport.publisher import Message, Publisher, PublishResult
from services.chassis.transport.rpc_client import RpcClient
from tests.cast import AMINA, CHLOE, EDDA, EVERYBODY, UNACKNOWLEDGED
from tests.integration.access.conftest import a_key
from tests.integration.audit.conftest import CERTIFICATES, Sender, Trail
from tests.support import Databases, a_command, eventually
from tests.support.keys import pem_of, pem_of_seed, public_keys, public_pem_of

embedded.register()


class Office:
    """Audit processes beside a broker, and a client in the gateway's place."""

    def __init__(self, stack: ExitStack, url: str, trail: Trail) -> None:
        self.url = url
        self.trail = trail
        #: Services whose account the publisher is not.
        self.strangers: set[str] = set()
        self.stack = stack
        self.private, self.public = a_key()
        self.signer = PassportSigner(self.private)
        address = Address(url=url, known_as="audit")
        self.topology = topology_of([AuditService])
        declare_topology(address, self.topology)
        self.publisher = Publisher(address, identity="tests")
        self.client = RpcClient(address, identity="gateway")
        for part in (self.publisher, self.client):
            part.start()
            stack.callback(part.stop)
            assert part.wait_up(10)

    def start(self) -> Services:
        settings = Settings(
            service="audit",
            database_url=self.trail.addresses.runtime,
            broker_url=self.url,
            passport_public_key=self.public,
            cursor_key="a key of cursors",
            service_key=pem_of("audit"),
            service_public_keys=public_keys(),
            checkpoint_private_key=pem_of_seed(self.trail.key),
            checkpoint_public_key=public_pem_of(self.trail.key),
            checkpoint_origin=self.trail.key.name,
            audit_witness_file=str(self.trail.witness.path),
            pool_size=5,
        )
        process = compose(settings)
        # Every service's entries come from one publisher.
        account = process.address.account
        process = replace(process, account_of=lambda service: "another" if service in self.strangers else account)
        process.revocations._monotonic = lambda: 0.0
        process.revocations.hear(1, [], "1")
        services = Services([(AuditService, process)])
        self.stack.callback(services.stop)
        assert services.start(seconds=20)
        return services

    def ask(self, method: str, by: Caller, **kwargs: Any) -> Any:
        passport = self.signer.issue(by, "audit", datetime.now(UTC))[0]
        return self.client.call("audit", method, kwargs, passport=passport, trace_id=by.trace_id, operation=by.operation)

    def ship(self, *lines: dict[str, Any]) -> None:
        streams = sorted({line["stream"] for line in lines if line.get("stream") in CERTIFICATES})
        body = orjson.dumps({"entries": [*(CERTIFICATES[stream] for stream in streams), *lines]})
        results = self.publisher.publish_confirmed([Message(new_id(), "audit", "audit.entries", body)])
        assert results == [PublishResult.CONFIRMED]

    def traced(self) -> list[str]:
        return [row.trace_id for row in self.trail.sql("SELECT trace_id FROM trail WHERE trace_id LIKE 'trace-%' ORDER BY position")]

    def signed_size(self) -> int:
        return self.trail.sql("SELECT coalesce(max(size), 0) AS size FROM checkpoints")[0].size

    def size(self) -> int:
        return self.trail.sql("SELECT count(*) AS size FROM trail")[0].size


@pytest.fixture(params=["embedded", "rabbitmq"])
def office(request: pytest.FixtureRequest, own_trail: Trail) -> Iterator[Office]:
    name = f"b{new_id()[-12:]}"
    url = f"embedded://{name}" if request.param == "embedded" else request.getfixturevalue("rabbitmq")
    with ExitStack() as stack:
        yield (made := Office(stack, url, own_trail))
    if request.param == "embedded":
        embedded.Broker.by_name.pop(name, None)
        return
    with Address(url=url).connection() as connection:
        connection.connect()
        channel = connection.transport.create_channel(connection.connection)
        for queue in made.topology.queues:
            channel.queue_delete(queue=queue.name)
        for exchange in made.topology.exchanges:
            channel.exchange_delete(exchange=exchange.name)


def _leads(services: Services) -> bool:
    (provider,) = (each for each in services.containers["audit"].extensions if isinstance(each, DependenciesProvider))
    return provider.leader.leads


@pytest.mark.requirement("R119", "R124", "T14")
def test_what_is_shipped_is_listed_to_the_isso_signed_and_her_reading_is_itself_in_the_trail(office: Office, sender: Sender) -> None:
    office.start()
    office.ship(*sender.entries(5), sender.mark())
    eventually(lambda: len(office.traced()) == 5)
    page = office.ask("list_entries", EDDA, query={"action": "contacts:individual:read", "limit": 3})
    assert [item["trace_id"] for item in page["items"]] == ["trace-5", "trace-4", "trace-3"]
    assert page["total"] == 5
    rest = office.ask("list_entries", EDDA, query={"action": "contacts:individual:read", "limit": 3, "cursor": page["next"]})
    assert ([item["trace_id"] for item in rest["items"]], rest["next"]) == (["trace-2", "trace-1"], None)

    def her_reading() -> list[dict[str, Any]]:
        return office.ask("list_entries", EDDA, query={"user": EDDA.id, "action": "audit:entry:list"})["items"]

    reading = eventually(her_reading)[-1]
    assert (reading["actor"], reading["fields"], reading["outcome"], reading["service"]) == (EDDA.id, ["action"], "allowed", "audit")
    eventually(lambda: office.signed_size() == office.size())
    assert office.trail.verify().ok
    seen = eventually(lambda: office.trail.sql("SELECT size, note FROM checkpoints_seen ORDER BY size DESC LIMIT 1"))
    assert office.trail.key.verifier.checkpoint(seen[0].note).size == seen[0].size


def test_every_filter_filters(office: Office) -> None:
    office.start()
    contacts, access = Sender(), Sender("access")
    subject = new_id()
    office.ship(
        contacts.entry(subjects=[subject, new_id()], trace_id="trace-subject"),
        contacts.entry(component="PSO", trace_id="trace-component"),
        contacts.entry(actor="somebody", trace_id="trace-user"),
        access.entry(outcome="refused", rule="individual-frozen", trace_id="trace-outcome"),
        access.entry(action="access:session:open", trace_id="trace-action"),
        access.entry(at="2026-10-01T00:00:00.000Z", trace_id="trace-old"),
    )
    eventually(lambda: len(office.traced()) == 6)
    for query, found in [
        ({"subject": subject}, "trace-subject"),
        ({"component": "PSO"}, "trace-component"),
        ({"user": "somebody"}, "trace-user"),
        ({"outcome": "refused"}, "trace-outcome"),
        ({"action": "access:session:open"}, "trace-action"),
        ({"trace_id": "trace-old"}, "trace-old"),
        ({"until": "2026-10-02T00:00:00Z"}, "trace-old"),
        ({"since": "2026-09-30T19:00:00-05:00", "until": "2026-10-01T00:00:00.001Z"}, "trace-old"),
    ]:
        assert [item["trace_id"] for item in office.ask("list_entries", EDDA, query=query)["items"]] == [found], query


@pytest.mark.requirement("R125", "T14")
def test_nobody_but_the_isso_reads_the_trail(office: Office) -> None:
    office.start()
    both = Caller(**{name: getattr(EDDA, name) for name in EDDA.__slots__} | {"level": "contributor", "component": "ICE"})
    for by in (*EVERYBODY, UNACKNOWLEDGED, both):
        if by is EDDA:
            continue
        for method, kwargs in [
            ("list_entries", {"query": {}}),
            ("list_checkpoints", {"query": {}}),
            ("prove", {"query": {"position": 0}}),
            ("list_findings", {}),
            ("list_reviews", {}),
        ]:
            with pytest.raises(Refusal) as refused:
                office.ask(method, by, **kwargs)
            assert refused.value.code == ("acknowledgement-required" if by is UNACKNOWLEDGED else "not-the-auditor")
    with pytest.raises(Refusal, match="security officer"):
        office.ask("sign_review", a_command(CHLOE, "/audit/reviews"), body={"week": "2026-11-16"})
    eventually(
        lambda: [
            i for i in office.ask("list_entries", EDDA, query={"user": CHLOE.id, "outcome": "refused"})["items"] if i["action"] == "audit:entry:list"
        ]
    )


def test_what_is_no_query_is_refused(office: Office) -> None:
    office.start()
    for query in ({"surname": "x"}, {"limit": 0}, {"limit": 201}, {"since": "yesterday"}, {"outcome": "maybe"}, {"cursor": "AAAA"}, {"cursor": "%"}):
        with pytest.raises(Refusal) as refused:
            office.ask("list_entries", EDDA, query=query)
        assert refused.value.branch == "invalid", query
    for query in ({}, {"position": 1, "first": 1}, {"first": 1}, {"position": -1}, {"first": 0, "second": 2}):
        with pytest.raises(Refusal) as refused:
            office.ask("prove", EDDA, query=query)
        assert refused.value.branch == "invalid", query


def test_a_cursor_serves_its_user_and_query_only(office: Office, sender: Sender) -> None:
    office.start()
    office.ship(*sender.entries(5))
    eventually(lambda: len(office.traced()) == 5)
    cursor = office.ask("list_entries", EDDA, query={"component": "ICE", "limit": 2})["next"]
    assert office.ask("list_entries", EDDA, query={"component": "ICE", "limit": 1, "cursor": cursor})["items"]
    other = Caller(**{name: getattr(EDDA, name) for name in EDDA.__slots__} | {"id": new_id()})
    for by, query in [(EDDA, {"component": "PSO"}), (EDDA, {}), (other, {"component": "ICE"})]:
        with pytest.raises(Refusal) as refused:
            office.ask("list_entries", by, query={**query, "cursor": cursor})
        assert refused.value.code == "cursor-invalid"


@pytest.mark.requirement("R124", "N2")
def test_the_isso_gets_proofs_that_verify_against_the_signed_checkpoint(office: Office, sender: Sender) -> None:
    office.start()
    office.ship(*sender.entries(40))
    eventually(lambda: office.signed_size() >= 40)
    proof = office.ask("prove", EDDA, query={"position": 17})
    checkpoint = office.trail.key.verifier.checkpoint(proof["note"])
    path = [base64.b64decode(step) for step in proof["path"]]
    assert merkle.verify_inclusion(merkle.leaf_hash(proof["body"].encode()), 17, proof["size"], path, checkpoint.root)
    eventually(lambda: office.signed_size() > proof["size"])
    newer = office.ask("list_checkpoints", EDDA, query={})["items"][0]
    proof = office.ask("prove", EDDA, query={"first": checkpoint.size, "second": newer["size"]})
    path = [base64.b64decode(step) for step in proof["path"]]
    assert merkle.verify_consistency(checkpoint.size, newer["size"], path, checkpoint.root, base64.b64decode(newer["root"]))
    for query in ({"position": 10**6}, {"position": 1, "size": 10**6}, {"first": 1, "second": 10**6}):
        with pytest.raises(Refusal) as refused:
            office.ask("prove", EDDA, query=query)
        assert refused.value.code == "unknown-entry"


@pytest.mark.requirement("R126")
def test_one_process_leads_and_a_second_takes_over_without_a_line_lost_or_doubled(office: Office, sender: Sender) -> None:
    first, second = office.start(), office.start()
    office.ship(*sender.entries(10))
    eventually(lambda: len(office.traced()) == 10)
    leading = {_leads(services): services for services in (first, second)}
    assert leading.keys() == {False, True}
    leader = leading[True]
    leader.kill()
    for _ in range(5):
        office.ship(*sender.entries(10))
    eventually(lambda: len(office.traced()) == 60, 10, why="taking over")
    assert office.traced() == [f"trace-{n}" for n in range(1, 61)]
    eventually(lambda: office.signed_size() == office.size())
    assert office.trail.verify().ok


def test_a_leader_whose_connection_is_cut_goes_on_without_a_line_lost_or_doubled(office: Office, sender: Sender) -> None:
    office.start()
    for _ in range(4):
        office.ship(*sender.entries(10))
        eventually(lambda: len(office.traced()) >= sender.n - 10)
        office.trail.sql(
            "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted"
            " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        )
    eventually(lambda: office.traced() == [f"trace-{n}" for n in range(1, 41)], 20)
    eventually(lambda: office.signed_size() == office.size(), 20)
    assert office.trail.verify().ok


def test_what_cannot_be_read_is_dead_lettered_and_what_has_two_contents_is_found(office: Office, sender: Sender) -> None:
    office.start()
    entry = sender.entry()
    office.ship(entry)
    office.ship(sender.sign(entry | {"actor": "another"}))
    results = office.publisher.publish_confirmed([Message(new_id(), "audit", "audit.entries", body) for body in (b"{", b'{"entries": 1}', b"[]")])
    assert results == [PublishResult.CONFIRMED] * 3
    (finding,) = eventually(lambda: office.ask("list_findings", EDDA)["items"])
    assert (finding["kind"], finding["service"], finding["stream"], finding["n"]) == ("two-contents", "contacts", sender.stream, 1)
    found = eventually(lambda: office.ask("list_entries", EDDA, query={"action": "audit:finding:raise"})["items"])
    assert (found[0]["subjects"], found[0]["rule"]) == ([finding["id"]], "two-contents")

    def dead_letters() -> int:
        with Address(url=office.url).connection() as connection:
            connection.connect()
            channel = connection.transport.create_channel(connection.connection)
            return int(channel.queue_declare(queue="audit.entries.dead-letters", passive=True).message_count)

    eventually(lambda: dead_letters() == 3)


@pytest.mark.requirement("R124", "R148")
def test_a_genuine_line_from_another_services_account_is_a_finding_and_not_in_the_trail(office: Office, sender: Sender) -> None:
    office.start()
    stolen, fresh = Sender("access"), Sender("access")
    office.ship(stolen.entry())
    eventually(lambda: len(office.traced()) == 1)
    office.strangers.add("access")
    office.ship(stolen.entry())
    office.ship(fresh.entry())
    found = eventually(lambda: (items := office.ask("list_findings", EDDA)["items"]) and len(items) == 3 and items)
    assert {(one["kind"], one["service"], one["stream"], one["n"]) for one in found} == {
        ("sender", "access", stolen.stream, 2),
        ("sender", "access", fresh.stream, 0),
        ("forged", "access", fresh.stream, 1),
    }
    office.ship(sender.entry())
    eventually(lambda: len(office.traced()) == 2)
    assert [row.n for row in office.trail.sql("SELECT n FROM trail WHERE service = 'access' AND kind = 'entry'")] == [1]


@pytest.mark.requirement("R124", "N2")
def test_a_leader_that_finds_stored_bytes_altered_signs_nothing_and_says_so(office: Office, sender: Sender) -> None:
    services = office.start()
    office.ship(*sender.entries(10))
    eventually(lambda: office.signed_size() >= 10)
    services.stop()
    signed = office.signed_size()
    office.trail.sql("UPDATE trail SET leaf = sha256(leaf) WHERE position = 3")
    office.start()
    (finding,) = eventually(lambda: office.ask("list_findings", EDDA)["items"])
    assert finding["kind"] == "altered"
    assert office.signed_size() == signed


@pytest.mark.requirement("N2")
def test_the_isso_signs_off_each_week_once_it_is_over(office: Office) -> None:
    office.start()
    old = Sender()
    office.ship(*(old.entry(at="2020-01-07T03:00:00.000Z", actor=AMINA.id) for _ in range(3)))
    eventually(lambda: office.signed_size() >= 3)
    reviews = {review["week"]: review for review in office.ask("list_reviews", EDDA)["items"]}
    assert next(iter(reviews.values()))["state"] == "open"
    assert list(reviews.values())[1]["state"] == "due"
    week = list(reviews)[2]
    assert reviews[week]["state"] == "overdue"
    command = a_command(EDDA, "/audit/reviews", key="k", body={"week": week})
    signed = office.ask("sign_review", command, body={"week": week})
    assert (signed["state"], signed["reviewer"]) == ("signed", EDDA.id)
    assert office.ask("sign_review", a_command(EDDA, "/audit/reviews", key="k", body={"week": week}), body={"week": week}) == signed
    for body, code in [
        ({"week": week}, "review-already-signed"),
        ({"week": next(iter(reviews))}, "week-not-over"),
        ({"week": "2019-12-30"}, "week-before-trail"),
        ({"week": "2026-11-17"}, "invalid"),
    ]:
        with pytest.raises(Refusal) as refused:
            office.ask("sign_review", a_command(EDDA, "/audit/reviews"), body=body)
        assert refused.value.code == code
    operation = office.ask("read_operation", EDDA, operation_id=command.operation.id)
    assert operation["status"] == 201


def test_the_figures_of_a_week_name_who_looked_at_most(databases: Databases, fresh_database: Callable[[str], Any], own_trail: Trail) -> None:
    from datetime import date

    from services.audit.storage import reading

    sender = Sender()
    with own_trail.leading() as sequencer:
        sequencer.take(
            [
                *(sender.entry(at="2026-11-17T04:00:00.000Z", actor="busy", subjects=[f"s{n}", f"t{n}"]) for n in range(3)),
                sender.entry(at="2026-11-18T15:00:00.000Z", actor="calm", subjects=["s1"], outcome="refused"),
                sender.entry(at="2026-11-23T00:00:00.000Z", actor="later"),
            ],
            now=datetime.now(UTC),
        )
        with sequencer._connection.begin():

            class Work:
                execute = staticmethod(sequencer._connection.execute)

            figures = reading.signals(Work(), date(2026, 11, 16))
    assert [(f.actor, f.entries, f.subjects, f.refused, f.odd_hours) for f in figures] == [("busy", 3, 6, 0, 3), ("calm", 1, 1, 1, 0)]


@pytest.mark.requirement("R126")
def test_services_are_told_what_is_covered_and_nobody_else_is(office: Office) -> None:
    office.start()
    sender = Sender()
    office.ship(*sender.entries(5))
    contacts = Caller.service("contacts")

    def lacking(first: int, last: int, size: int) -> list[int]:
        asked = {"stream": sender.stream, "first": first, "last": last, "void": False}
        found: list[int] = office.ask("find_uncovered", contacts, size=size, ranges=[asked])["lacking"]
        return found

    def signed() -> int:
        (row,) = office.trail.sql("SELECT coalesce(max(size), 0) AS size FROM checkpoints")
        return int(row.size)

    eventually(lambda: signed() >= 5, why="a checkpoint covers them")
    assert lacking(1, 5, signed()) == []
    assert lacking(1, 6, signed()) == [0]
    assert lacking(1, 5, 4) == [0], "so many were never signed"
    for by in (AMINA, EDDA):
        with pytest.raises(Refusal) as refused:
            office.ask("find_uncovered", by, size=5, ranges=[])
        assert refused.value.code == "identity-refused"
    for ranges in ([{"stream": sender.stream, "first": 1, "last": 10_001, "void": False}], [{"stream": "x", "first": 1, "last": 1, "void": False}]):
        with pytest.raises(Refusal) as refused:
            office.ask("find_uncovered", contacts, size=5, ranges=ranges)
        assert refused.value.branch == "invalid"


@pytest.mark.requirement("R126")
def test_asked_to_stop_it_stops_though_entries_keep_coming_and_the_next_leader_takes_them_all(office: Office) -> None:
    services = office.start()
    senders = [Sender() for _ in range(6)]
    shipped = 0
    steady = True

    def keep_shipping(sender: Sender) -> None:
        nonlocal shipped
        while steady:
            office.ship(*sender.entries(4))
            shipped += 4

    shipping = [eventlet.spawn(keep_shipping, sender) for sender in senders]
    eventually(lambda: office.size() > 100, why="entries come")
    clock = eventlet.hubs.get_hub().clock
    asked_at, before = clock(), shipped
    try:
        with eventlet.Timeout(25, exception=False):
            services.stop()
        took = clock() - asked_at
        kept_coming = shipped > before
    finally:
        steady = False
        for greenlet in shipping:
            greenlet.wait()
    assert took < 8, "it took what had arrived, signed once, and went"
    assert kept_coming, "it had to stop under load"
    assert office.signed_size() == office.size(), "what it wrote, it signed"
    office.start()
    eventually(lambda: len(office.traced()) >= shipped, 60, why="the next one takes what was left in the queue")
    assert len(office.traced()) == shipped, "each once"
    eventually(lambda: office.signed_size() == office.size(), why="and signs it")
    assert office.trail.verify().ok
