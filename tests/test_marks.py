"""Marks: pictures of many points stay small, and every point stays where it was."""

import re
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schedlog_analysis.report.marks import join_dots, straighten

CIRCLE = "M0 1.5" + "C0.4 1.5 0.8 1.3 1.1 1.1" * 8 + "z"


def picture(marks, style="fill:var(--blue);stroke:var(--blue)", outline=CIRCLE):
    """Draw a group of marks with one outline."""
    uses = "".join(f'<use href="#f-0" x="{x}" y="{y}"/>' for x, y in marks)
    defs = f'<defs><path id="f-0" d="{outline}" style="stroke:var(--blue)"/></defs>'
    return ET.fromstring(f'<svg>{defs}<g clip-path="url(#f-1)" style="{style}">{uses}</g></svg>')


def visited(path):
    """List the corners of a path, whichever way it says them."""
    corners, x, y = [], None, None
    for command, numbers in re.findall(r"([MLHV])([^MLHV]*)", path):
        values = numbers.split()
        x, y = (values[0], y) if command == "H" else (x, values[0]) if command == "V" else values
        corners.append((command == "M", x, y))
    return corners


@given(st.lists(st.tuples(st.sampled_from("ML"), st.integers(0, 3), st.integers(0, 3)), min_size=1))
def test_straight_lines_lead_to_the_same_corners(steps):
    """However lines are said, they visit the same corners in the same order."""
    path = "".join(f"{'M' if i == 0 else command}{x} {y}" for i, (command, x, y) in enumerate(steps))
    assert visited(straighten(path)) == visited(path)
    assert len(straighten(path)) <= len(path)


def test_a_line_after_a_curve_starts_at_the_end_of_the_curve():
    """The last point of a curve is where the next line begins."""
    assert straighten("M0 0C1 1 2 2 3 3L3 5L4 5z") == "M0 0C1 1 2 2 3 3V5H4z"


def test_dots_share_one_path_of_the_same_places_width_and_colour():
    """Every place is there once, as wide as the circle with its edge, and the outline goes."""
    root = picture([(1, 2), (3, 4.5), (5, 6), (7, 8), (3, 4.5)])
    join_dots(root)
    (group,) = root
    (path,) = group
    assert path.get("d") == "M1 2h0M3 4.5h0M5 6h0M7 8h0"
    assert path.get("style") == "fill:none;stroke:var(--blue);stroke-width:4;stroke-linecap:round"
    assert group.attrib == {"clip-path": "url(#f-1)"}


@pytest.mark.parametrize(
    "kept",
    [
        picture([(1, 2)] * 4),
        picture([(i, 2) for i in range(9)], style="fill:var(--paper);stroke:var(--blue)"),
        picture([(i, 2) for i in range(9)], outline="M0 -1.5L-1.5 1.5L1.5 1.5z"),
    ],
    ids=["few", "hollow", "triangles"],
)
def test_other_marks_stay_as_they_are(kept):
    """Few marks, hollow ones and other shapes are left alone."""
    before = ET.tostring(kept)
    join_dots(kept)
    assert ET.tostring(kept) == before
