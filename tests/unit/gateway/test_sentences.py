"""Words of the pages: what is wrong with a field, by its label, and words that users do not see any more."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

import marshmallow
import pytest
from marshmallow import fields, validate

import gateway
from gateway.pages.sentences import Field, Problem, problems, worded
from gateway.refusals import rows
from services.chassis.messages import BRANCHES, Invalid
from tests.unit.gateway.browsing import ID, PERSON, Browser, quiet
from tests.unit.gateway.fakes import FakeBus

PAGES = Path(gateway.__file__).parent / "pages"
TEMPLATES = sorted((PAGES / "templates").glob("*.html"))
#: What pages say from their code; `sentences` knows the old words, to replace them.
MODULES = sorted(set(PAGES.glob("*.py")) - {PAGES / "sentences.py"})
#: Words that stood on the pages, and what stands there now.
OLD = {
    r"\(needed\)": "(required)",
    r"need another value": "Check the fields below.",
    r"Missing data for required|may not be null|Length must be|Not a valid [A-Za-z]": "Enter your user name.",
    r"multipart/form-data, in a part": "Choose a file first.",
    r"what shared text (should|must) not": "This text has information that can't be shared",
    r"Keep it as it is|alone, because": "Reason for keeping this text",
    r"Kept until \{\{ person|expires_because": "Will be deleted on … unless contacted",
    r"What waits for me\b|Nothing waits for you": "My tasks; You have no tasks",
    r"Nobody fits|[Tt]ake (a filter )?away\b": "No results. Remove a filter",
    r"They want no more contact": "Record a no-contact request",
    r">(Enter|Ask|Log it|It is done|Correct|Record it)</button>": "Save person; Send request; Save interaction; Mark complete",
    r"\b(is|are) left out\b|>Becomes<|>Means<|[Ll]eave (this row|all of them) out|not taken in": "Do not import; Result",
    r"none that you may see": "No contact information is available to you.",
    r"That is not possible|To my desk": "We can't do that; Go to My desk",
    r"Go on where you were|>Leave it<|>Go on<|Go on to": "Your unsaved work; Discard; Resume; Continue",
    r"[Tt]aken back|[Tt]ake (it|this request) back|you took back": "Withdraw",
    r"not yours to know|the system must not hold": "you may not see it; must not store",
    r"Before you go on": "Before you continue",
    r"person\.notice\b": "Do not contact.",
    r"[Rr]equests? to coordinate": "Coordination request: waiting for a reply",
}
#: Of the API alone: a program reads it, and the page of imports says it in other words.
OF_THE_API = {"multipart-required"}


@pytest.fixture
def bus() -> FakeBus:
    """What the pages ask for, in a quiet system."""
    return quiet()


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_no_template_has_the_old_words(template: Path) -> None:
    said = re.sub(r"\{#.*?#\}", "", template.read_text(), flags=re.DOTALL)
    assert {old: match[0] for old in OLD if (match := re.search(old, said))} == {}


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.name)
def test_no_text_of_a_page_s_module_has_the_old_words(module: Path) -> None:
    tree = ast.parse(module.read_text())
    docstrings = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    texts = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings]
    assert [(old, text) for text in texts for old in OLD if re.search(old, text)] == []


def test_no_refusal_has_the_old_words() -> None:
    found = [(code, old) for code, _, sentence, _ in rows() for old in OLD if code not in OF_THE_API and re.search(old, sentence)]
    assert found == []


def test_no_code_of_a_closed_list_is_a_label_of_the_search(aminas: Browser, bus: FakeBus) -> None:
    counts = {"sector": "private_sector", "priority": "one_dhs", "type": "individual", "fema_region": 6, "state": "TX"}
    facets = {name: [{"value": value, "count": 1}] for name, value in counts.items()}
    bus.answers[("contacts", "search_stakeholders")] = {"items": [], "next": None, "total": 0, "facets": facets}
    shown = aminas.get("/search?sector=private_sector").text
    for label in ("Private sector (1) ✕ Remove", "OneDHS (1)", "Individuals (1)", "<h2>FEMA region</h2>", "Texas (1)", "No results. Remove a filter"):
        assert label in shown
    assert not re.search(r">[^<]*(private_sector|one_dhs|fema region)", shown)


def _sentences_of_marshmallow() -> set[str]:
    """Return what marshmallow says by itself of a field or by a validator."""
    kinds = [cls for cls in vars(fields).values() if isinstance(cls, type) and hasattr(cls, "default_error_messages")]
    # What cannot be written is no mistake of a user.
    said = {sentence for cls in kinds for name, sentence in cls.default_error_messages.items() if name != "format"}
    for cls in (validate.Email, validate.URL, validate.Regexp, validate.Equal, validate.OneOf, validate.ContainsOnly):
        said.add(cls.default_message)
    for length in (validate.Length(1, 5), validate.Length(min=2), validate.Length(max=5), validate.Length(equal=2)):
        for value in ("", "123456"):
            said |= _refused(length, value)
    for numbers in (validate.Range(1, 5), validate.Range(min=2)):
        said |= _refused(numbers, 0)
    filled = {"obj_type": "datetime", "awareness": "aware", "choices": "a, b", "other": "x", "input": "x", "min": 1, "max": 5, "values": "a"}
    return {sentence.format(**filled) for sentence in said}


def _refused(check: Any, value: Any) -> set[str]:
    try:
        check(value)
    except marshmallow.ValidationError as error:
        return {str(sentence) for sentence in error.messages}
    return set()


@pytest.mark.parametrize("control", ["text", "choice", "several", "date", "datetime-local", "area"])
def test_no_sentence_of_marshmallow_is_said_on_a_page(control: str) -> None:
    sentences = sorted(_sentences_of_marshmallow())
    assert len(sentences) > 20
    said = worded({"state": sentences}, {"state": Field("State", control)})["state"]
    assert [sentence for sentence in said if sentence in sentences or not re.match(r"(Enter|Choose|Use|Check|Remove|This page)\b", sentence)] == []


@pytest.mark.parametrize(
    ("name", "field", "sentence", "says"),
    [
        ("username", Field("User name", "text"), "Missing data for required field.", "Enter your user name."),
        ("last_name", Field("Last name", "text"), "Field may not be null.", "Enter the last name."),
        ("postal_code", Field("ZIP code", "text"), "Missing data for required field.", "Enter the ZIP code."),
        ("text", Field("A note", "area"), "Not empty.", "Enter a note."),
        ("priority", Field("Priority", "choice"), "Must be one of: a, b.", "Choose one from the list."),
        ("medium", Field("How did they say it?", "choice"), "Missing data for required field.", "Choose an answer."),
        ("individual_id", Field("Person", "choice"), "Not a valid UUID.", "Choose a person."),
        ("held_at", Field("When", "datetime-local"), "Not a valid datetime.", "Enter a date and time."),
        ("due_on", Field("Due", "date"), "A day, such as 2026-11-28.", "Enter a date."),
        ("title", Field("Title", "text"), "Longer than maximum length 200.", "Use 200 characters or fewer."),
        ("title", Field("Title", "text"), "Length must be between 1 and 200.", "Use 1 to 200 characters."),
        ("individual_ids", Field("Individuals", "text"), "Length must be between 1 and 50.", "Choose no more than 50."),
    ],
)
def test_a_sentence_says_what_to_do(name: str, field: Field, sentence: str, says: str) -> None:
    assert worded({name: [sentence]}, {name: field}) == {name: [says]}


def test_the_summary_names_each_field_once_and_links_what_the_page_shows() -> None:
    shown = {"last_name": Field("Last name", "text"), "medium": Field("How did they say it?", "choice"), "statement_1": Field("", "box")}
    errors = {"last_name": ["Enter the last name."], "medium": ["Choose an answer."], "statement_1": ["It is not marked."], "parts.0.id": ["No."]}
    assert problems(errors, shown) == [
        Problem("last_name", "Enter the last name.", True),
        Problem("medium", "How did they say it? Choose an answer.", True),
        Problem("statement_1", "It is not marked.", True),
        Problem("parts.0.id", "Parts: No.", False),
    ]


FORMS: list[tuple[str, str, dict[str, str], tuple[str, ...]]] = [
    ("/individuals/new", "/individuals/new", {"first_name": "Dov"}, ("Enter the last name.",)),
    ("/organizations/new", "/organizations/new", {"city": "Houston"}, ("Enter the name.",)),
    ("/issues", "/issues", {"summary": "Of worksites"}, ("Enter the name.",)),
    ("/events", "/events", {"name": "Roundtable"}, ("Enter a date and time.",)),
    ("/interactions/new", "/interactions/new", {"individual_ids": ID, "mode": "smoke"}, ("Enter a date and time.", "Choose one from the list.")),
    ("/interactions/new", "/interactions/new", {"individual_ids": "x", "mode": "phone", "held_at": "2026-01-20T10:00"}, ("Choose a person.",)),
    ("/requests/coordination/new", "/requests/coordination/new", {"individual_id": ID}, ("What should they be told or asked? Enter an answer.",)),
    (
        "/requests/no-contact/new",
        "/requests/no-contact/new",
        {"individual_id": ID},
        ("How did they say it? Choose an answer.", "On which day? Enter a date."),
    ),
    (f"/individuals/{ID}", f"/individuals/{ID}/notes", {}, ("Enter a note.",)),
    (f"/individuals/{ID}", f"/individuals/{ID}/contact-points", {"kind": "email"}, ("Enter the value.",)),
    (f"/individuals/{ID}", f"/individuals/{ID}/verifications", {}, ("Choose how you spoke to them.", "Enter a date and time.")),
    ("/search", "/search", {"contacted_after": "lately"}, ("Last contact after",)),
]


@pytest.mark.parametrize(("opened", "path", "form", "says"), FORMS, ids=[f"{path} {form}" for _, path, form, _ in FORMS])
def test_a_form_that_comes_back_names_its_fields_by_their_labels(
    aminas: Browser, bus: FakeBus, opened: str, path: str, form: dict[str, str], says: tuple[str, ...]
) -> None:
    bus.answers[("contacts", "read_individual")] = PERSON
    aminas.get(opened)
    shown = aminas.send(path, form)
    if shown.status_code == 303:
        shown = aminas.get(shown.headers["Location"])
    assert shown.status_code == 422
    summary = shown.text.partition('id="summary"')[2].partition("</div>")[0]
    assert f"<h2>{Invalid().detail}</h2>" in summary
    for sentence in says:
        assert sentence in summary
    assert not [old for old in OLD if re.search(old, shown.text)]
    assert not re.search(r"\b[a-z]+(_[a-z]+)+\b", re.sub(r"<[^>]*>", "", summary))
    links = re.findall(r'<a href="#([^"]+)"', summary)
    assert links
    assert all(f'id="{link}"' in shown.text for link in links)


def test_signing_in_without_a_name_names_the_field(browser: Browser) -> None:
    browser.get("/sign-in")
    shown = browser.send("/sign-in", {"username": " ", "password": ""}).text
    for name, sentence in (("username", "Enter your user name."), ("password", "Enter your password.")):
        assert f'<a href="#{name}">{sentence}</a>' in shown
        assert f'id="{name}-error">{sentence}' in shown


def test_a_code_and_a_trace_are_shown_of_faults_alone(aminas: Browser, bus: FakeBus) -> None:
    aminas.get("/individuals/new")
    assert '<p class="trace">' not in aminas.send("/individuals/new", {}).text
    bus.answers[("contacts", "register_individual")] = BRANCHES["unavailable"]()
    assert '<p class="trace">Code unavailable, trace' in aminas.send("/individuals/new", {"last_name": "Dorn"}).text


def test_an_upload_without_a_file_says_to_choose_one(aminas: Browser) -> None:
    aminas.get("/imports")
    answer = aminas.send("/imports", {})
    assert answer.status_code == 415
    assert "Choose a file first." in answer.text
    assert "multipart" not in answer.text.partition('id="summary"')[2].partition("</div>")[0]
