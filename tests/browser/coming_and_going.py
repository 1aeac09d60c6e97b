"""Coming in, going out and being interrupted, in a browser; a program of its own, not monkey-patched.

`python tests/browser/coming_and_going.py BASE ACCOUNTS.json CHROMIUM [SCREENSHOTS]`; exits with 0 when all went as told.
"""

from __future__ import annotations

import base64
import json
import re
import secrets
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Error, Page, Route, expect, sync_playwright

CELL = "956-555-0163"
NOTE = "Asked how the guidance affects employers."
HEADING = "My desk"


class Visit:
    """One person at one browser, with scripts or without."""

    def __init__(self, browser: Browser, base: str, *, scripts: bool, zone: str = "America/New_York") -> None:
        self.base = base
        self.context: BrowserContext = browser.new_context(java_script_enabled=scripts, timezone_id=zone, viewport={"width": 1100, "height": 900})
        self.page = self.tab()
        self.complaints: list[str] = []

    def tab(self) -> Page:
        """Open a tab."""
        page = self.context.new_page()
        page.set_default_timeout(20_000)
        page.on("console", lambda message: self.complaints.append(message.text) if "Content Security Policy" in message.text else None)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        return page

    def open(self, path: str, page: Page | None = None) -> None:
        """Go to an address."""
        (page or self.page).goto(f"{self.base}{path}")

    def sign_in(self, account: dict[str, Any], page: Page | None = None) -> None:
        """Sign in and acknowledge on the page that is open."""
        page = page or self.page
        page.get_by_label("User name").fill(account["username"])
        page.get_by_label("Password").fill(account["password"])
        page.keyboard.press("Enter")
        for n in range(3):
            page.get_by_role("checkbox").nth(n).check()
        page.get_by_role("button", name="I acknowledge").click()

    def at(self) -> str:
        """Return the address, without this system's own."""
        return self.page.url.removeprefix(self.base)

    def heading(self, text: str | re.Pattern[str]) -> None:
        """See a page by its heading."""
        expect(self.page.get_by_role("heading", level=1)).to_have_text(text)


def from_every_start(browser: Browser, base: str, amina: dict[str, Any], chloe: dict[str, Any], shots: Callable[[Page, str], None]) -> None:
    """Sign in from the desk, from the sign-in page, after a sign-out and from a deep link; the way never goes in circles."""
    visit = Visit(browser, base, scripts=False)
    for start, end in (
        ("/", "/"),
        ("/sign-in", "/"),
        ("/sign-in?onward=/sign-in", "/"),
        ("/issues", "/issues"),
        ("/search?state=TX", "/search?state=TX"),
    ):
        visit.open(start)
        visit.sign_in(amina)
        assert visit.at() == end, (start, visit.at())
        visit.open("/sign-in")
        visit.heading(HEADING)
        visit.page.get_by_role("button", name="Sign out").click()
        expect(visit.page.locator("#why")).to_have_text("You signed out.")
        shots(visit.page, "signed-out")
        visit.sign_in(amina)
        visit.heading(HEADING)
        visit.page.get_by_role("button", name="Sign out").click()
        expect(visit.page.locator("#why")).to_have_text("You signed out.")
        visit.page.go_back()
        assert "Sign out" not in visit.page.content(), "nothing of the session is shown by going back"
    _two_tabs(visit, amina)


def _two_tabs(visit: Visit, amina: dict[str, Any]) -> None:
    visit.open("/")
    visit.sign_in(amina)
    other = visit.tab()
    visit.open("/issues", other)
    visit.page.get_by_role("button", name="Sign out").click()
    visit.sign_in(amina)
    other.get_by_role("button", name="Sign out").click()
    expect(other.get_by_role("heading", level=1)).to_have_text("Sign in")
    visit.open("/")
    visit.heading("Sign in")
    visit.sign_in(amina)
    for path in ("/sign-out", "/session/stay", "/imports/0197f2a0-0000-7000-8000-0000000000b0/undo", "/no-such-page"):
        visit.open(path)
        assert visit.page.get_by_role("heading", level=1).count() == 1, path


def interrupted(browser: Browser, base: str, amina: dict[str, Any], chloe: dict[str, Any], shots: Callable[[Page, str], None]) -> None:
    """Be signed out by newer sign-ins while typing: it is said why, and what was typed is its author's alone."""
    visit = Visit(browser, base, scripts=False)
    visit.open("/individuals/new")
    visit.sign_in(amina)
    _type_card(visit.page)
    _take_over(browser, base, amina)
    visit.page.get_by_role("button", name="Save person").click()
    expect(visit.page.locator("#why")).to_contain_text("newer sign-in of yours")
    assert CELL not in visit.page.content()
    shots(visit.page, "ended")
    visit.sign_in(chloe)
    visit.heading(HEADING)
    assert CELL not in visit.page.content()
    visit.page.get_by_role("button", name="Sign out").click()
    visit.open("/individuals/new")
    visit.sign_in(amina)
    _type_card(visit.page)
    _take_over(browser, base, amina)
    visit.page.get_by_role("button", name="Save person").click()
    visit.sign_in(amina)
    visit.heading("Business card")
    expect(visit.page.get_by_label("Cell phone")).to_have_value(CELL)
    expect(visit.page.get_by_text("Nothing was sent yet")).to_be_visible()
    shots(visit.page, "given-back")
    visit.page.get_by_label("Last name").fill("Vantongeren-Quill")
    visit.page.get_by_role("button", name="Save person").click()
    visit.heading("Ottoline Vantongeren-Quill")
    record = visit.at().split("?")[0]
    _take_over(browser, base, amina)
    visit.page.get_by_role("button", name="Show contact points").click()
    visit.sign_in(amina)
    assert visit.at() == record
    visit.open(f"{record}/reveal")
    visit.heading("Ottoline Vantongeren-Quill")


def _type_card(page: Page) -> None:
    page.get_by_label("First name").fill("Ottoline")
    page.get_by_label("Last name").fill("Vantongeren")
    page.locator("main summary").first.click()
    page.get_by_label("Cell phone").fill(CELL)


def _take_over(browser: Browser, base: str, account: dict[str, Any]) -> None:
    """Sign in twice elsewhere: a third session ends the oldest."""
    for _ in range(2):
        other = Visit(browser, base, scripts=False)
        other.open("/")
        other.sign_in(account)
        other.context.close()


def with_scripts(browser: Browser, base: str, amina: dict[str, Any], chloe: dict[str, Any], shots: Callable[[Page, str], None]) -> None:
    """Be warned before the session ends, stay signed in, and find typed text again after going back."""
    visit = Visit(browser, base, scripts=True, zone="America/Denver")
    visit.page.clock.install()
    visit.open("/interactions/new")
    visit.sign_in(amina)
    expect(visit.page.get_by_label("When (Mountain Time)")).to_be_visible()
    shots(visit.page, "zone")
    visit.page.clock.fast_forward("12:30")
    expect(visit.page.get_by_role("button", name="Stay signed in")).to_be_hidden()
    visit.page.clock.fast_forward("01:00")
    expect(visit.page.get_by_text("ends in less than two minutes")).to_be_visible()
    shots(visit.page, "warning")
    visit.page.get_by_role("button", name="Stay signed in").click()
    expect(visit.page.get_by_role("button", name="Stay signed in")).to_be_hidden()
    visit.page.clock.fast_forward("15:01")
    expect(visit.page.get_by_text("Your session has ended.")).to_be_visible()
    assert not visit.complaints, visit.complaints
    visit.context.close()
    _going_back(browser, base, amina, chloe)
    _choosing_by_keys(browser, base, amina)


def _shown_at_rest(page: Page) -> str:
    """Return the text and the fields of the page; one that a session left behind asks the server again while it is read."""
    while True:
        page.wait_for_load_state("networkidle")
        try:
            shown: str = page.evaluate("document.body.innerText + Array.from(document.querySelectorAll('input'), (field) => field.value).join()")
        except Error as error:
            if "Execution context was destroyed" not in error.message:
                raise
        else:
            return shown


def _under_another_key(route: Route) -> None:
    """Answer as after another `form_key` came into use: the former one stands behind it."""
    answer = route.fetch()
    key = base64.b64encode(secrets.token_bytes(32)).decode()
    route.fulfill(response=answer, body=answer.text().replace('data-key="', f'data-key="{key} '))


def _going_back(browser: Browser, base: str, amina: dict[str, Any], chloe: dict[str, Any]) -> None:
    visit = Visit(browser, base, scripts=True)
    visit.open("/individuals/new")
    visit.sign_in(amina)
    page = visit.page
    page.wait_for_selector("html[data-drafts=ready]")
    _type_card(page)
    stored = "JSON.stringify(Object.entries(sessionStorage)) + JSON.stringify(Object.entries(localStorage)) + document.cookie"
    page.wait_for_selector("html[data-drafts=kept]")
    kept = page.evaluate(stored)
    assert CELL not in kept, "nobody reads it in the browser's storage"
    assert "Ottoline" not in kept
    visit.open("/issues")
    page.go_back()
    expect(page.get_by_label("Cell phone")).to_have_value(CELL)
    expect(page.get_by_label("Cell phone")).to_be_visible()
    visit.open("/issues")
    page.route("**/individuals/new", _under_another_key)
    page.go_back()
    expect(page.get_by_label("Cell phone")).to_have_value(CELL)
    page.unroute("**/individuals/new")
    visit.open("/")
    visit.open("/individuals/new")
    expect(page.get_by_label("First name")).to_have_value("")
    page.go_back()
    page.go_back()
    expect(page.get_by_label("First name")).to_have_value("Ottoline")
    page.get_by_role("button", name="Sign out").click()
    visit.sign_in(chloe)
    for _ in range(6):
        with suppress(Error):  # a page that answered a form is not shown again without sending it again
            page.go_back()
        assert CELL not in _shown_at_rest(page), page.url
    assert not visit.complaints, visit.complaints


def _choosing_by_keys(browser: Browser, base: str, amina: dict[str, Any]) -> None:
    """Choose whom one met by letters and arrow keys; who was chosen is still there after going back."""
    visit = Visit(browser, base, scripts=True)
    visit.open("/interactions/new")
    visit.sign_in(amina)
    page = visit.page
    for letters, name in (("carst", "Zenobia Carstairs"), ("navajo n", "Navajo Nation")):
        page.get_by_role("combobox", name="Find people and organizations by name").focus()
        page.keyboard.type(letters)
        expect(page.locator(".autocomplete__option").filter(has_text=name).first).to_be_visible()
        options = page.locator(".autocomplete__option").all_inner_texts()
        for _ in range(1 + next(at for at, option in enumerate(options) if option.startswith(name))):
            page.keyboard.press("ArrowDown")
        page.keyboard.press("Enter")
        expect(page.get_by_role("checkbox", name=name)).to_be_checked()
        expect(page.get_by_role("combobox", name="Find people and organizations by name")).to_have_value("")
        expect(page.locator(".autocomplete__menu--visible")).to_have_count(0)
    # The draft is kept a moment after the last change.
    page.wait_for_timeout(1000)
    page.wait_for_selector("html[data-drafts=kept]")
    visit.open("/issues")
    page.go_back()
    for name in ("Zenobia Carstairs", "Navajo Nation"):
        expect(page.get_by_role("checkbox", name=name)).to_be_checked()
    page.get_by_role("button", name="Save interaction").click()
    expect(page.locator("main")).to_contain_text("With Zenobia Carstairs, Navajo Nation")
    assert not visit.complaints, visit.complaints
    visit.context.close()


def with_care(browser: Browser, base: str, amina: dict[str, Any], chloe: dict[str, Any], shots: Callable[[Page, str], None]) -> None:
    """Search by a number without an address; meet a duplicate; correct what somebody else corrected meanwhile."""
    visit = Visit(browser, base, scripts=False)
    visit.open("/individuals/new")
    visit.sign_in(amina)
    page = visit.page
    _card(page, "Quarrie", "Director")
    record = visit.at().split("?")[0]
    for searched in (CELL_OF_QUARRIE, CELL_OF_QUARRIE.replace("-", "")):
        page.get_by_label("Search stakeholders").fill(searched)
        page.get_by_role("button", name="Search").first.click()
        assert visit.at() == "/search", "no number stands in the address"
        expect(page.get_by_role("link", name="Ann Quarrie")).to_be_visible()
        assert searched not in page.title()
    shots(page, "by-number")
    page.get_by_label("Search stakeholders").fill("quarrie")
    page.get_by_role("button", name="Search").first.click()
    assert visit.at() == "/search?q=quarrie"
    visit.open(f"/search?q={CELL_OF_QUARRIE}")
    expect(page.get_by_role("alert")).to_contain_text("must not stand in an address")
    visit.open("/individuals/new")
    _card(page, "Quarrie", "Director")
    expect(page.get_by_role("heading", name="Already registered", exact=True)).to_be_visible()
    expect(page.locator("main").get_by_role("link", name="Ann Quarrie").first).to_have_attribute("href", record)
    shots(page, "duplicate")
    _both_correct(visit, record, shots)


CELL_OF_QUARRIE = "956-555-0171"


def _card(page: Page, last_name: str, title: str) -> None:
    page.get_by_label("First name").fill("Ann")
    page.get_by_label("Last name").fill(last_name)
    page.get_by_label("Title").fill(title)
    page.get_by_label("Organization", exact=True).fill("Larkspur Freight")
    page.locator("main summary").first.click()
    page.get_by_label("Cell phone").fill(CELL_OF_QUARRIE)
    page.get_by_role("button", name="Save person").click()


def _both_correct(visit: Visit, record: str, shots: Callable[[Page, str], None]) -> None:
    page, other = visit.page, visit.tab()
    for tab in (page, other):
        visit.open(record, tab)
        tab.get_by_text("Correct the facts").click()
    other.locator("#facts-title").fill("Chief of Staff")
    other.get_by_role("button", name="Save changes").click()
    expect(other.locator("main")).to_contain_text("Chief of Staff")
    page.locator("#facts-title").fill("Head of Policy")
    for _ in range(2):
        page.get_by_role("button", name="Save changes").click()
        expect(page.get_by_role("row").filter(has_text="Title")).to_contain_text("Chief of Staff")
    shots(page, "both-correct")
    page.get_by_label("Replace what is there now").check()
    page.get_by_role("button", name="Save changes").click()
    expect(page.locator("main")).to_contain_text("Corrected.")
    expect(page.locator("dl.facts").first).to_contain_text("Head of Policy")


def main(base: str, accounts: list[dict[str, Any]], chromium: str, folder: str | None = None) -> None:
    """Tell all of it."""

    def shots(page: Page, name: str) -> None:
        if folder:
            page.screenshot(path=str(Path(folder) / f"{name}.png"), full_page=True)

    plain = [account for account in accounts if account["level"] == "contributor" and not account["roles"]]
    amina, chloe = (next(account for account in plain if account["component"] == component) for component in ("ICE", "PSO"))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for tell in (from_every_start, interrupted, with_scripts, with_care):
            tell(browser, base, amina, chloe, shots)
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1], json.loads(Path(sys.argv[2]).read_text()), *sys.argv[3:])
