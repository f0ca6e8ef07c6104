"""
The report in a browser: silent, alone, for everybody, on every screen and on paper.

Needs chromium, chromedriver and selenium; axe-core and html-validate are looked for in the folder of node modules that
SCHEDLOG_NODE_MODULES names (``npm install axe-core html-validate``).
"""

import base64
import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from schedlog_analysis import Report

webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
DRIVER = shutil.which("chromedriver")
MODULES = Path(os.environ.get("SCHEDLOG_NODE_MODULES", "node_modules"))
pytestmark = pytest.mark.skipif(not (CHROMIUM and DRIVER), reason="chromium or chromedriver is not installed")

FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--hide-scrollbars",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip
HOSTILE = (
    "<script>alert(1)</script><img src=http://example.com/x.png onerror=alert(2)>",
    "\u202e שלום עולם " + "unbroken" * 500,
    "🚀 " + "https://example.com/" + "a" * 300,
)
A4 = 703  # width between the page's margins [CSS pixels]: 186 mm


@pytest.fixture(scope="module")
def pages(sample, make_log, make_schedules, tmp_path_factory):
    """The sample's October, an account of hostile texts, and one of which nothing is known, as files."""
    folder = tmp_path_factory.mktemp("pages")
    rows = [
        ("a", f"2026-01-01T{3 * i + hour:02}:00:00.2Z", "ERROR", f'Cannot start Actor "jF8GGEvbEg4Au3NLA": {text}')
        for i, text in enumerate(HOSTILE)
        for hour in range(3)
    ]
    odd = make_schedules(("a", "0 * * * *", {"title": "Un" + "break" * 12 + "able \u202e<b> 🚀"}))
    reports = {
        "october": Report.build(
            sample.log,
            sample.schedules,
            runs=sample.runs,
            period="2026-10",
            tz="Europe/Prague",
            objective=0.995,
            pages=2,
        ),
        "hostile": Report.build(make_log(*rows), odd),
        "empty": Report.build(make_log()),
    }
    return {name: report.write(folder / f"{name}.html") for name, report in reports.items()}


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    """Chromium without a window, with a profile of its own."""
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))
    yield driver
    driver.quit()


def _open(browser, path, width=1280, scheme="light", media="screen"):
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": media, "features": features})
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    browser.get(path.as_uri())


NAMES = ("october", "hostile", "empty")


@pytest.mark.parametrize("name", NAMES)
def test_it_is_silent_and_asks_for_nothing(browser, pages, name):
    """No message on the console, and no request but for the file itself."""
    browser.get_log("browser")
    browser.get_log("performance")
    _open(browser, pages[name])
    assert browser.title.startswith("Schedule reliability")
    assert browser.get_log("browser") == []
    events = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    asked = [event["params"]["request"]["url"] for event in events if event["method"] == "Network.requestWillBeSent"]
    assert asked == [pages[name].as_uri()]


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_wider_than_the_screen(browser, pages, name, width):
    """The page never scrolls sideways; what is wide scrolls in a region of its own."""
    _open(browser, pages[name], width)
    assert browser.execute_script("return document.documentElement.scrollWidth") <= width
    outside = browser.execute_script(
        "return [...document.querySelectorAll('main *, footer *')].filter(e => !e.closest('.scroll')"
        " && e.getBoundingClientRect().right > innerWidth + 1).map(e => e.outerHTML.slice(0, 80))"
    )
    assert outside == []


@pytest.mark.skipif(not (MODULES / "axe-core").exists(), reason="SCHEDLOG_NODE_MODULES has no axe-core")
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", NAMES)
def test_axe_finds_nothing(browser, pages, name, scheme):
    """The rules of axe-core hold, also for what is folded."""
    _open(browser, pages[name], scheme=scheme)
    browser.execute_script("document.querySelectorAll('details').forEach(each => { each.open = true })")
    browser.execute_script((MODULES / "axe-core" / "axe.min.js").read_text(encoding="utf-8"))
    found = browser.execute_async_script("axe.run(document).then(arguments[arguments.length - 1])")
    assert len(found["passes"]) > 10
    assert [(each["id"], [node["html"][:200] for node in each["nodes"]][:3]) for each in found["violations"]] == []


@pytest.mark.skipif(not (MODULES / "html-validate").exists(), reason="SCHEDLOG_NODE_MODULES has no html-validate")
@pytest.mark.parametrize("name", NAMES)
def test_html_validate_finds_nothing(pages, name, tmp_path):
    """The markup is valid, by the recommended rules."""
    rules = tmp_path / "rules.json"
    rules.write_text(json.dumps({"root": True, "extends": ["html-validate:recommended", "html-validate:document"]}))
    command = [str(MODULES.resolve() / ".bin" / "html-validate"), "--config", str(rules), str(pages[name])]
    told = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert told.returncode == 0, told.stdout


@pytest.mark.parametrize("name", NAMES)
def test_paper_cuts_nothing_off(browser, pages, name):
    """On A4 no table and no picture is wider than the paper, and no row is split, also where the screen is dark."""
    _open(browser, pages[name], A4, scheme="dark", media="print")
    assert browser.execute_script("return document.documentElement.scrollWidth") <= A4
    cut = browser.execute_script(
        "return [...document.querySelectorAll('table, svg')].filter(e => e.getBoundingClientRect().width > 0"
        " && e.getBoundingClientRect().right > innerWidth + 1).map(e => e.outerHTML.slice(0, 120))"
    )
    assert cut == []
    ground = browser.execute_script("return getComputedStyle(document.body).backgroundColor")
    assert ground == "rgb(255, 255, 255)"
    split = browser.execute_script(
        "return [...document.querySelectorAll('tr, figure')]"
        ".filter(e => getComputedStyle(e).breakInside !== 'avoid').length"
    )
    assert split == 0
    printed = browser.execute_cdp_cmd("Page.printToPDF", {"preferCSSPageSize": True, "printBackground": True})
    pdf = base64.b64decode(printed["data"])
    assert pdf.startswith(b"%PDF-")
    assert len(re.findall(rb"/Type\s*/Page\b", pdf)) >= (5 if name == "october" else 1)


def test_paper_shows_what_is_folded(browser, pages):
    """Healthy schedules are folded on the screen, and visible on paper without a script."""
    folded = "document.querySelector('#fleet').closest('section').querySelector('details table')"
    shown = f"return {folded}.checkVisibility({{contentVisibilityAuto: true}})"
    _open(browser, pages["october"])
    assert browser.execute_script(shown) is False
    _open(browser, pages["october"], A4, media="print")
    assert browser.execute_script(shown) is True


def test_dark_is_dark(browser, pages):
    """With a dark scheme the page and the letters of its pictures change sides."""
    grounds, letters = set(), set()
    for scheme in ("light", "dark"):
        _open(browser, pages["october"], scheme=scheme)
        grounds.add(browser.execute_script("return getComputedStyle(document.body).backgroundColor"))
        letters.add(browser.execute_script("return getComputedStyle(document.querySelector('svg text')).fill"))
    assert len(grounds) == len(letters) == 2
