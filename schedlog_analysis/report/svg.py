"""SVG as matplotlib writes it is styled for paper; here it gets short ids and numbers, and the page's colours."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

from schedlog_analysis import plot

SVG = "http://www.w3.org/2000/svg"
HREF = "{http://www.w3.org/1999/xlink}href"

# What each colour of a plot means, as the page's style sheet calls it.
VARIABLES = {
    plot.INK: "--ink",
    plot.BLUE: "--blue",
    plot.AMBER: "--amber",
    plot.RED: "--red",
    plot.PURPLE: "--purple",
    plot.GREEN: "--green",
    plot.GREY: "--grey",
}
_COLOUR = re.compile("|".join(VARIABLES))
_DECIMAL = re.compile(r"-?\d+\.\d+")
_FONT = re.compile(r"font: [^;]*?([\d.]+px)[^;]*")
_FAMILY = re.compile(r"font-family: [^;]*;?")
_REFERENCE = re.compile(r"#([\w:.-]+)")
_WITH_NUMBERS = {"d", "points", "x", "y", "width", "height", "transform", "viewBox"}


def slim(svg: str, *, alt: str, prefix: str) -> str:
    """
    Make a picture of matplotlib fit for a page.

    Ids that nothing refers to go, the others get the prefix; coordinates keep one decimal; colours become variables of
    the page's style sheet, which dark mode and print restyle; letters take the page's font.

    Parameters
    ----------
    svg
        What matplotlib wrote.
    alt
        What the picture shows, in words.
    prefix
        Begins the ids that are left.
    """
    root = ET.fromstring(svg)  # noqa: S314 - matplotlib has just written it
    for parent in root.iter():
        for child in [child for child in parent if child.tag in (f"{{{SVG}}}metadata", f"{{{SVG}}}style")]:
            parent.remove(child)
    names = _name_ids(root, prefix)
    for element in root.iter():
        element.tag = element.tag.removeprefix(f"{{{SVG}}}")
        element.attrib = dict(_rewrite(name, value, names) for name, value in element.attrib.items())
        element.attrib.pop("", None)
        element.text = element.text if element.tag == "text" else None
        element.tail = None
    root.attrib = {"viewBox": root.attrib["viewBox"], "role": "img", "aria-label": alt}
    return ET.tostring(root, encoding="unicode", short_empty_elements=True)


def _name_ids(root: ET.Element, prefix: str) -> dict[str, str]:
    """Give each id that something refers to a short name, in the order in which they stand."""
    values = [value for element in root.iter() for name, value in element.attrib.items() if name != "id"]
    used = {name for value in values for name in _REFERENCE.findall(value)}
    ids = [element.attrib["id"] for element in root.iter() if element.attrib.get("id") in used]
    return {name: f"{prefix}-{number}" for number, name in enumerate(dict.fromkeys(ids))}


def _rewrite(name: str, value: str, names: dict[str, str]) -> tuple[str, str]:
    """Give an attribute as the page wants it; one without a name is not wanted."""
    if name == "id":
        return (name, names[value]) if value in names else ("", "")
    if name in _WITH_NUMBERS:
        return name, " ".join(_DECIMAL.sub(_round, value).split())
    if name == "style":
        value = _FAMILY.sub("", _FONT.sub(r"font-size: \1", value))
        value = _COLOUR.sub(lambda found: f"var({VARIABLES[found[0]]})", value).strip("; ")
    renamed = _REFERENCE.sub(lambda found: f"#{names.get(found[1], found[1])}", value)
    return "href" if name == HREF else name, renamed


def _round(found: re.Match[str]) -> str:
    """Keep one decimal, and no zero that says nothing."""
    short = f"{float(found[0]):.1f}".removesuffix(".0")
    return "0" if short == "-0" else short
