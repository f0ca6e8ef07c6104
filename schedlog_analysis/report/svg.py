"""SVG as matplotlib writes it is large and styled for paper; here it shrinks and takes the page's colours and font."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

from schedlog_analysis import plot
from schedlog_analysis.report.marks import join_dots, straighten

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
PLAIN_LETTERS = ("font-size:8.33px", "fill:var(--ink)")
_COLOUR = re.compile("|".join(VARIABLES))
_NUMBER = re.compile(r"-?\d+\.\d+")
_SPACES = re.compile(r"\s*([MLCQHVZz])\s*")
_FAMILY = re.compile(r"font-family: [^;]*;?")
_FONT = re.compile(r"font: (?:normal )*((?:\d{3}|bold) )?([\d.]+)px [^;]*;?")
_REFERENCE = re.compile(r"#([\w:.-]+)")


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
    root = ET.fromstring(svg)  # noqa: S314 - matplotlib wrote it, a moment ago
    for name in ("metadata", "style"):
        _drop(root, f"{{{SVG}}}{name}")
    names = _names(root, prefix)
    for element in root.iter():
        element.tag = element.tag.removeprefix(f"{{{SVG}}}")
        element.attrib = dict(_attributes(element, names))
        if element.tag == "text":
            _plain_letters(element)
        else:
            element.text = None
        element.tail = None
    for parent in reversed(list(root.iter())):
        _tidy(parent)
    join_dots(root)
    root.attrib = {"viewBox": root.attrib["viewBox"], "role": "img", "aria-label": alt}
    return ET.tostring(root, encoding="unicode", short_empty_elements=True)


def _drop(root: ET.Element, tag: str) -> None:
    for parent in root.iter():
        for child in [child for child in parent if child.tag == tag]:
            parent.remove(child)


def _names(root: ET.Element, prefix: str) -> dict[str, str]:
    """Give each id that something refers to a short name, in the order in which they stand."""
    used = set()
    for element in root.iter():
        for name, value in element.attrib.items():
            if name != "id" and "#" in value:
                used.update(_REFERENCE.findall(value))
    ids = [element.attrib["id"] for element in root.iter() if element.attrib.get("id") in used]
    return {name: f"{prefix}-{number}" for number, name in enumerate(dict.fromkeys(ids))}


def _attributes(element: ET.Element, names: dict[str, str]) -> list[tuple[str, str]]:
    told = []
    for name, value in element.attrib.items():
        if name == "id":
            told += [(name, names[value])] if value in names else []
        elif name == "transform" and value.startswith("rotate(-0 "):
            continue
        elif name == "d":
            told.append((name, straighten(_SPACES.sub(r"\1", _NUMBER.sub(_round, value)).strip())))
        elif name in ("points", "x", "y", "width", "height", "transform", "viewBox"):
            told.append((name, _NUMBER.sub(_round, value)))
        elif name == "style":
            told.append((name, _style(value, names)))
        else:
            told.append(("href" if name == HREF else name, _renamed(value, names)))
    return told


def _round(found: re.Match[str]) -> str:
    """Keep one decimal, and no zero that says nothing."""
    short = f"{float(found[0]):.1f}".removesuffix(".0")
    return "0" if short == "-0" else short


def _style(style: str, names: dict[str, str]) -> str:
    told = _FONT.sub(lambda found: f"font-size:{float(found[2]):g}px;" + _weight(found[1]), style)
    told = _FAMILY.sub("", told)
    told = _COLOUR.sub(lambda found: f"var({VARIABLES[found[0]]})", told)
    return " ".join(_renamed(told, names).split()).replace("; ", ";").replace(": ", ":").rstrip("; ")


def _plain_letters(element: ET.Element) -> None:
    """Leave out what the page's style sheet says of all letters."""
    told = [each for each in element.get("style", "").split(";") if each not in PLAIN_LETTERS]
    element.set("style", ";".join(told))
    if not told:
        del element.attrib["style"]


def _weight(weight: str | None) -> str:
    return f"font-weight:{weight.strip()};" if weight else ""


def _renamed(value: str, names: dict[str, str]) -> str:
    """Follow references to their new names; a colour such as #fde9db is none."""
    return _REFERENCE.sub(lambda found: f"#{names.get(found[1], found[1])}", value) if "#" in value else value


def _tidy(parent: ET.Element) -> None:
    """Take away what shows nothing, groups that group nothing, and what all marks of a group repeat."""
    children: list[ET.Element] = []
    for child in parent:
        is_bare = child.tag == "g" and not child.attrib
        children += list(child) if is_bare else [child]
    parent[:] = [child for child in children if not _is_invisible(child)]
    styles = {child.get("style") for child in parent if child.tag == "use"}
    if parent.tag == "g" and "style" not in parent.attrib and len(styles) == 1 and len(parent) > 1:
        (style,) = styles
        if style and all(child.tag == "use" for child in parent):
            parent.set("style", style)
            for child in parent:
                del child.attrib["style"]


def _is_invisible(element: ET.Element) -> bool:
    if element.tag in ("defs", "g"):
        return len(element) == 0
    return element.tag == "path" and element.get("style") == "fill:none" and "id" not in element.attrib
