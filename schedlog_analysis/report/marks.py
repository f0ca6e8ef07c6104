"""Marks are the many small shapes of a picture; here they take few bytes: dots share a path, lines say what changes."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

FEW = 4  # fewer dots are not worth a path of their own
_STEP = re.compile(r"([MLCQZz])([^MLCQZz]*)")
_CIRCLE = re.compile(r"M0 ([\d.]+)(?:C[^MLCQZz]*){8}z")  # how matplotlib draws one around the origin


def straighten(path: str) -> str:
    """
    Say only what changes of lines that go straight across or straight up.

    Parameters
    ----------
    path
        Absolute lines and curves, as matplotlib writes them.

    Examples
    --------
    >>> straighten("M1 2L5 2L5 8.5L6 9z")
    'M1 2H5V8.5L6 9z'
    """
    told, x, y = [], "", ""
    for command, numbers in _STEP.findall(path):
        before, points = (x, y), numbers.split()
        x, y = points[-2:] if points else before
        if command == "L" and y == before[1]:
            told.append(f"H{x}")
        elif command == "L" and x == before[0]:
            told.append(f"V{y}")
        else:
            told.append(command + numbers)
    return "".join(told)


def join_dots(root: ET.Element) -> None:
    """Draw all dots of a group by one path: a line of no length with round ends, for a quarter of the bytes."""
    outlines = {path.get("id"): path for path in root.iter("path") if "id" in path.attrib}
    for group in root.iter("g"):
        outline = outlines.get(group[0].get("href", "#")[1:]) if len(group) > FEW else None
        circle = _CIRCLE.fullmatch(outline.get("d", "")) if outline is not None else None
        fill, stroke = (_declared(group).get(name) for name in ("fill", "stroke"))
        alike = {(mark.tag, mark.get("href"), mark.get("style")) for mark in group}
        if outline is not None and circle and len(alike) == 1 and fill is not None and fill == stroke:
            width = 2 * float(circle[1]) + float(_declared(outline).get("stroke-width", "1"))
            dots = dict.fromkeys(f"M{mark.get('x', '0')} {mark.get('y', '0')}h0" for mark in group)
            look = f"fill:none;stroke:{fill};stroke-width:{width:g};stroke-linecap:round"
            group[:] = [ET.Element("path", {"d": "".join(dots), "style": look})]
            del group.attrib["style"]
    _forget_unused(root)


def _declared(element: ET.Element) -> dict[str, str]:
    pairs = (each.partition(":") for each in element.get("style", "").split(";") if each)
    return {name: value for name, _, value in pairs}


def _forget_unused(root: ET.Element) -> None:
    """Take away outlines that no mark refers to any more."""
    used = {element.get("href", "")[1:] for element in root.iter("use")}
    for parent in list(root.iter()):
        parent[:] = [child for child in parent if child.tag != "defs" or _is_used(child, used)]


def _is_used(definitions: ET.Element, used: set[str]) -> bool:
    return any(child.tag != "path" or child.get("id") in used for child in definitions)
