"""The report: one set of facts, the same in every format, readable for every account there may be."""

import csv
import email
import email.policy
import io
import json
import math
import re
from dataclasses import replace
from functools import cache
from html.parser import HTMLParser
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from rich.console import Console

from schedlog_analysis import AccountingPolicy, Maintenance, Report, plot
from schedlog_analysis._core.words import NONE, say_share
from schedlog_analysis.account.analysis import Analysis
from schedlog_analysis.errors import ConfigError
from schedlog_analysis.report.document import Pairs, Table, lookup
from schedlog_analysis.report.formats import FORMATS, find_format, format_of, markdown
from schedlog_analysis.report.formats import csv as csv_format
from schedlog_analysis.report.formats import email as email_format
from schedlog_analysis.report.formats import html as html_format
from schedlog_analysis.report.formats.brief import brief
from schedlog_analysis.report.formats.csv import TABLES
from schedlog_analysis.report.formats.html import anchor, environment, palette, style
from schedlog_analysis.report.formats.markdown import code, escape
from schedlog_analysis.report.formats.terminal import show, show_archive
from schedlog_analysis.report.pictures import draw
from schedlog_analysis.report.sections import sections
from schedlog_analysis.report.topics.figures import tiles

WRITTEN = tuple(name for name, form in FORMATS.items() if form.is_of_facts)
REFUSED = 'Cannot start Actor "jF8GGEvbEg4Au3NLA": '
HOSTILE = (
    "<script>alert(1)</script><img src=x onerror=alert(2)>",
    "🚀 launch failed 👩‍👩‍👧",
    "\u202eevil\u2066 שלום עולם مرحبا",
    "x" * 10_000,
    "| pipe ` tick ``` * _ [a](javascript:1) token=apify_api_abcdefghijklmnop0123456789 ada@example.com",
    "two\r\nSubject: lines\x00\x1b[31m",
    "{{ 7*7 }} {% raw %} ${x} --> ]]> &lt;b&gt;",
)


def _hours(schedule_id, hours, level="INFO", message="Schedule invoked"):
    start = pd.Timestamp("2026-01-01T00:00:00.3Z")
    return [(schedule_id, (start + pd.Timedelta(hours=hour)).isoformat(), level, message) for hour in hours]


def _refusals(first, text):
    return _hours("a", range(first, first + 3), "ERROR", REFUSED + text)


class _Page(HTMLParser):
    """Tags with their attributes, visible text, tables as rows of texts, and the figures that name their fact."""

    VOID = frozenset({"meta", "br", "img", "link", "input", "hr"})

    def __init__(self, html):
        super().__init__()
        self.tags, self.facts, self.text, self.open, self.rows = [], [], [], [], []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th") and self.rows:
            self.rows[-1].append("")
        if tag not in self.VOID:
            self.open.append((tag, dict(attrs)))

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        while self.open:
            opened, attrs = self.open.pop()
            if opened == tag:
                return
            msg = f"<{opened}> {attrs} was not closed before </{tag}>"
            raise AssertionError(msg)

    def handle_data(self, data):
        if any(tag == "style" for tag, _ in self.open):
            return
        data = data.replace("\N{NO-BREAK SPACE}", " ")
        self.text.append(data)
        if any(tag in ("td", "th") for tag, _ in self.open):
            self.rows[-1][-1] += data
        holder = [attrs for tag, attrs in self.open if "data-fact" in attrs]
        if holder:
            self.facts.append((holder[-1], data))

    def numbers(self):
        """Each named fact: its place, its value, and all that is shown of it."""
        told = {}
        for attrs, data in self.facts:
            place = attrs["data-fact"]
            told.setdefault((place, attrs.get("data-value")), []).append(data.strip())
        return [(place, value, " ".join(texts)) for (place, value), texts in told.items()]


@cache
def _rendered(report, form):
    """Render once: pictures take their time."""
    return report.to_bytes(form)


def _html(report):
    return _rendered(report, "html").decode()


def _mail(report):
    return email.message_from_bytes(_rendered(report, "email"), policy=email.policy.default)


@pytest.fixture(scope="module")
def october(sample):
    """The sample's October, with pages for the two worst schedules."""
    return Report.build(
        sample.log, sample.schedules, runs=sample.runs, period="2026-10", tz="Europe/Prague", objective=0.995, pages=2,
        source="data/sample",
    )  # fmt: skip


@pytest.fixture(scope="module")
def page(october):
    return _html(october)


@pytest.fixture(scope="module")
def accounts(make_log, make_schedules):
    """Every kind of account there may be, and what its verdict says."""
    hourly = make_schedules(("a", "0 * * * *"))
    none, refused = make_log(), REFUSED + "Actor was not found"
    both = make_log(*_hours("a", range(30)), *_hours("b", range(60)))
    return {
        "no entries": (none, None, {}, "empty", "no entries and no schedules"),
        "only a schedule": (
            none, make_schedules(("a", "0 * * * *", {"next_run_at": "2026-01-02T00:00:00Z"})), {}, "down",
            "a has not run since 1 Jan 2026 00:00",
        ),
        "nothing due": (both, hourly, {"period": "2025-12"}, "idle", "Nothing was due in December 2025"),
        "one tick": (make_log(*_hours("a", [0])), hourly, {}, "well", "The only scheduled start worked on 1 Jan 2026"),
        "all failed": (
            make_log(*_hours("a", range(30), "ERROR", refused)), hourly, {}, "down",
            "a has been failing since 1 Jan 2026 00:00; 0 % of 30 scheduled starts",
        ),
        "none failed": (make_log(*_hours("a", range(30))), hourly, {}, "well", "All 30 scheduled starts worked"),
        "a few": (make_log(*_hours("a", [0, 1, 3, 4, 5, 6])), hourly, {}, "failures", "6 of 7 scheduled starts worked"),
        "a new one": (
            make_log(*_hours("a", range(300)), *_hours("b", range(250, 300))),
            make_schedules(("a", "0 * * * *"), ("b", "0 * * * *", {"created_at": "2026-01-11T09:30:00Z"})),
            {"period": "2026-W02"}, "well", "All 182 scheduled starts of 2 schedules worked",
        ),
        "a paused one": (
            both, make_schedules(("a", "0 * * * *", {"is_enabled": False}), ("b", "0 * * * *")), {}, "well",
            "All 90 scheduled starts of 2 schedules worked",
        ),
        "a deleted one": (both, make_schedules(("b", "0 * * * *")), {}, "well", "but 30 of 120 could not be seen"),
        "no definitions": (both, None, {}, "down", "a has not run since 2 Jan 2026 06:00"),
        "not observed": (
            none, make_schedules(("a", "0 * * * *", {"last_run_at": "2026-01-01T05:00:00Z"})), {}, "unseen",
            "None of 5 scheduled starts could be observed",
        ),
        "hostile": (
            make_log(*(row for i, text in enumerate(HOSTILE) for row in _refusals(3 * i, text))),
            make_schedules(("a", "0 * * * *", {"title": "<b>Ü</b> | \u202e🚀 *x* =1+1\r\nBcc: x"})), {}, "down",
            "has been failing",
        ),
    }  # fmt: skip


@pytest.fixture(scope="module")
def reports(accounts):
    return {
        name: Report.build(log, schedules, objective=0.99, pages=100 if name == "hostile" else 0, **options)
        for name, (log, schedules, options, _, _) in accounts.items()
    }


NAMES = (
    "no entries", "only a schedule", "nothing due", "one tick", "all failed", "none failed", "a few", "a new one",
    "a paused one", "a deleted one", "no definitions", "not observed", "hostile",
)  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_every_account_gets_a_verdict(name, accounts, reports):
    """The verdict is a sentence about what matters most, and never calls well what nobody saw."""
    *_, state, told = accounts[name]
    facts = reports[name].facts
    assert facts["state"] == state
    assert told in facts["verdict"]
    assert facts["verdict"].endswith(".")
    assert json.loads(reports[name].to_json()) == facts


@pytest.mark.parametrize("name", NAMES)
def test_every_account_is_readable_in_every_format(name, reports):
    """Every format names the verdict, is whole, and holds only facts."""
    report = reports[name]
    html = _Page(_html(report))
    assert not html.open
    assert report.verdict in " ".join("".join(html.text).split())
    assert escape(report.verdict) in report.to_markdown()
    assert _mail(report)["Subject"] == report.verdict
    for place, value, _ in html.numbers():
        _holds(report.facts, place, value)
    for table in TABLES:
        rows = list(csv.reader(io.StringIO(report.to_csv(table))))
        assert len({len(row) for row in rows}) == 1
        assert len(rows) == 1 + len(report.facts[table])
    assert report.verdict in repr(report)


def _holds(facts, place, value):
    """What a format shows under a fact's name is that fact."""
    fact = lookup(facts, place)
    if value is not None:
        assert value == str(fact), place
    return fact


@pytest.mark.parametrize("name", ["no entries", "nothing due", "not observed"])
def test_nothing_due_is_never_called_a_hundred_percent(name, reports):
    """Without anything that counts there is no share, in no format."""
    facts = reports[name].facts
    assert [one["value"] for one in facts["figures"].values() if "k" in one] == [None] * 4
    for told in ("".join(_Page(_html(reports[name])).text), reports[name].to_markdown()):
        assert "100 %" not in told
        assert "nan" not in told.lower().replace("announc", "")


@pytest.mark.parametrize("name", ["one tick", "a few"])
def test_small_numbers_stay_numbers(name, reports):
    """Below twenty ticks the headline is k of n, and the fleet's table gives no percentage."""
    facts = reports[name].facts
    up = facts["figures"]["up_rate"]
    assert up["headline"] == f"{up['k']} of {up['n']}"
    assert facts["figures"]["average_up_rate"]["headline"] == "–"  # noqa: RUF001 - the sign for no figure
    (section,) = [one for one in sections(facts) if one.id == "schedules"]
    fleet = section.blocks[0]
    assert isinstance(fleet, Table)
    assert not any("%" in cell.text for row in (*fleet.rows, *fleet.folded) for cell in row)


def test_new_paused_and_deleted_schedules_say_so(reports):
    """Each is marked; what was paused or deleted is not down, and its ticks are explained."""
    for name, schedule_id, flag in (
        ("a new one", "b", "new"),
        ("a paused one", "a", "switched off"),
        ("a deleted one", "a", "no definition"),
    ):
        (row,) = [one for one in reports[name].facts["schedules"] if one["schedule_id"] == schedule_id]
        assert flag in row["flags"]
        assert row["down_since"] is None
    assert reports["a paused one"].facts["coverage"]["gaps"] == []  # nothing is due while it is off
    (gap,) = reports["a deleted one"].facts["coverage"]["gaps"]
    assert "no definition any more" in gap["text"]


def test_hostile_text_stays_text(reports):
    """Messages and names neither become markup, nor turn the writing, nor leak secrets, nor flood the page."""
    report = reports["hostile"]
    html = _html(report)
    tags = _Page(html).tags
    assert not {"script", "img", "b", "iframe"} & {tag for tag, _ in tags}
    assert not any(name.startswith("on") for _, attrs in tags for name in attrs)
    assert {name for tag, attrs in tags if tag == "a" for name in [attrs["href"]] if not name.startswith("#")} == {
        "https://console.apify.com/schedules/a"
    }
    assert "{{ &lt;*&gt;" in html  # the template of "{{ 7*7 }}", not 49
    mail = _mail(report)
    assert "Bcc" not in mail
    texts = [
        html,
        report.to_markdown(),
        report.to_json(),
        report.to_csv("clusters"),
        mail.get_body(("plain",)).get_content(),
    ]
    for text in texts:
        assert "apify_api_a" not in text
        assert "ada@example.com" not in text
        assert "x" * 1000 not in text
        assert not set(text) & set("\u202e\u2066\x00\x1b")
    assert "שלום" in html


def test_markdown_cells_stay_in_their_columns(reports, october):
    """Whatever a message holds, every row of a table has as many cells as its head."""
    for report in (reports["hostile"], october):
        widths = []
        for line in report.to_markdown().splitlines():
            if not line.startswith("| "):
                widths = []
                continue
            widths.append(len(re.findall(r"(?<!\\)\|", line)))
            assert widths[0] == widths[-1], line
    assert code("a``b`") == "``` a``b` ```"


def test_csv_cells_are_no_formulas(reports):
    """A text that a spreadsheet would calculate begins with an apostrophe."""
    facts = reports["hostile"].facts | {"days": [{"day": "=1+1", "n": -1, "n_down": None, "is": True}]}
    assert csv_format.render(facts, table="days") == "day,n,n_down,is\n'=1+1,-1,,true\n"
    with pytest.raises(ConfigError, match="'tables'"):
        csv_format.render(facts, table="tables")


def test_every_number_is_the_same_in_every_format(october, page):
    """Page, mail, Markdown, text, JSON and CSV show the same facts in the same words."""
    mail = _mail(october).get_body(("html",)).get_content()
    assert len(_Page(page).numbers()) > 100
    assert len(_Page(mail).numbers()) > 100
    _agree(october, page, mail)


WINDOWS = st.builds(
    Maintenance, cron=st.sampled_from(["0 2 * * *", "0 0 24 * *"]), duration=st.sampled_from(["6h", "90h"])
)
POLICIES = st.builds(
    AccountingPolicy,
    partial=st.sampled_from(["up", "down", "left out"]),
    missed=st.sampled_from(["down", "left out"]),
    skipped=st.sampled_from(["up", "down", "left out"]),
    manual=st.sampled_from(["outcome", "left out"]),
    maintenance=st.lists(WINDOWS, max_size=1).map(tuple),
)
PREVIOUS = st.sampled_from([None, "2026-08", "2026-09-01..2026-09-15"])


CHOSEN = st.none() | st.sets(st.integers(0, 12), min_size=1, max_size=3)


@settings(max_examples=6, phases=[Phase.generate])  # without shrinking, which would take minutes
@given(CHOSEN, POLICIES, PREVIOUS)
def test_every_format_says_the_same_whatever_was_asked_for(sample, chosen, policy, previous):
    """Some schedules, another comparison, maintenance and other rules change the figures, and all formats alike."""
    ids = None if chosen is None else [sorted(sample.schedules["schedule_id"])[place] for place in sorted(chosen)]
    report = Report.build(
        sample.log, sample.schedules, period="2026-10", previous=previous, policy=policy, schedule_ids=ids, pages=1
    )
    with pytest.MonkeyPatch.context() as patch:  # pictures have a test of their own, and take their time
        patch.setattr(html_format, "draw_svg", lambda *_: "")
        patch.setattr(email_format, "draw_png", lambda *_: b"")
        mail = email.message_from_bytes(report.to_email(), policy=email.policy.default)
        _agree(report, report.to_html(), mail.get_body(("html",)).get_content())


def _agree(report, page, mail):
    """All formats say what the facts say, each in the same words."""
    facts = json.loads(report.to_json())
    assert facts == report.facts
    shown = {}
    for html in (page, mail):
        for place, value, text in _Page(html).numbers():
            fact = _holds(facts, place, value)
            _says(text, fact, place)
            words = text.lstrip("■▲△?●○ ").split()[:2]  # signs stand in the style sheet, or in the mail
            assert shown.setdefault(place, words) == words, place
    written = report.to_markdown()
    for row in _rows(sections(facts)):
        assert "| " + " | ".join(_markdown(cell) for cell in row) + " |" in written
    plain, out = report.to_bytes("txt").decode(), io.StringIO()
    show(report, Console(file=out, width=200))
    for tile in tiles(facts).tiles:
        assert f"**{tile.cell.text}**" in written
        assert f"- {tile.label}: {tile.cell.text} (" in plain
        assert re.search(rf"{tile.label} +{re.escape(tile.cell.text)}", out.getvalue())
    for table in TABLES:
        for row, fact in zip(csv.DictReader(io.StringIO(report.to_csv(table))), _listed(facts[table]), strict=True):
            for name, value in fact.items():
                if isinstance(value, int | float) and not isinstance(value, bool):
                    assert float(row[name]) == value, (table, name)


def test_a_picture_says_nothing_that_is_no_fact(october):
    """Every number beside a mark or in a key, and every word, stands in the facts; only axes and scales have more."""
    known = {*_said(october.facts)}
    text = json.dumps(october.facts, ensure_ascii=False)
    pictures = [block.id for part in _parts(sections(october.facts)) for block in part.blocks if hasattr(block, "alt")]
    assert len(pictures) > 10
    for picture in pictures:
        ax = draw(october.facts, october.analysis, picture, plot.bare_ax())
        legend = ax.get_legend().get_texts() if ax.get_legend() else []
        for words in (each.get_text() for each in [*ax.texts, *legend]):
            for number in re.findall(r"[-+]?\d[\d,.]*(?: %)?", words.replace("\N{NO-BREAK SPACE}", " ")):
                is_scale = " % failed" in words  # which shares a shade stands for
                assert is_scale or number in known or number in text, (picture, words)


def _said(value):
    """Say every number of the facts in the ways in which pictures say numbers."""
    if isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _said(inner)
    elif isinstance(value, int):
        yield f"{value:,}"
    elif isinstance(value, float):
        yield from (f"{value:.3g}", f"{value:+.3g}", f"{1000 * value:.3g}", f"{-100 * value:,.0f} %")
        if 0 <= value <= 1:
            yield say_share(value)


def _parts(parts):
    for part in parts:
        yield part
        yield from _parts(part.parts)


def test_formats_are_one_list(tmp_path):
    """README's table is that list; a file's name says the format, whatever its case; a new entry is known at once."""
    readme = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)` \| (.*) \|$", readme, re.MULTILINE)
    assert [row for row in rows if row[0] in FORMATS] == [(name, form.about) for name, form in FORMATS.items()]
    for name, form in FORMATS.items():
        assert all(format_of(tmp_path / f"R.{suffix.upper()}") == name for suffix in (form.suffix, *form.further))
    with pytest.raises(ConfigError, match="ipynb"):
        find_format("ipynb").render({}, None)


def _listed(rows):
    return list(rows.values()) if isinstance(rows, dict) else rows


def _says(text, fact, place):
    """The words that are shown say the number that stands in the facts."""
    said = re.match(r"\$?([<>] )?([-+]?[\d,]+(?:\.\d+)?)( %)?(?!-)", text)
    if not isinstance(fact, int | float) or place.endswith(("delay_p95", "duration_median")):
        return
    if text in ("nothing was due", "none clear", NONE):
        return
    assert said, (place, text)
    number = float(said[2].replace(",", ""))
    if said[3]:
        assert said[1] or number == pytest.approx(100 * fact, abs=0.0501), place
    elif isinstance(fact, int):
        assert number == fact, place


def _rows(parts):
    for part in parts:
        for block in part.blocks:
            tables = [block] if isinstance(block, Table) else [getattr(block, "data", None)]
            for table in filter(None, tables):
                yield from (*table.rows, *table.folded)
        yield from _rows(part.parts)


def _markdown(cell):
    text = f"[{escape(cell.text)}]({cell.href})" if cell.href.startswith("https://") else escape(cell.text)
    return " ".join(
        filter(None, [text, code(cell.quote) if cell.quote else "", f"({escape(cell.detail)})" if cell.detail else ""])
    )


def test_totals_are_sums(october):
    """What became of the ticks adds up: over its rows, over the schedules, and to the figures on top."""
    facts = october.facts
    (ticks,) = [one.blocks[0] for one in sections(facts) if one.id == "ticks"]
    assert isinstance(ticks, Table)
    for column, key in enumerate(("n", "n_up", "n_down", "n_left_out", "n_previous"), start=1):
        assert int(ticks.rows[-1][column].text.replace(",", "")) == sum(one[key] for one in facts["fates"])
    by_id = facts["figures"]
    assert by_id["up_rate"]["k"] == sum(one["n_up"] for one in facts["fates"])
    assert by_id["up_rate"]["n"] == sum(one["n"] for one in facts["schedules"])
    assert by_id["missed_rate"]["k"] == sum(one["n_missed"] for one in facts["schedules"])
    assert by_id["failed_rate"]["k"] == sum(one["n_not_started"] for one in facts["schedules"])
    assert sum(one["n_down"] for one in facts["days"]) == sum(one["n_down"] for one in facts["hours"])
    assert facts["objective"]["n_down"] == sum(one["n_down"] for one in facts["schedules"])
    assert october.up_share == by_id["up_rate"]["value"]


def test_the_worst_stands_first(october):
    """What is down now comes before incidents, those before single failures; healthy ones come last and are folded."""
    rows = october.facts["schedules"]
    assert rows[0]["state"] == "down now"
    order = [
        "down now",
        "mostly failing",
        "skipped",
        "incidents",
        "single failures",
        "not observed",
        "healthy",
        "nothing due",
    ]
    places = [order.index(one["state"]) for one in rows]
    assert places == sorted(places)
    (section,) = [one for one in sections(october.facts) if one.id == "schedules"]
    fleet = section.blocks[0]
    assert isinstance(fleet, Table)
    assert len(fleet.folded) == sum(place >= order.index("healthy") for place in places)


def test_the_same_input_makes_the_same_bytes(sample, october):
    """A shuffled log, on another day, gives every format to the byte."""
    log, schedules, runs = (
        table.sample(frac=1, random_state=5) for table in (sample.log, sample.schedules, sample.runs)
    )
    again = Report.build(
        log, schedules, runs=runs, period="2026-10", tz="Europe/Prague", objective=0.995, pages=2, source="data/sample"
    )
    for form in WRITTEN:
        assert again.to_bytes(form) == _rendered(october, form), form
    assert again._repr_html_() == october._repr_html_()


def test_the_page_stands_alone(page):
    """One file: no script, nothing to load, every link inside it or to Apify Console."""
    tags = _Page(page).tags
    ids = [attrs["id"] for _, attrs in tags if "id" in attrs]
    assert len(ids) == len(set(ids))
    assert "script" not in {tag for tag, _ in tags}
    for tag, attrs in tags:
        assert not {"src", "srcset", "data"} & set(attrs), tag
        href = attrs.get("href", "#")
        assert href.startswith("https://console.apify.com/schedules/") or href == "#" or href[1:] in ids, href
        for reference in re.findall(r"url\(([^)]*)\)", attrs.get("style", "") + attrs.get("clip-path", "")):
            assert reference[1:] in ids
    assert "url(" not in style("style.css")
    assert "@import" not in style("style.css")


def test_the_page_is_for_everybody(page):
    """Headings in order, tables with caption and scope, pictures with words, regions within reach of the keyboard."""
    tags = _Page(page).tags
    levels = [int(tag[1]) for tag, _ in tags if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(deeper <= level + 1 for level, deeper in zip(levels, levels[1:], strict=False))
    n = {name: sum(tag == name for tag, _ in tags) for name in ("table", "caption", "svg", "figure", "figcaption")}
    assert n["table"] == n["caption"] > 5
    assert n["svg"] == n["figure"] == n["figcaption"] > 8
    for tag, attrs in tags:
        if tag == "th":
            assert attrs["scope"] in ("row", "col")
        if tag == "svg":
            assert attrs["role"] == "img"
            assert len(attrs["aria-label"].split()) > 5
        if attrs.get("class") == "scroll":
            assert attrs["tabindex"] == "0"
            assert "aria-label" in attrs or "aria-labelledby" in attrs


def _luminance(colour):
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _contrast(one, other):
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_colours_have_contrast(scheme):
    """Text has 4.5:1 on what it stands on, the colours of the pictures 3:1, in light and in dark (WCAG 2.2, AA)."""
    blocks = re.findall(r":root \{([^}]*)\}", palette() + style("style.css"))
    colours = {}
    for block in blocks[: 3 if scheme == "dark" else 2]:
        colours |= dict(re.findall(r"(--[\w-]+): (#[0-9a-f]{3,6})", block))
    colours = {
        name: "#" + "".join(2 * c for c in value[1:]) if len(value) == 4 else value for name, value in colours.items()
    }
    for name in ("--ink", "--soft", "--link"):
        for ground in ("--paper", "--wash"):
            assert _contrast(colours[name], colours[ground]) >= 4.5, (name, ground)
    for name in ("--bad", "--warn", "--good", "--idle"):
        assert _contrast(colours[name], colours[f"{name}-wash"]) >= 4.5, name
    for name in ("--blue", "--amber", "--red", "--purple", "--green", "--grey"):
        assert _contrast(colours[name], colours["--paper"]) >= 3, name


def test_pages_are_for_the_worst_only(sample, october, page):
    """As many as asked for, the worst first; the rest is counted; every one of them can be reached from the table."""
    facts = october.facts
    shown = facts["pages"]["schedule_ids"]
    assert shown == [one["schedule_id"] for one in facts["schedules"][:2]]
    assert "7 more schedules with failures have no page here." in page
    for one in shown:
        assert f'href="#schedule-{one}"' in page
        assert f'id="schedule-{one}"' in page
    none = Report(october.analysis, pages=0)
    assert none.facts["pages"]["schedule_ids"] == []
    assert "#schedule-" not in none.to_markdown()
    (name,) = sample.schedules.loc[sample.schedules["name"] == "weekly-report", "schedule_id"]
    alone = Report.build(sample.log, sample.schedules, schedule_ids=[name])
    assert alone.facts["pages"]["schedule_ids"] == [name]


def test_ids_that_html_does_not_allow(make_log, make_schedules):
    """A schedule whose id has blanks and slashes gets an anchor and a link that work."""
    odd = "me/my schedule~1"
    report = Report.build(make_log(*_hours(odd, [0, 1, 3, 4])), make_schedules((odd, "0 * * * *")), objective=0.9)
    html = report.to_html()
    assert f'id="{anchor(f"schedule-{odd}")}"' in html
    assert f'href="#{anchor(f"schedule-{odd}")}"' in html
    for place, value, _ in _Page(html).numbers():
        _holds(report.facts, place, value)
    assert report.facts["schedules"][0]["url"] == "https://console.apify.com/schedules/me%2Fmy%20schedule~1"


def test_schedules_of_one_name_are_told_apart(make_log, make_schedules):
    """Two schedules with the same title carry their ids."""
    titled = {"title": "Prices"}
    report = Report.build(
        make_log(*_hours("a", range(3)), *_hours("b", range(3))),
        make_schedules(("a", "0 * * * *", titled), ("b", "0 * * * *", titled)),
    )
    assert {one["name"] for one in report.facts["schedules"]} == {"Prices (a)", "Prices (b)"}


def test_the_comparison_is_stated(october, page):
    """Every figure says what it was before, whether that is clearly different, and how well that could be seen."""
    facts = october.facts
    assert facts["comparison"]["name"] == "September 2026"
    assert "compare with care" in facts["comparison"]["caution"]
    assert facts["comparison"]["caution"] in " ".join("".join(_Page(page).text).split())
    for one in facts["figures"].values():
        assert one["previous"] is not None
        assert "September 2026" in one["change_text"]
        if "k" in one:
            assert one["change"] in ("worse", "better", "no clear change")
    assert {one["state"] for one in facts["clusters"]} == {"new", "ongoing", "gone"}


def test_the_objective_is_a_plain_sentence(sample, october):
    """Met or not, what it allows and what happened; without an objective there is no such section."""
    assert october.facts["objective"]["is_met"] is False
    assert "Not met" in october.facts["objective"]["text"]
    assert "burn rate" not in october.to_markdown()
    kind = Report.build(sample.log, sample.schedules, period="2026-10", objective=0.5, pages=0)
    assert kind.facts["objective"]["is_met"] is True
    assert (
        kind.facts["objective"]["n_left"]
        == math.floor(kind.facts["objective"]["n"] / 2) - kind.facts["objective"]["n_down"]
    )
    assert Report.build(sample.log, sample.schedules, pages=0).facts["objective"] is None


def test_a_fleet_has_the_same_sentence_without_single_ticks(october):
    """Where nobody kept the single ticks, the objective is judged by the counts alone."""
    parts = {name: value for name, value in vars(october.analysis).items() if name not in ("slo", "burn_down")}
    facts = Report(Analysis(**parts)).facts
    assert facts["objective"]["is_met"] is False
    assert facts["objective"]["text"].startswith(
        "The objective of 99.5 % was missed: it allows 10 scheduled starts of 2,050"
    )


def test_a_fleet_has_pages_where_it_has_ticks(october):
    """Schedules whose single ticks nobody kept get no page, and are counted."""
    worst = october.facts["schedules"][1]["schedule_id"]
    ticks = october.analysis.ticks
    kept = replace(october.analysis, ticks=ticks[(ticks["schedule_id"] == worst).to_numpy()])
    pages = Report(kept).facts["pages"]
    assert pages["schedule_ids"] == [worst]
    assert pages["n_left_out"] == 8


def test_schedules_that_could_not_be_analysed_are_named(october):
    """No figure counts them, and the report says so."""
    failed = replace(october.analysis, errors={"broken": ValueError("no")})
    told = "1 schedule could not be analysed, and no figure counts them: broken."
    assert told in Report(failed).facts["coverage"]["notes"]


def _failing_for_hours(make_log, make_schedules, **policy):
    """Ten good hours, six in which only some of it started, a missed one, ten good hours."""
    rows = _hours("a", [*range(16), *range(17, 27)])
    rows += _hours("a", range(10, 16), "ERROR", REFUSED + "Unknown error")
    two_actions = make_schedules(("a", "0 * * * *", {"n_actions": 2}))
    return Report.build(make_log(*rows), two_actions, policy=AccountingPolicy(**policy))


def test_what_lies_within_maintenance_is_no_failure(make_log, make_schedules):
    """An outage in a window that is left out is neither in the headline nor in states, incidents, failures, figures."""
    facts = _failing_for_hours(make_log, make_schedules).facts
    assert (facts["state"], facts["schedules"][0]["state"]) == ("failures", "incidents")
    assert [len(facts[name]) for name in ("incidents", "clusters")] == [1, 1]
    window = Maintenance("2026-01-01T10:00Z", "2026-01-01T17:00Z")
    report = _failing_for_hours(make_log, make_schedules, maintenance=window)
    facts = report.facts
    assert facts["verdict"] == "All 20 scheduled starts worked from 1 Jan 2026 to 2 Jan 2026."
    assert facts["schedules"][0]["state"] == "healthy"
    assert [facts[name] for name in ("incidents", "clusters", "causes")] == [[], [], []]
    assert facts["figures"]["missed_rate"]["k"] == facts["figures"]["failed_rate"]["k"] == 0
    n = {row["id"]: (row["n"], row["n_left_out"]) for row in facts["fates"]}
    assert n["maintenance"] == (7, 7)
    assert n["partial"] == n["missed"] == (0, 0)
    assert "Within maintenance" in report.to_markdown()


def test_what_counts_as_up_is_called_a_failure_nowhere(make_log, make_schedules):
    """Where partly failed counts as up, no format names a failure beside "all worked"."""
    facts = _failing_for_hours(make_log, make_schedules, partial="up", missed="left_out").facts
    assert facts["state"] == "well"
    assert facts["verdict"].startswith("All 26 scheduled starts worked")
    assert facts["schedules"][0]["n_not_started"] == facts["figures"]["failed_rate"]["k"] == 0
    assert [facts[name] for name in ("incidents", "clusters", "causes")] == [[], [], []]


def test_every_start_has_one_fate(sample, october):
    """The rows of what happened add up to the whole accounting, whatever the policy is."""
    windows = (Maintenance(cron="0 2 * * *", duration="6h"),)
    policy = AccountingPolicy(duplicate="outcome", manual="outcome", extra="left_out", late="down", maintenance=windows)
    other = Report.build(sample.log, sample.schedules, policy=policy)
    for report in (october, other):
        fates, counts = report.facts["fates"], report.analysis.accounting
        for verdict in ("up", "down", "left_out"):
            expected = counts.loc[counts["counted_as"] == verdict, "n"].sum()
            assert sum(row[f"n_{verdict}"] for row in fates) == expected
        assert sum(row["n"] for row in fates) == counts["n"].sum()


def test_the_policy_is_printed(sample):
    """Every rule of the accounting, maintenance and the grace stand in every format for people."""
    policy = AccountingPolicy(skipped="down", maintenance=(Maintenance(cron="0 2 * * SUN", duration="2h"),))
    report = Report.build(sample.log, sample.schedules, policy=policy, grace="5min", pages=0)
    told = " ".join("".join(_Page(report.to_html()).text).split())
    for rule in policy.sentences():
        assert rule in told
        assert escape(rule) in report.to_markdown()
    assert "more than 5 min after it was due" in told
    assert "2h from 0 2 * * SUN (UTC)" in told


def test_the_mail_is_one_that_mail_programs_show(october):
    """Plain text and HTML with inline styles under 100 kB, pictures by content id, nothing of chance or clock."""
    mail = _mail(october)
    assert mail["Subject"] == october.verdict
    assert mail["Date"] is None
    assert [part.get_content_type() for part in mail.walk()] == [
        "multipart/alternative", "text/plain", "multipart/related", "text/html", "image/png",
    ]  # fmt: skip
    html = mail.get_body(("html",)).get_content()
    assert len(html.encode()) < 100_000
    tags = _Page(html).tags
    assert not {"style", "script", "svg", "link"} & {tag for tag, _ in tags}
    wanted = {attrs["src"].removeprefix("cid:") for tag, attrs in tags if tag == "img"}
    pictures = [part for part in mail.walk() if part.get_content_type() == "image/png"]
    assert {part["Content-ID"].strip("<>") for part in pictures} == wanted != set()
    assert all(part.get_content().startswith(b"\x89PNG") for part in pictures)
    assert all(attrs["alt"] for tag, attrs in tags if tag == "img")
    plain = mail.get_body(("plain",)).get_content()
    assert all(len(line) <= 78 for line in plain.splitlines())
    for one in brief(october.facts):
        assert one.title in plain


@pytest.mark.parametrize("width", [80, 120])
def test_the_terminal_shows_one_screen(october, width):
    """Verdict, figures and the worst schedules fit the width and one screen, without colour codes when piped."""
    out = io.StringIO()
    show(october, Console(file=out, width=width))
    lines = out.getvalue().splitlines()
    assert "\x1b" not in out.getvalue()
    assert max(map(len, lines)) <= width
    assert len(lines) <= 45
    told = " ".join(out.getvalue().split())
    assert october.verdict in told
    assert october.facts["coverage"]["text"] in told
    for one in october.facts["schedules"][:8]:
        assert one["name"] in told
        assert f"{one['n_down']:,} of {one['n']:,}" in told
    for one in october.facts["figures"].values():
        assert one["headline"] in told


@pytest.mark.parametrize("name", NAMES)
def test_the_terminal_shows_every_account(name, reports):
    """Nothing breaks, nothing turns the writing, and the verdict is there."""
    out = io.StringIO()
    show(reports[name].facts, Console(file=out, width=80))
    assert " ".join(reports[name].verdict.split()) in " ".join(out.getvalue().split())
    assert not set(out.getvalue()) & set("\u202e\u2066\x00\x1b")


def test_the_archive_says_when_to_sync(sample):
    """How much it holds and by when to sync next; an empty one says so."""
    entries = sample.log.groupby("schedule_id")["created_at"]
    looks = entries.agg(n_entries="size", first_at="min", last_at="max").reset_index()
    fetches = looks.assign(fetched_at=sample.log["created_at"].max(), is_truncated=False)
    for log, looked, told in (
        (sample.log, fetches, "4,565 entries of 15 schedules. Sync next by 11 Dec 2026"),
        (sample.log.iloc[:0], fetches.iloc[:0], "0 entries of 0 schedules."),
    ):
        out = io.StringIO()
        show_archive(log, looked, Console(file=out, width=200))
        assert told in out.getvalue()


def test_the_notebook_fragment_is_scoped(october):
    """A fragment, not a page; its style touches nothing around it, and it takes the theme's colours."""
    html = october._repr_html_()
    tags = {tag for tag, _ in _Page(html).tags}
    assert not {"html", "body", "script", "head"} & tags
    rules = re.findall(r"([^{}]+)\{", style("fragment.css"))
    assert rules
    assert all(part.strip().startswith(".schedlog-report") for rule in rules for part in rule.split(","))
    assert "#fff" not in html
    for place, value, _ in _Page(html).numbers():
        _holds(october.facts, place, value)
    assert repr(october) == f"<Report: {october.verdict}>"


def test_it_is_written_whole_or_not_at_all(october, tmp_path, monkeypatch):
    """By suffix or format; a failure leaves what was there, and nothing else."""
    for name, begins in {"r.html": b"<!DOCTYPE html>", "r.md": b"# ", "r.json": b"{", "r.csv": b"schedule_id,"}.items():
        assert october.write(tmp_path / name).read_bytes().startswith(begins)
    assert october.write(tmp_path / "any", "md").read_text(encoding="utf-8") == october.to_markdown()
    with pytest.raises(ConfigError, match=r"'r\.pdf'"):
        october.write(tmp_path / "r.pdf")
    with pytest.raises(ConfigError, match="'pdf'"):
        october.to_bytes("pdf")

    def broken(*_):
        raise RuntimeError

    before = sorted(tmp_path.iterdir())
    monkeypatch.setattr(markdown, "render", broken)
    with pytest.raises(RuntimeError):
        october.write(tmp_path / "r.md")
    assert sorted(tmp_path.iterdir()) == before
    assert (tmp_path / "r.md").read_bytes().startswith(b"# ")


def test_five_hundred_schedules(make_log, make_schedules):
    """A page of 500 schedules is whole and under a megabyte, and says what it left out."""
    ids = [f"s{number:03}" for number in range(500)]
    log = make_log(
        *(row for number, one in enumerate(ids) for row in _hours(one, [0, 1, 3] if number % 2 else range(4)))
    )
    report = Report.build(log, make_schedules(*((one, "0 * * * *") for one in ids)), pages=1)
    html = report.to_html()
    assert len(html.encode()) < 1_000_000
    page = _Page(html)
    assert not page.open
    assert "500 schedules" in report.facts["schedules"][0]["text"] + " ".join(page.text)
    assert sum(one["state"] == "single failures" for one in report.facts["schedules"]) == 250
    assert report.facts["pages"]["n_left_out"] == 249
    assert "150 more schedules in the same order and 250 schedules that started every time" in " ".join(page.text)
    assert len(_mail(report).get_body(("html",)).get_content().encode()) < 100_000


def test_facts_are_plain_and_finite(october):
    """Nothing but dictionaries, lists, text, numbers, booleans and None; every duration and share is finite."""

    def walk(value):
        if isinstance(value, dict):
            assert all(isinstance(key, str) for key in value)
            any(map(walk, value.values()))
        elif isinstance(value, list):
            any(map(walk, value))
        else:
            assert value is None or type(value) in (str, int, float, bool), value
            assert not isinstance(value, float) or math.isfinite(value)

    walk(october.facts)


def test_every_place_in_the_document_is_in_the_facts(october):
    """A cell that names a fact names one that exists, with its value."""
    seen = 0

    def look(part):
        nonlocal seen
        pairs = [cell for block in part.blocks if isinstance(block, Pairs) for _, cell in block.rows]
        for cell in [cell for row in _rows([part]) for cell in row] + pairs:
            if cell.fact:
                assert lookup(october.facts, cell.fact) == cell.value
                seen += 1
        for one in part.parts:
            look(one)

    for part in sections(october.facts):
        look(part)
    assert seen > 500
    with pytest.raises(KeyError):
        lookup(october.facts, "schedules/nobody/n")
    with pytest.raises(KeyError):
        lookup(october.facts, "figures/up_rate/nothing")


def test_templates_escape_and_miss_nothing():
    """Everything is escaped by default, and a name that does not exist is an error rather than a hole."""
    made = environment()
    assert made.from_string("{{ x }}").render(x="<b>") == "&lt;b&gt;"
    with pytest.raises(Exception, match="undefined"):
        made.from_string("{{ y }}").render()


def test_importing_the_report_loads_no_plots(run_python):
    """Jinja and matplotlib come when a format needs them."""
    code = "import sys, schedlog_analysis.report; print({'jinja2', 'matplotlib'} & {*sys.modules})"
    assert run_python(code) == "set()"
