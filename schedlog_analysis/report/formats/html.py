"""HTML: the document as one self-contained page, without script and without network."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache
from hashlib import blake2b
from itertools import count

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from schedlog_analysis.account.analysis import Analysis
from schedlog_analysis.report.document import Picture, Table
from schedlog_analysis.report.formats.brief import brief
from schedlog_analysis.report.pictures import draw_svg
from schedlog_analysis.report.sections import notes, sections
from schedlog_analysis.report.svg import VARIABLES
from schedlog_analysis.report.topics.figures import tiles
from schedlog_analysis.report.values import Facts


def render(facts: Facts, analysis: Analysis) -> str:
    """
    Render one page that needs no network and no script.

    Parameters
    ----------
    facts
        What to say.
    analysis
        What to draw.
    """
    numbers = count(1)

    def draw(picture: Picture) -> Markup:
        # Every text in the drawing was escaped when it was written as XML.
        return Markup(draw_svg(facts, analysis, picture, f"f{next(numbers)}"))  # noqa: S704 - see above

    template = environment().get_template("report.html.j2", globals={"picture": draw})
    page = template.render(
        facts=facts,
        tiles=tiles(facts),
        sections=sections(facts),
        notes=notes(facts),
        style=palette() + style("style.css"),
    )
    return _BLANK_LINES.sub("\n", bind(page)).strip() + "\n"


def render_fragment(facts: Facts) -> str:
    """Render the summary for a notebook: no page of its own, and in the colours of whatever theme surrounds it."""
    shown = [
        replace(part, blocks=[block for block in part.blocks if isinstance(block, Table)]) for part in brief(facts)[:2]
    ]
    template = environment().get_template("fragment.html.j2")
    return template.render(facts=facts, tiles=tiles(facts), sections=shown, style=style("fragment.css"))


@cache
def environment() -> Environment:
    """Make the one environment of all templates: everything is escaped, and nothing may be undefined."""
    loader = PackageLoader("schedlog_analysis.report")
    made = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    made.filters["anchor"] = anchor
    made.filters["dated"] = dated
    made.filters["whole"] = whole
    made.filters["target"] = lambda href: f"#{anchor(href[1:])}" if href.startswith("#") else href
    made.filters["kind"] = lambda block: type(block).__name__
    return made


@cache
def style(name: str) -> Markup:
    """Read a style sheet of the package; it holds no user text."""
    loader = PackageLoader("schedlog_analysis.report")
    source, _, _ = loader.get_source(Environment(autoescape=True), name)
    return Markup(source.strip())  # noqa: S704 - our own file


def dated(text: str) -> Markup:
    """
    Keep each date of a sentence on one line.

    Examples
    --------
    >>> dated("<since> 24 Oct 2026 06:10")
    Markup('&lt;since&gt; <span class="date">24 Oct 2026</span> 06:10')
    """
    return Markup(_DATE.sub(r'<span class="date">\g<0></span>', str(escape(text))))  # noqa: S704 - escaped first


def whole(text: str) -> Markup:
    """
    Do the same without a style sheet, for mail.

    Examples
    --------
    >>> whole("24 Oct 2026 06:10")
    Markup('<span style="white-space:nowrap">24 Oct 2026</span> 06:10')
    """
    nowrap = '<span style="white-space:nowrap">'
    return Markup(_DATE.sub(rf"{nowrap}\g<0></span>", str(escape(text))))  # noqa: S704 - escaped first


def bind(html: str) -> str:
    """Keep numbers and their percent signs on one line."""
    return _PERCENT.sub("\N{NO-BREAK SPACE}%", html)


def palette() -> Markup:
    """Declare the colours of the pictures, which are those of the plots, for light pages and for paper."""
    declared = "; ".join(f"{name}: {colour}" for colour, name in VARIABLES.items())
    return Markup(f":root {{ {declared}; }}\n")  # noqa: S704 - our own colours


def anchor(name: str) -> str:
    """
    Make an id that HTML allows: the name itself, else one made from it.

    Examples
    --------
    >>> anchor("schedule-wAkdiDXsEiDKv4884"), anchor("schedule-a b")
    ('schedule-wAkdiDXsEiDKv4884', 'xee5f75ad00')
    """
    if _PLAIN_ID.fullmatch(name):
        return name
    return "x" + blake2b(name.encode("utf-8", "surrogatepass"), digest_size=5).hexdigest()


_PLAIN_ID = re.compile(r"[A-Za-z][\w-]*", re.ASCII)
_DATE = re.compile(r"\b\d{1,2} [A-Z][a-z]{2} \d{4}\b|\b\d{4}-\d\d-\d\d\b")
_PERCENT = re.compile(r"(?<=\d) %")
_BLANK_LINES = re.compile(r"\n\s*\n+")
