"""Open the pages of `warmer journal report`, `warmer journal show` and `warmer-evals` in chromium.

`PYTHONPATH=tests python -m report_page [PICTURE.png]` does it. In both colour schemes and printed the text must stand
out, Tab and Enter must open a question or a passage, the arrow keys must show another query of an evaluation, nothing
may be asked of a network, and no text may run or leave its place.
"""

import base64
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from evals.reports import agent_report, recorded_report, run_report
from rich.console import Console

from warmer.pictures import Bounds
from warmer.pictures.thumbnail import thumbnail
from warmer_evals.pictures.drawn import drawings
from warmer_evals.report import write
from warmer_server.use.missing import Group
from warmer_server.use.page import page
from warmer_server.use.showing import Line, View
from warmer_server.use.thread_page import thread_page

_BAD = "</span><script>document.title='run'</script><img src=http://127.0.0.1:9/x>"
_GROUPS = [
    Group("how do I rotate an API key", 7, 3.5, 1.79e9, ("replace an expired key", "new key"), "1", "Keys", "keys.md"),
    Group("restore a snapshot on another version", 3, 2.0, 1.79e9, ("older snapshot",), "2", "Snapshots", "snap.md"),
    Group(_BAD, 1, 0.0, 1.79e9, (_BAD,), "3", _BAD, _BAD),
]
_SEEN = [
    Line(hit, "", f"photos/{hit:04}.png", f"A {drawing}", score, int(place > 0), place, jpeg)
    for (hit, (score, place)), (drawing, picture) in zip(
        enumerate([(2.0, 3), (9.0, 1), (1.0, 4), (8.0, 2), (None, 0), (None, 0)], 1), drawings(6), strict=True
    )
    if (jpeg := thumbnail(picture, Bounds(128, 6000)))
]
_LINES = [
    Line(1, "Keys", "keys.md", "Keys are rotated by hand.", 2.0, 1, 2),
    Line(2, _BAD, _BAD, _BAD, 9.0, 2, 1, _SEEN[0].picture),
    Line(3, "Locks", "", "", None, 0, 0),
]
_SAID = {1: [("query", "how do I rotate an API key")], 2: [("rewording", _BAD)]}
_PAGES = {
    "What handbook lacks": page("handbook", _GROUPS, 5.0),
    "how do I rotate an API key": thread_page([View("s_1", "handbook", 1.79e9, _SAID, _LINES)]),
    "a red circle on the right": thread_page(
        [View("s_2", "photos", 1.79e9, {1: [("query", "a red circle on the right")]}, _SEEN)]
    ),
}
_CONTRAST = """(() => {
  const light = c => { const [r, g, b] = c.match(/[\\d.]+/g).map(Number).map(v => (v /= 255) <= .04 ? v / 12.92 :
    ((v + .055) / 1.055) ** 2.4); return .2126 * r + .7152 * g + .0722 * b; };
  const ground = light(getComputedStyle(document.body).backgroundColor);
  const texts = [...document.querySelectorAll('h1, h3, p, b, span, dd, dt, th, td, summary')];
  return Math.min(...texts.map(e => light(getComputedStyle(e).color))
    .map(text => (Math.max(text, ground) + .05) / (Math.min(text, ground) + .05)));
})()"""
_SCHEME = "prefers-color-scheme"
_REPORTS = {
    "warmer-evals run": run_report(),
    "warmer-evals agent": agent_report(),
    "warmer-evals agent, recorded": recorded_report(),
}
_SHOWN = "document.querySelector('#shown h3').textContent"
_STATE = """({ open: document.querySelectorAll('details[open]').length, title: document.title,
  scripts: document.querySelectorAll("script, img:not([src^='data:'])").length,
  unseen: [...document.images].filter(one => !one.naturalWidth || !one.alt).length,
  wide: document.documentElement.scrollWidth > innerWidth })"""


class Browser:
    """Chromium, driven over its pipe."""

    def __init__(self, reading: int, writing: int) -> None:
        self._in, self._out = os.fdopen(reading, "rb"), os.fdopen(writing, "wb", buffering=0)
        self._number = 0
        self._session = ""
        self.events: list[dict[str, Any]] = []

    def do(self, method: str, **params: Any) -> dict[str, Any]:
        self._number += 1
        message = {"id": self._number, "method": method, "params": params}
        self._out.write(json.dumps(message | ({"sessionId": self._session} if self._session else {})).encode() + b"\0")
        while (told := self._next()).get("id") != self._number:
            self.events.append(told)
        assert "error" not in told, told
        answer: dict[str, Any] = told["result"]
        return answer

    def open(self, url: str) -> None:
        target = self.do("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.do("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Network", "Runtime", "Log"):
            self.do(f"{domain}.enable")
        self.do("Page.navigate", url=url)
        while not any(event.get("method") == "Page.loadEventFired" for event in self.events):
            self.events.append(self._next())

    def value(self, expression: str) -> Any:
        return self.do("Runtime.evaluate", expression=expression, returnByValue=True)["result"]["value"]

    def press(self, key: str, code: int, text: str = "") -> None:
        for kind in ("keyDown", "keyUp"):
            typed = {"text": text} if text and kind == "keyDown" else {}
            self.do("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code, **typed)

    def _next(self) -> dict[str, Any]:
        message = bytearray()
        while (byte := self._in.read(1)) != b"\0":
            assert byte, "chromium ended"
            message += byte
        told: dict[str, Any] = json.loads(message)
        return told


@contextmanager
def chromium(folder: Path) -> Iterator[Browser]:
    """Start a browser that ends with the block."""
    from_us, to_browser = os.pipe()
    to_us, from_browser = os.pipe()
    flags = f'--headless --no-sandbox --disable-gpu --remote-debugging-pipe --user-data-dir="{folder}/browser"'
    script = f"exec chromium {flags} 3<&{from_us} 4>&{from_browser}"
    process = subprocess.Popen(["bash", "-c", script], pass_fds=(from_us, from_browser), stderr=subprocess.DEVNULL)
    os.close(from_us)
    os.close(from_browser)
    try:
        yield Browser(to_us, to_browser)
    finally:
        process.terminate()
        process.wait(20)


def main(picture: str = "") -> None:
    """Check the page, and keep a picture of it if asked."""
    if not shutil.which("chromium"):
        sys.exit("chromium is not installed")
    with tempfile.TemporaryDirectory() as made:
        for number, (title, text) in enumerate(_PAGES.items()):
            _check(Path(made) / str(number), title, text, picture if number else "")
        for number, (name, report) in enumerate(_REPORTS.items()):
            write(report, Path(made) / f"report {number}")
            _check_report(Path(made) / f"report {number}", name)


def _check_report(folder: Path, name: str) -> None:
    with chromium(folder) as browser:
        browser.open((folder / "report.html").as_uri())
        _read(browser, name)
        while browser.value("document.activeElement.id") != "query":
            browser.press("Tab", 9)
        shown = browser.value(_SHOWN)
        browser.press("ArrowDown", 40)
        assert browser.value(_SHOWN) != shown, shown
        events = [(event.get("method"), event.get("params", {})) for event in browser.events]
        asked = [told["request"]["url"] for method, told in events if method == "Network.requestWillBeSent"]
        assert asked == [(folder / "report.html").as_uri()], asked
        assert not [told for method, told in events if method in {"Log.entryAdded", "Runtime.consoleAPICalled"}]
        assert not browser.value("document.documentElement.scrollWidth > innerWidth")
        browser.do("Emulation.setEmulatedMedia", media="print", features=[{"name": _SCHEME, "value": "dark"}])
        assert browser.value(_CONTRAST) >= 4.5, "printed"
        Console().print(f"{name}: the arrow keys show another query; one request, its own; nothing on the console")


def _read(browser: Browser, title: str) -> None:
    for scheme in ("light", "dark"):
        browser.do("Emulation.setEmulatedMedia", features=[{"name": _SCHEME, "value": scheme}])
        contrast = browser.value(_CONTRAST)
        assert contrast >= 4.5, (scheme, contrast)
        Console().print(f"{title}, {scheme}: least contrast {contrast:.1f}")


def _check(folder: Path, title: str, text: str, picture: str) -> None:
    folder.mkdir()
    file = folder / "page.html"
    file.write_text(text, encoding="utf-8")
    with chromium(folder) as browser:
        browser.open(file.as_uri())
        _read(browser, title)
        browser.press("Tab", 9)
        browser.press("Enter", 13, "\r")
        state = browser.value(_STATE)
        assert state == {"open": 1, "title": title, "scripts": 0, "unseen": 0, "wide": False}, state
        events = [(event.get("method"), event.get("params", {})) for event in browser.events]
        asked = [told["request"]["url"] for method, told in events if method == "Network.requestWillBeSent"]
        asked = [url for url in asked if not url.startswith("data:")]
        assert asked == [file.as_uri()], asked
        assert not [told for method, told in events if method in {"Log.entryAdded", "Runtime.consoleAPICalled"}]
        browser.do("Emulation.setEmulatedMedia", media="print", features=[])
        assert browser.value(_CONTRAST) >= 4.5, "printed"
        Console().print(f"{title}: Tab and Enter open the first line; one request, its own; nothing on the console")
        if picture:
            browser.do("Emulation.setEmulatedMedia", media="screen", features=[])
            clip = browser.do("Page.getLayoutMetrics")["cssContentSize"] | {"scale": 1}
            shot = browser.do("Page.captureScreenshot", captureBeyondViewport=True, clip=clip)
            Path(picture).write_bytes(base64.b64decode(shot["data"]))


if __name__ == "__main__":
    main(*sys.argv[1:2])
