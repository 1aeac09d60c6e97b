"""Pressing Enter in a field does what its form says, and nothing else: a form has one button, so Enter cannot choose."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

TEMPLATES = sorted((Path(__file__).parents[3] / "gateway" / "pages" / "templates").glob("*.html"))
#: A macro of _forms.html that makes a field in which Enter sends the form.
LINE = re.compile(r"\bf\.(text|moment)\(")
#: The class of a button that destroys.
DANGER = "usa-button--secondary"
#: Template → the first button of a form with several, which Enter presses: it keeps what was typed and decides nothing.
FIRST = {"import.html": "Check"}


class Forms(HTMLParser):
    """The forms of a template as it is written: buttons of every branch count."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[dict[str, list[str]]] = []
        self.outside: list[str] = []
        self._open = False
        self._in_button = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Read a form, or a button of one."""
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append({"buttons": [], "classes": [], "lines": [], "text": []})
            self._open = True
        submits = (tag == "button" and given.get("type", "submit") == "submit") or (tag == "input" and given.get("type") in {"submit", "image"})
        if submits and ("formaction" in given or "form" in given or not self._open):
            self.outside.append(tag)
        elif submits:
            self.forms[-1]["buttons"].append("")
            self.forms[-1]["classes"].append(given.get("class", ""))
        self._in_button = tag == "button" and submits
        if self._open and tag == "input" and given.get("type", "text") not in {"hidden", "checkbox", "radio", "file", "submit"}:
            self.forms[-1]["lines"].append(given.get("name", ""))

    def handle_data(self, data: str) -> None:
        """Read a button's words, and the macros that make fields."""
        if self._open and self._in_button and self.forms[-1]["buttons"]:
            self.forms[-1]["buttons"][-1] += data
        if self._open:
            self.forms[-1]["text"].append(data)

    def handle_endtag(self, tag: str) -> None:
        """Leave."""
        if tag == "form":
            self._open = False
        if tag == "button":
            self._in_button = False


def forms_of(source: str) -> Forms:
    """Parse a template. A macro that opens a form is written out, so that its form is seen too."""
    for name, body in re.findall(r"{%-? macro (\w*opening\w*)\([^)]*\) -?%}(.*?){%-? endmacro", source, flags=re.DOTALL):
        if "<form" in body:
            source = re.sub(r"{%-? macro " + name + r".*?endmacro -?%}", "", source, flags=re.DOTALL)
            source = re.sub(r"{{ " + name + r"\([^)]*\) }}", lambda _, body=body: body, source)
    # A search step within a form: its first button, which Enter presses, is the one that the form ends with.
    source = re.sub(r"{%-? macro (saves|who)\(.*?endmacro -?%}", "", source, flags=re.DOTALL)
    source = re.sub(r'{{ f\.saves\("([^"]*)"\) }}', r"<button>\1</button>", source)
    source = re.sub(r"{{ f\.who\([^)]*\) }}", '<input name="find"><button>Find</button>', source)
    parsed = Forms()
    parsed.feed(re.sub(r"{#.*?#}", "", source, flags=re.DOTALL))
    return parsed


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.stem)
def test_a_form_has_one_button(template: Path) -> None:
    parsed = forms_of(template.read_text())
    assert not parsed.outside, "a button outside its form, or with an address of its own"
    for form in parsed.forms:
        if len(form["buttons"]) > 1:
            first, *_, last = form["buttons"]
            assert first == FIRST.get(template.name, last), (template.name, form["buttons"])
            assert first == last or len(form["buttons"]) == 2, (template.name, form["buttons"])


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.stem)
def test_nothing_is_destroyed_by_pressing_enter_in_a_line(template: Path) -> None:
    for form in forms_of(template.read_text()).forms:
        if any(DANGER in said.split() for said in form["classes"]):
            assert not form["lines"], template.name
            assert not LINE.search("".join(form["text"])), template.name


def test_the_parser_sees_what_it_looks_for() -> None:
    former = '<form><button name="s" value="a">Accept</button>{{ f.text("reason") }}<button name="s" value="d">Decline</button></form>'
    assert forms_of(former).forms[0]["buttons"] == ["Accept", "Decline"]
    assert forms_of('<form id="a"></form><button form="a">Send</button>').outside == ["button"]
    (one,) = forms_of(
        f'{{% macro x_opening(a) %}}<form>{{% endmacro %}}{{{{ x_opening("b") }}}}{{{{ f.text("c") }}}}<button class="{DANGER}">D</button></form>'
    ).forms
    assert DANGER in one["classes"]
    asks = forms_of('<form>{{ f.saves("Save") }}{{ f.who("Who", picker) }}<button>Save</button></form>').forms[0]
    assert asks["buttons"] == ["Save", "Find", "Save"]
    assert sum(DANGER in said.split() for path in TEMPLATES for form in forms_of(path.read_text()).forms for said in form["classes"]) > 3
    assert LINE.search("".join(one["text"]))
    assert sum(len(forms_of(path.read_text()).forms) for path in TEMPLATES) > 25
