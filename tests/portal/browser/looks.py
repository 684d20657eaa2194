"""Looking at a page: in both schemes and four widths, for barriers and for overflow.

Runs that are not long look for barriers from two sides, and leave out widths that
lie between others.
"""

from __future__ import annotations

import os
from functools import cache
from importlib import resources
from typing import Final

LOOKS: Final = (("light", 1440), ("dark", 1440), ("light", 390), ("dark", 390))
"""Scheme and width of each picture."""
IN_SHORT: Final = (("light", 1440), ("dark", 390))
"""Of these, the two that show each scheme and each arrangement of a page once."""
EDGES: Final = (360, 3840)
"""The narrowest and the widest screen that pages must fit."""
CONTRAST: Final = {"runOnly": {"type": "rule", "values": ["color-contrast"]}}
"""All that a scheme can change."""
OPEN: Final = """() => document.querySelectorAll("main details").forEach(
  (part) => { part.open = true; })"""
"""What is folded away is part of the page, too."""
EXAMINE: Final = """async (options) => {
  const seen = await axe.run(document, { resultTypes: ["violations"], ...options });
  return seen.violations
    .filter((rule) => ["serious", "critical"].includes(rule.impact))
    .map((rule) => [rule.id, ...rule.nodes.slice(0, 3).map((node) => node.html)]);
}"""
SIDEWAYS: Final = """() => {
  const root = document.documentElement;
  if (root.scrollWidth <= root.clientWidth) return [];
  const scrolls = (part) => getComputedStyle(part).overflowX !== "visible";
  const apart = (part) => part !== document.body && (scrolls(part) || apart(part.parentElement));
  const out = [...document.body.querySelectorAll("*")].filter(
    (part) => part.getBoundingClientRect().right > root.clientWidth + 1
      && !apart(part.parentElement));
  return [root.scrollWidth, ...out.slice(0, 5).map((part) => part.outerHTML.slice(0, 120))];
}"""


@cache
def _examiner() -> str:
    folder = resources.files("axe_playwright_python")
    return (folder / "axe.min.js").read_text(encoding="utf-8")


def watched(page):
    """Collect what the browser complains about: policy, scripts, dialogs."""
    heard = []

    def on_console(message):
        told = message.text
        if message.type == "error" and not any(c in told for c in ("404", "400")):
            heard.append(f"{page.url}: {told}")

    def on_dialog(dialog):
        heard.append("dialog")
        dialog.dismiss()

    page.on("console", on_console)
    page.on("pageerror", lambda error: heard.append(str(error)))
    page.on("dialog", on_dialog)
    return heard


class Gaze:
    """Looks at one page after the other, and remembers what is wrong where."""

    def __init__(self, page, site, shots, word=""):
        self.page, self.site, self.shots, self.word = page, site, shots, word
        self.heard = watched(page)
        self.wrong = {}

    def at(self, name, url):
        """Open a page and look at it from all sides."""
        self.page.goto(f"{self.site}{url}")
        if name == "api":  # drawn by its own script
            self.page.locator(".opblock").first.wait_for()
        self.here(name)

    def here(self, name):
        """Look at the page that is open."""
        if self.heard:
            self.wrong[name, "said"] = list(self.heard)
        if os.environ.get("SCREENSHOTS"):
            self._picture(name)
        self.page.evaluate(OPEN)
        self.page.evaluate(_examiner())
        is_long = bool(os.environ.get("TEST_LONG"))
        for scheme, width in LOOKS if is_long else IN_SHORT:
            self._turn(scheme, width)
            options = CONTRAST if is_long and scheme == "dark" else {}
            self._note(name, f"{scheme} {width}", self.page.evaluate(EXAMINE, options))
        between = {width for _, width in LOOKS} if is_long else set()
        for width in sorted({*EDGES, *between}):
            self._turn("light", width)
            self._note(name, width, self.page.evaluate(SIDEWAYS))
        self.heard.clear()  # the examiner itself sets styles

    def told(self):
        """Say all that is wrong, a line each."""
        return "\n".join(f"{where}: {wrong}" for where, wrong in self.wrong.items())

    def _turn(self, scheme, width):
        # without transitions, so that no colour is on its way
        self.page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        self.page.set_viewport_size({"width": width, "height": 900})

    def _picture(self, name):
        for scheme, width in LOOKS:
            self._turn(scheme, width)
            picture = self.shots / f"{self.word}{name}-{scheme}-{width}.png"
            self.page.screenshot(path=picture, full_page=True)

    def _note(self, name, side, wrong):
        if wrong:
            self.wrong[name, side] = wrong
