"""What exists on the broker follows from what the services listen to."""

from __future__ import annotations

from services.chassis.topology import DELIVERY_LIMIT, ENTRIES, RETRIES, compute


def test_every_service_has_an_inbox_bound_to_what_it_listens_to_and_to_nothing_else() -> None:
    topology = compute({"contacts": ["interactions.interaction.logged", "access.user.changed"], "audit": []})
    queues = {queue.name: queue for queue in topology.queues}
    announced = [key for exchange, key in queues["contacts.inbox"].bindings if exchange == "announcements"]
    assert announced == ["access.user.changed", "interactions.interaction.logged"]
    assert [exchange for exchange, _ in queues["audit.inbox"].bindings] == ["audit.inbox.retries"]


def test_whatever_must_not_get_lost_is_in_quorum_queues_that_move_on_with_confirmation() -> None:
    topology = compute({"contacts": ["a.b.c"]})
    kept = [queue for queue in topology.queues if not queue.name.startswith("rpc-")]
    assert {queue.name for queue in kept} == {
        f"{name}{suffix}" for name in ("contacts.inbox", ENTRIES) for suffix in ("", *(f".{delay}" for delay in RETRIES))
    } | {"contacts.dead-letters", f"{ENTRIES}.dead-letters"}
    assert {queue.arguments["x-queue-type"] for queue in kept} == {"quorum"}
    for queue in kept:
        if not queue.name.endswith(".dead-letters"):
            assert queue.arguments["x-dead-letter-strategy"] == "at-least-once"
            assert queue.arguments["x-overflow"] == "reject-publish"


def test_a_message_is_delivered_at_most_twenty_five_times() -> None:
    times_in_the_inbox = 1 + len(RETRIES)
    deliveries_before_the_broker_moves_it = DELIVERY_LIMIT + 1
    assert times_in_the_inbox * deliveries_before_the_broker_moves_it <= 25
    queues = {queue.name: queue for queue in compute({"contacts": []}).queues}
    for name in ("contacts.inbox", ENTRIES):
        assert queues[name].arguments["x-delivery-limit"] == DELIVERY_LIMIT
        assert queues[name].arguments["x-dead-letter-routing-key"] == "dead-letters"


def test_retry_queues_give_back_to_their_own_inbox_after_their_delay() -> None:
    queues = {queue.name: queue for queue in compute({"contacts": []}).queues}
    for delay, milliseconds in (("retry-1s", 1000), ("retry-10s", 10_000), ("retry-60s", 60_000)):
        arguments = queues[f"contacts.inbox.{delay}"].arguments
        assert (arguments["x-message-ttl"], arguments["x-dead-letter-routing-key"]) == (milliseconds, "contacts.inbox")
