"""Both stories of the PIA's overview by hand, in a browser without scripts; a program of its own, not monkey-patched.

`python tests/browser/by_hand.py BASE ACCOUNTS.json CHROMIUM`; it exits with 0 when every step went as told.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, ConsoleMessage, Page, Request, TimeoutError, expect, sync_playwright  # noqa: A004 - as Playwright calls it

CELL = "956-555-0163"
NAME = "Ottoline Vantongeren"


class Desk:
    """One person at one browser."""

    def __init__(self, browser: Browser, base: str, account: dict[str, Any]) -> None:
        self.base = base
        self.account = account
        context = browser.new_context(java_script_enabled=False, viewport={"width": 1100, "height": 900})
        self.page: Page = context.new_page()
        self.page.set_default_timeout(20_000)
        expect.set_options(timeout=20_000)
        self.outside: list[str] = []
        self.complaints: list[str] = []
        self.page.on("request", self._requested)
        self.page.on("console", self._complained)

    def _requested(self, request: Request) -> None:
        if not request.url.startswith(self.base):
            self.outside.append(request.url)

    def _complained(self, message: ConsoleMessage) -> None:
        if "Content Security Policy" in message.text:
            self.complaints.append(message.text)

    def open(self, path: str) -> None:
        """Go to a page."""
        self.page.goto(f"{self.base}{path}")

    def press(self, name: str) -> None:
        """Press a button or follow a link that is called so."""
        self.page.get_by_role("button", name=name, exact=True).or_(self.page.get_by_role("link", name=name, exact=True)).first.click()

    def sign_in(self, password: str | None = None) -> None:
        """Fill the sign-in form, by keyboard alone."""
        self.page.get_by_label("User name").fill(self.account["username"])
        self.page.get_by_label("Password").fill(password or self.account["password"])
        self.page.keyboard.press("Enter")

    def acknowledge(self) -> None:
        """Mark the three statements, one after the other."""
        boxes = self.page.get_by_role("checkbox")
        expect(boxes).to_have_count(3)
        for n in range(3):
            expect(boxes.nth(n)).not_to_be_checked()
            boxes.nth(n).check()
        self.press("I acknowledge")

    def says(self, text: str) -> None:
        """See a text in the content."""
        expect(self.page.locator("main")).to_contain_text(text)

    def never_says(self, text: str) -> None:
        """See nothing of a text on the whole page."""
        assert text not in self.page.content(), f"{text} on {self.page.url}"


def main(base: str, accounts: list[dict[str, Any]], chromium: str) -> None:
    """Tell both stories."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        amina = Desk(browser, base, _of(accounts, "ICE"))
        chloe = Desk(browser, base, _of(accounts, "PSO"))
        denis = Desk(browser, base, _of(accounts, "PSO", 1))
        try:
            _tell(amina, chloe, denis)
        except (AssertionError, TimeoutError) as wrong:
            raise AssertionError("\n".join([_told(person) for person in (amina, chloe, denis)])) from wrong
        browser.close()


def _tell(amina: Desk, chloe: Desk, denis: Desk) -> None:
    _come_in(amina)
    record = _enter(amina)
    _log(amina, record)
    _meet(amina, record)
    for person in (chloe, denis):
        person.open("/")
        person.sign_in()
        person.acknowledge()
        expect(person.page.get_by_role("heading", level=1)).to_have_text("My desk")
    _coordinate(amina, chloe, record)
    _remove(amina, chloe, denis, record)
    for person in (amina, chloe, denis):
        assert not person.outside, person.outside
        assert not person.complaints, person.complaints


def _told(desk: Desk) -> str:
    """Return what a page says when a step went wrong: the address and the alert."""
    alerts = desk.page.get_by_role("alert")
    said = alerts.first.inner_text() if alerts.count() else desk.page.locator("body").inner_text()[-1500:]
    return f"{desk.page.url}: {said}"


def _of(accounts: list[dict[str, Any]], component: str, index: int = 0) -> dict[str, Any]:
    return [a for a in accounts if a["component"] == component and a["level"] == "contributor" and not a["roles"]][index]


def _come_in(amina: Desk) -> None:
    amina.open("/issues")
    amina.page.keyboard.press("Tab")
    expect(amina.page.locator(":focus")).to_have_text("Skip to the content")
    amina.sign_in(password="not the password")
    expect(amina.page.get_by_role("alert")).to_contain_text("is wrong")
    amina.sign_in()
    amina.press("I acknowledge")
    expect(amina.page.get_by_role("alert")).to_contain_text("Mark each statement")
    amina.acknowledge()
    expect(amina.page.get_by_role("heading", level=1)).to_have_text("Issues")
    expect(amina.page.locator(".marking").first).to_contain_text("FOR OFFICIAL USE ONLY")
    expect(amina.page.locator(".marking").first).to_contain_text(amina.account["name"])


def _enter(amina: Desk) -> str:
    page = amina.page
    page.get_by_label("Name (required)").fill("Worksite enforcement")
    page.get_by_label("Priority (required)").select_option("immigration")
    amina.press("Save issue")
    amina.says("Worksite enforcement")
    page.get_by_text("New", exact=True).click()
    amina.press("Business card")
    page.get_by_label("First name").fill("Ottoline")
    amina.press("Save person")
    expect(page.get_by_role("alert")).to_contain_text("Enter the last name.")
    expect(page.get_by_label("First name")).to_have_value("Ottoline")
    page.get_by_label("Last name").fill("Vantongeren")
    page.get_by_label("Title").fill("Head of Public Policy")
    page.get_by_label("Organization", exact=True).fill("Quillfeather Analytics")
    page.get_by_label("Cell phone").fill(CELL)
    page.get_by_label("E-mail").fill("ottoline.vantongeren@example.org")
    page.get_by_label("State", exact=True).select_option("TX")
    page.get_by_label("Worksite enforcement").check()
    amina.press("Save person")
    expect(page.get_by_role("heading", level=1)).to_have_text(NAME)
    record = page.url.split("?")[0].removeprefix(amina.base)
    amina.never_says(CELL)
    amina.press("Show contact points (this is logged)")
    amina.says(CELL)
    return record


def _log(amina: Desk, record: str) -> None:
    page = amina.page
    amina.open(record)
    amina.press("Log an interaction")
    page.get_by_label("How (required)").select_option("phone")
    page.get_by_label("Worksite enforcement").check()
    page.get_by_label("Outcome").fill("Asked how the guidance affects employers. Call 956-555-0199.")
    amina.press("Save interaction")
    expect(page.get_by_role("alert")).to_be_visible()
    page.get_by_label("Outcome").fill("Asked how the guidance affects employers.")
    page.get_by_label("What was promised").fill("Send the guidance")
    amina.press("Save interaction")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Phone call")
    amina.says("Send the guidance")


def _meet(amina: Desk, record: str) -> None:
    page = amina.page
    amina.press("Events")
    page.get_by_label("Name (required)").fill("Roundtable on worksite enforcement")
    page.get_by_label("Begins (Eastern Time)").fill("2026-01-20T10:00")
    page.get_by_label("Place").fill("Houston")
    amina.press("Save event")
    amina.says("Nobody is recorded yet.")
    page.get_by_label("Find people and organizations by name").fill("Vantong")
    amina.press("Find")
    page.get_by_label(NAME).check()
    page.get_by_role("button", name="Record attendance").click()
    expect(page.get_by_role("listitem").filter(has_text=NAME)).to_be_visible()
    amina.open(record)
    amina.says("Attended an event")


def _coordinate(amina: Desk, chloe: Desk, record: str) -> None:
    page = chloe.page
    page.get_by_label("Search stakeholders").fill("Vanton")
    chloe.press("Search")
    page.get_by_role("link", name=NAME).click()
    chloe.says("Quillfeather Analytics")
    chloe.says("ICE")
    chloe.press("Show contact points (this is logged)")
    chloe.says("ICE has a relationship with this person")
    chloe.never_says(CELL)
    chloe.open(record)
    chloe.press("Ask the owner to coordinate")
    page.get_by_label("What should they be told or asked?").fill("Please pass on the new guidance.")
    page.get_by_label("Issue", exact=True).select_option(label="Worksite enforcement")
    chloe.press("Send request")
    chloe.says("Coordination request: waiting for a reply")
    request = page.url
    amina.open("/")
    amina.press("Answer a coordination request")
    amina.press("Accept")
    amina.says("Coordination request: accepted")
    amina.press("Mark complete")
    amina.says("Coordination request: done")
    page.goto(request)
    chloe.says("Coordination request: done")


def _until_it_says(person: Desk, heading: str) -> None:
    """Look again, as one does without scripts, until the page has this heading."""
    for _ in range(90):
        if person.page.get_by_role("heading", level=1).inner_text() == heading:
            return
        person.press("Refresh")
        person.page.wait_for_timeout(1000)
    expect(person.page.get_by_role("heading", level=1)).to_have_text(heading)


def _remove(amina: Desk, chloe: Desk, denis: Desk, record: str) -> None:
    page = denis.page
    denis.open(record)
    denis.press("Record a no-contact request")
    denis.says(f"{NAME} wants no more contact")
    page.get_by_label("How did they say it?").select_option("phone")
    denis.press("Record it and freeze")
    denis.says("Request for no more contact")
    chloe.open(record)
    chloe.says("There is no such individual")
    chloe.open("/search?q=Vanton")
    chloe.says("0 found")
    amina.open(record)
    amina.says("Do not contact.")
    amina.open("/")
    amina.press("Erase the record of somebody who asked for no more contact")
    amina.press("Erase now")
    amina.says(f"Erase {NAME}?")
    amina.press(f"Erase {NAME}")
    amina.says("Erasure:")
    _until_it_says(amina, "Erasure: done")
    amina.says("Records, contact points, notes and imports")
    amina.open(record)
    amina.says("There is no such individual")
    denis.open("/individuals/new")
    page.get_by_label("First name").fill("OTTOLINE")
    page.get_by_label("Last name").fill("VANTONGEREN")
    page.get_by_label("E-mail").fill("OTTOLINE.VANTONGEREN@EXAMPLE.ORG")
    denis.press("Save person")
    expect(page.get_by_role("alert")).to_contain_text("blocked")


if __name__ == "__main__":
    main(sys.argv[1], json.loads(Path(sys.argv[2]).read_text()), sys.argv[3])
