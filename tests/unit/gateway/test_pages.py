"""The pages, over canned answers: the door, the frame, forms that come back."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any

import pytest

from gateway.identity import csrf_token
from services.access.contract import CredentialsWrong, SessionRequired
from services.chassis.messages import IdempotencyMismatch, NotFound, OutcomeUnknown, Stale
from services.lexicon.refusals import TextNeedsReview
from tests.unit.gateway.browsing import ID, NOTHING, PERSON, Browser, quiet
from tests.unit.gateway.fakes import AMINA, STATEMENTS, TOKEN, FakeBus, opened, session

REQUEST = "0197f2a0-0000-7000-8000-0000000000c0"


@pytest.fixture
def bus() -> FakeBus:
    """What the pages ask for, in a quiet system."""
    return quiet()


@pytest.mark.requirement("R103", "R105", "R106", "R107", "R108")
def test_signing_in_leads_to_the_three_statements_with_nothing_ticked_and_then_onward(browser: Browser, bus: FakeBus) -> None:
    bus.answers[("access", "sign_in")] = {"token": TOKEN, **session(acknowledged=False)}
    bus.answers[("access", "open_session")] = opened(acknowledged=False)
    assert browser.get("/issues").status_code == 401
    browser.send("/sign-in", {"username": "amina", "password": "x", "onward": browser.hidden("onward")})
    boxes = re.findall(r'<input type="checkbox"[^>]*>', browser.page.text)
    assert len(boxes) == 3
    assert not [box for box in boxes if "checked" in box]
    assert all(statement in browser.page.text for statement in STATEMENTS)
    onward = {"statements_version": "2.4-1", "onward": browser.hidden("onward")}
    two = browser.send("/acknowledgement", {**onward, "statement_1": "yes", "statement_3": "yes"})
    assert two.status_code == 422
    assert "Statement 2 is not marked." in two.text
    assert not bus.of("access", "acknowledge")
    bus.answers[("access", "acknowledge")] = {"token": "another-token"}
    done = browser.send("/acknowledgement", {**onward, **{f"statement_{n}": "yes" for n in (1, 2, 3)}})
    assert (done.status_code, done.headers["Location"]) == (303, "/issues")
    assert "liaison_session=another-token" in done.headers["Set-Cookie"]
    (said,) = bus.of("access", "acknowledge")
    assert said.kwargs == {"statements_version": "2.4-1", "accepted": True, "rotate": True}


def test_a_wrong_password_says_so_at_the_top_and_shows_the_user_name_again(browser: Browser, bus: FakeBus) -> None:
    bus.answers[("access", "sign_in")] = CredentialsWrong()
    browser.get("/sign-in")
    answer = browser.send("/sign-in", {"username": "amina", "password": "secret-word"})
    assert answer.status_code == 401
    assert "The user name or the password is wrong." in answer.text
    assert 'value="amina"' in answer.text
    assert "secret-word" not in answer.text


def test_another_sites_form_signs_nobody_in(browser: Browser, bus: FakeBus) -> None:
    answer = browser.send("/sign-in", {"username": "mallory", "password": "x", "csrf_token": "guess"}, hidden=False, ours=False)
    assert answer.status_code == 403
    assert not bus.of("access", "sign_in")


@pytest.mark.parametrize("onward", ["//elsewhere.example", "https://elsewhere.example", "/\\elsewhere.example", "/\t/elsewhere.example", "issues"])
def test_signing_in_leads_nowhere_else(browser: Browser, bus: FakeBus, onward: str) -> None:
    bus.answers[("access", "sign_in")] = {"token": TOKEN, **session(acknowledged=False)}
    browser.get("/sign-in")
    browser.send("/sign-in", {"username": "amina", "password": "x", "onward": onward})
    assert browser.hidden("onward") == "/"


@pytest.mark.requirement("R187")
def test_every_page_bears_the_marking_the_user_and_the_minute(aminas: Browser) -> None:
    page = aminas.get("/").text
    assert page.count("FOR OFFICIAL USE ONLY") == 2
    assert "Amina Adler (ICE)" in page
    assert re.search(r'<time datetime="20\d\d-[^"]+" title="[^"]+ UTC" data-utc="[^"]+ UTC">\w+ \d+, 20\d\d, \d+:\d\d [ap]\.m\. E[SD]T</time>', page)
    assert 'href="#main"' in page


@pytest.mark.requirement("R10", "R173")
def test_the_privacy_notice_is_there_for_everybody(browser: Browser) -> None:
    page = browser.get("/privacy")
    assert page.status_code == 200
    for said in ("6 U.S.C. § 112(c)", "http://www.dhs.gov/foia", "contact point", "Chief Privacy Officer"):
        assert said in page.text


def test_a_value_is_shown_as_text_never_as_markup(aminas: Browser) -> None:
    page = aminas.get(f"/individuals/{ID}").text
    assert "Dorn &lt;b&gt;" in page
    assert "Dorn <b>" not in page


def test_errors_stand_at_the_field_and_at_the_top_and_what_was_typed_stays(aminas: Browser, bus: FakeBus) -> None:
    aminas.get("/individuals/new")
    answer = aminas.send("/individuals/new", {"first_name": "Dov", "last_name": "", "title": "Director"})
    assert answer.status_code == 422
    assert answer.text.count("Enter the last name.") == 2
    assert '<a href="#last_name">' in answer.text
    assert 'aria-describedby="last_name-error"' in answer.text
    assert 'value="Director"' in answer.text
    assert not bus.of("contacts", "register_individual")


def test_a_double_submit_carries_one_key(aminas: Browser, bus: FakeBus) -> None:
    bus.answers[("contacts", "register_individual")] = PERSON
    aminas.get("/individuals/new")
    form = {"last_name": "Dorn", **{name: aminas.hidden(name) for name in ("csrf_token", "idempotency_key")}}
    for _ in range(2):
        assert aminas.send("/individuals/new", form, hidden=False).status_code == 303
    first, second = (call.operation for call in bus.of("contacts", "register_individual"))
    assert first is not None
    assert second is not None
    assert first.key
    assert first.key == second.key
    assert first.body_hash == second.body_hash


def test_an_unknown_outcome_keeps_the_key_and_a_changed_form_gets_another(aminas: Browser, bus: FakeBus) -> None:
    bus.answers[("contacts", "register_individual")] = OutcomeUnknown()
    aminas.get("/individuals/new")
    key = aminas.hidden("idempotency_key")
    answer = aminas.send("/individuals/new", {"last_name": "Dorn"})
    assert answer.status_code == 503
    assert aminas.hidden("idempotency_key") == key
    bus.answers[("contacts", "register_individual")] = IdempotencyMismatch()
    answer = aminas.send("/individuals/new", {"last_name": "Dorn, the other"})
    assert answer.status_code == 409
    assert aminas.hidden("idempotency_key") != key


def test_a_form_whose_session_ended_is_given_back_after_signing_in(app: Any, aminas: Browser, bus: FakeBus) -> None:
    aminas.get("/individuals/new")
    app.extensions["liaison"].sessions.forget(TOKEN)
    bus.answers[("access", "open_session")] = SessionRequired()
    answer = aminas.send("/individuals/new", {"last_name": "Quillfeather & Dorn"})
    assert answer.status_code == 401
    assert "What you typed is kept" in answer.text
    kept = aminas.hidden("kept")
    bus.answers |= {
        ("access", "sign_in"): {"token": TOKEN, **session(acknowledged=False)},
        ("access", "open_session"): opened(acknowledged=False),
        ("access", "acknowledge"): {"token": "another-token"},
    }
    aminas.send("/sign-in", {"username": "amina", "password": "x", "kept": kept})
    kept = aminas.hidden("kept")
    fields = {f"statement_{n}": "yes" for n in (1, 2, 3)}
    answer = aminas.send("/acknowledgement", {"statements_version": "2.4-1", "kept": kept, **fields})
    assert 'action="/individuals/new"' in answer.text
    assert "Quillfeather &amp; Dorn" in answer.text
    assert f'value="{csrf_token("another-token")}"' in answer.text
    assert not bus.of("contacts", "register_individual"), "nothing is sent without its author"


def test_another_sites_form_is_not_kept_for_later(browser: Browser) -> None:
    answer = browser.send("/individuals/new", {"last_name": "Forged"}, hidden=False, ours=False)
    assert answer.status_code == 401
    assert "Forged" not in answer.text


def test_a_link_from_another_site_neither_ends_the_session_nor_asks_to_sign_in_again(browser: Browser) -> None:
    elsewhere = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
    answer = browser.client.get(f"/individuals/{ID}?x=1", headers=elsewhere)
    assert answer.status_code == 401
    assert f'content="0; url=/individuals/{ID}?x=1"' in answer.text
    assert "liaison_session" not in str(answer.headers.getlist("Set-Cookie"))


def test_a_session_that_ended_is_taken_from_the_browser(aminas: Browser, bus: FakeBus) -> None:
    bus.answers[("access", "open_session")] = SessionRequired()
    answer = aminas.get("/")
    assert "liaison_session=;" in str(answer.headers.getlist("Set-Cookie"))


def test_a_form_without_its_token_does_nothing(aminas: Browser, bus: FakeBus) -> None:
    answer = aminas.send("/individuals/new", {"last_name": "Dorn"}, hidden=False, ours=False)
    assert answer.status_code == 403
    assert not bus.of("contacts", "register_individual")


def test_a_record_that_changed_meanwhile_is_shown_as_it_is_with_what_was_typed(aminas: Browser, bus: FakeBus) -> None:
    bus.answers[("contacts", "change_individual")] = Stale()
    aminas.get(f"/individuals/{ID}")
    answer = aminas.send(f"/individuals/{ID}/facts", {"if_match": '"old"', "title": "Director", "last_name": "Dorn"})
    assert answer.status_code == 412
    assert 'value="Director"' in answer.text
    assert "changed since you read it" in answer.text


@pytest.mark.requirement("R27", "R111")
def test_somebody_of_one_name_is_corrected_without_a_first_name(aminas: Browser, bus: FakeBus) -> None:
    bus.answers[("contacts", "change_individual")] = {"version": 2}
    aminas.get(f"/individuals/{ID}")
    answer = aminas.send(f"/individuals/{ID}/facts", {"if_match": '"1"', "first_name": "", "last_name": "Dorn"})
    assert answer.status_code == 303
    assert bus.of("contacts", "change_individual")[-1].kwargs["body"] == {"first_name": None, "last_name": "Dorn"}


def test_text_that_the_screening_holds_can_be_kept_with_a_reason(aminas: Browser, bus: FakeBus) -> None:
    bus.answers[("contacts", "add_note")] = TextNeedsReview(errors={"text": ["A phone number belongs in a contact point."]})
    aminas.get(f"/individuals/{ID}")
    answer = aminas.send(f"/individuals/{ID}/notes", {"text": "Call 956-555-0199."})
    assert answer.status_code == 422
    assert 'name="keep_reason"' in answer.text
    assert "Call 956-555-0199." in answer.text


@pytest.mark.requirement("T15")
def test_a_reader_who_could_not_read_what_is_kept_is_not_offered_to_keep_it(aminas: Browser, bus: FakeBus) -> None:
    readers = opened()
    readers["session"]["level"] = readers["session"]["user"]["level"] = "reader"
    bus.answers[("access", "open_session")] = readers
    bus.answers[("contacts", "add_note")] = TextNeedsReview(errors={"text": ["A phone number belongs in a contact point."]})
    aminas.get(f"/individuals/{ID}")
    answer = aminas.send(f"/individuals/{ID}/notes", {"text": "Call 956-555-0199."})
    assert (answer.status_code, 'name="keep_reason"' in answer.text, "Call 956-555-0199." in answer.text) == (422, False, True)


@pytest.mark.requirement("R154", "R86")
def test_the_contact_layer_is_opened_by_a_button_that_says_that_it_is_logged(aminas: Browser, bus: FakeBus) -> None:
    page = aminas.get(f"/individuals/{ID}").text
    assert "Show contact points (this is logged)" in page
    assert not bus.of("contacts", "reveal")
    bus.answers[("contacts", "reveal")] = {"items": [], "held_by": [{"component": "PSO", "owner": AMINA}]}
    page = aminas.send(f"/individuals/{ID}/reveal", {}).text
    assert "No contact information is available to you." in page
    assert "PSO has a relationship with this person" in page


@pytest.mark.requirement("R115", "T20")
def test_a_verification_is_recorded_on_the_record_and_withdraws_what_is_ticked(aminas: Browser, bus: FakeBus) -> None:
    bus.answers[("contacts", "verify_individual")] = {"id": ID}
    bus.answers[("contacts", "read_individual")] = {**PERSON, "declined": ["cell", "email"]}
    assert 'name="withdraw_declined" value="email"' in aminas.get(f"/individuals/{ID}").text
    answer = aminas.send(f"/individuals/{ID}/verifications", {"medium": "phone"})
    assert answer.status_code == 422
    assert not bus.of("contacts", "verify_individual")
    typed = {"medium": "phone", "verified_at": "2026-11-23T10:00", "verified_at_zone": "America/New_York", "withdraw_declined": "cell"}
    assert aminas.send(f"/individuals/{ID}/verifications", typed).status_code == 303
    (said,) = bus.of("contacts", "verify_individual")
    assert said.kwargs["body"] == {
        "medium": "phone",
        "verified_at": "2026-11-23T10:00:00-05:00",
        "withdraw_declined": ["cell"],
        "contact_point_ids": [],
    }


@pytest.mark.requirement("T32", "T15")
def test_a_title_that_the_screening_holds_can_be_kept_with_a_reason_where_it_is_entered_or_corrected(aminas: Browser, bus: FakeBus) -> None:
    held = {"errors": {"title": ["This word may speak of religion, which the system does not document."]}}
    typed = {"last_name": "Dorn", "title": "Catholic Chaplain"}
    for path, call, more in (("/individuals/new", "register_individual", {}), (f"/individuals/{ID}/facts", "change_individual", {"if_match": '"1"'})):
        bus.answers[("contacts", call)] = TextNeedsReview(**held)
        aminas.get("/individuals/new" if path == "/individuals/new" else f"/individuals/{ID}")
        answer = aminas.send(path, {**typed, **more})
        assert answer.status_code == 422
        assert 'name="keep_reason"' in answer.text
        bus.answers[("contacts", call)] = {"id": ID, "version": 2}
        assert aminas.send(path, {**typed, **more, "keep_reason": "The position is called so."}).status_code == 303
        body = bus.of("contacts", call)[-1].kwargs["body"]
        assert (body["title"], body["keep_reason"]) == ("Catholic Chaplain", "The position is called so.")


@pytest.mark.requirement("T28")
def test_what_somebody_was_before_stands_on_the_record_and_a_former_address_says_until_when(aminas: Browser, bus: FakeBus) -> None:
    former = {
        "title": "Director",
        "organization_id": ID,
        "organization_name": "Former Mills",
        "replaced_at": "2026-11-23T15:00:00.000Z",
        "import_id": None,
    }
    bus.answers[("contacts", "read_individual")] = {**PERSON, "previous": [former, {**former, "organization_name": None}]}
    page = " ".join(aminas.get(f"/individuals/{ID}").text.split())
    assert "Previously" in page
    assert "Director, Former Mills (until November 23, 2026)" in page
    assert "<li>Director (until November 23, 2026)</li>" in page
    point = {"id": ID, "kind": "work_address", "value": "1 Old Rd", "component": "ICE", "created_at": former["replaced_at"], "verified_at": None}
    shown = {**point, "reported": None, "previous": True, "replaced_at": former["replaced_at"]}
    bus.answers[("contacts", "reveal")] = {"items": [shown], "held_by": []}
    assert "previous, until November 23, 2026" in aminas.send(f"/individuals/{ID}/reveal", {}).text


@pytest.mark.requirement("R138", "T24")
def test_whoever_is_set_aside_is_shown_as_that_to_the_privacy_officer(aminas: Browser, bus: FakeBus) -> None:
    bus.answers[("contacts", "read_individual")] = {**PERSON, "set_aside": True}
    shown = aminas.get(f"/individuals/{ID}").text
    assert "Dorn &lt;b&gt;" in shown
    assert "A hold keeps the record" in shown
    assert "Show contact points" not in shown


@pytest.mark.requirement("R164", "R168")
def test_a_frozen_record_shows_the_name_and_do_not_contact(aminas: Browser, bus: FakeBus) -> None:
    bus.answers[("contacts", "read_individual")] = {**PERSON, "frozen": True, "notice": "Do not contact."}
    page = aminas.get(f"/individuals/{ID}").text
    assert "Do not contact." in page
    assert "Show contact points" not in page
    assert not bus.of("contacts", "list_notes")


@pytest.mark.requirement("R164", "T21")
@pytest.mark.parametrize(("medium", "said"), [("phone", "Asked by phone on"), ("in_person", "Asked in person on"), ("other", "Asked on")])
def test_whoever_may_read_the_request_is_told_when_and_how_a_frozen_person_asked(aminas: Browser, bus: FakeBus, medium: str, said: str) -> None:
    bus.answers[("contacts", "read_individual")] = {**PERSON, "frozen": True, "notice": "Do not contact."}
    bus.answers[("contacts", "find_frozen")] = {**NOTHING, "items": [{"id": ID, "request_id": REQUEST}]}
    bus.answers[("retention", "read_no_contact_request")] = {"id": REQUEST, "medium": medium, "received_on": "2026-11-28"}
    assert f"{said} November 28, 2026." in aminas.get(f"/individuals/{ID}").text
    bus.answers[("retention", "read_no_contact_request")] = NotFound()
    assert "Asked" not in aminas.get(f"/individuals/{ID}").text


def test_the_forms_of_every_page_are_labelled_and_without_script(aminas: Browser) -> None:
    for path in (
        "/",
        "/individuals/new",
        "/organizations/new",
        "/interactions/new",
        "/events",
        "/issues",
        f"/individuals/{ID}",
        f"/events/{ID}?find=x",
        "/search",
        "/profile",
    ):
        page = aminas.get(path)
        assert page.status_code == 200, path
        read = Reader()
        read.feed(page.text)
        assert not read.scripts, path
        assert not read.styled, path
        assert read.headings == 1, path
        assert not read.unlabelled(), (path, read.unlabelled())
        assert len(read.ids) == len(set(read.ids)), (path, [one for one in read.ids if read.ids.count(one) > 1])


class Reader(HTMLParser):
    """What a page is made of, as far as assistive technology and the content policy care."""

    def __init__(self) -> None:
        super().__init__()
        self.scripts: list[str] = []
        self.styled: list[str] = []
        self.headings = 0
        self.ids: list[str] = []
        self.controls: list[dict[str, str | None]] = []
        self.labels: set[str | None] = set()
        self._within_label = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Read a tag."""
        given = dict(attrs)
        is_ours = re.fullmatch(r"/static/[0-9a-f]{16}/(liaison|built/(htmx|accessible-autocomplete)\.min)\.js", str(given.get("src")))
        if (tag == "script" and not is_ours) or any(name.startswith("on") for name in given):
            self.scripts.append(tag)
        if "style" in given or tag == "style":
            self.styled.append(tag)
        self.headings += tag == "h1"
        if given.get("id"):
            self.ids.append(str(given["id"]))
        if tag == "label":
            self._within_label += 1
            self.labels.add(given.get("for"))
        if tag in {"input", "select", "textarea"} and given.get("type") != "hidden" and not self._within_label:
            self.controls.append(given)

    def handle_endtag(self, tag: str) -> None:
        """Leave a label."""
        self._within_label -= tag == "label"

    def unlabelled(self) -> list[dict[str, str | None]]:
        """Return the controls that nothing names."""
        return [control for control in self.controls if control.get("id") not in self.labels and not control.get("aria-label")]
