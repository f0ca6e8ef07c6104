"""Names: what people call a schedule, the same everywhere, and never two alike."""

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from schedlog_analysis import Report
from schedlog_analysis._core.names import LEAST, LONGEST, SHORT, cut_name, name_schedules
from schedlog_analysis._core.words import clean
from schedlog_analysis.report.pictures import STYLE, draw_svg
from schedlog_analysis.report.sections import sections

TITLES = st.one_of(
    st.none(), st.text("aB \u202e🚀", max_size=4), st.text(max_size=100), st.sampled_from(["x", "x (a)"])
)


def table(rows):
    """Definitions with nothing but what names are made of."""
    columns = ["schedule_id", "name", "title"]
    return pd.DataFrame(rows, columns=columns, dtype="object").astype("str").where(lambda each: each != "None")


@given(
    st.dictionaries(st.text("abé/ \n", min_size=1, max_size=4), st.tuples(TITLES, TITLES), max_size=6),
    st.integers(SHORT, LONGEST),
)
def test_no_two_schedules_have_one_name(schedules, limit):
    """Whatever their titles are, every schedule has a name of its own: harmless, not too long, in any order."""
    definitions = table([(schedule_id, *both) for schedule_id, both in schedules.items()])
    names = name_schedules(definitions, limit=limit)
    assert set(names) == set(schedules)
    assert len(set(names.values())) == len(names)
    for schedule_id, name in names.items():
        assert len(name) <= limit + len(schedule_id) + LEAST
        assert clean(name) == name or name == schedule_id
    assert name_schedules(definitions.iloc[::-1], limit=limit) == names


def test_the_newest_title_counts_then_the_name_then_the_id():
    """A title of nothing that can be seen is none; a schedule without a definition is called by its id."""
    versions = table([("a", "old", "Old"), ("a", "new", "New"), ("b", "named", "\u202e "), ("c", None, None)])
    versions["modified_at"] = pd.to_datetime(["2026-01-02", "2026-01-03", "2026-01-01", "2026-01-01"], utc=True)
    expected = {"a": "New", "b": "named", "c": "c", "d": "d"}
    assert name_schedules(versions.iloc[::-1], ["d", "a"]) == expected
    assert name_schedules(None, ["d"]) == {"d": "d"}
    assert name_schedules(None) == {}


def test_names_are_told_apart_after_they_are_cut():
    """Two that differ in their middles would look alike in a picture, and a font may lack what tells them apart."""
    start, end = "Prices of everything in ", " from all of our suppliers"
    long = table([("a", f"{start}Prague{end}", None), ("b", f"{start}Vienna{end}", None)])
    assert set(name_schedules(long).values()) == set(long["name"])
    assert name_schedules(long, limit=SHORT) == {"a": f"{cut_name(start + 'Prague' + end, 26)} (a)",
                                                 "b": f"{cut_name(start + 'Vienna' + end, 26)} (b)"}  # fmt: skip
    letters = table([("a", "🚀 x", None), ("b", "🎉 x", None), ("c", "🚀", None)])
    shown = name_schedules(letters, readable=lambda text: "".join(filter(str.isascii, text)).strip())
    assert shown == {"a": "x (a)", "b": "x (b)", "c": "c"}


def test_a_picture_calls_a_schedule_what_the_table_calls_it(make_log, make_schedules):
    """A title is redacted in the picture too, and equal titles are told apart there too."""
    titled, mailed = {"title": "Prices"}, {"title": "Ask ada@example.com"}
    log = make_log(
        *((one, f"2026-01-01T0{hour}:00:00.3Z", "INFO", "Schedule invoked") for one in "abc" for hour in (0, 3))
    )
    schedules = make_schedules(("a", "0 * * * *", titled), ("b", "0 * * * *", titled), ("c", "0 * * * *", mailed))
    report = Report.build(log, schedules)
    names = {row["name"] for row in report.facts["schedules"]}
    assert names == {"Prices (a)", "Prices (b)", "Ask <e-mail>"}
    for section in sections(report.facts):
        for block in section.blocks:
            if getattr(block, "id", "") in ("timeline", "incidents", "lateness"):
                svg = draw_svg(report.facts, report.analysis, block, "f")
                shown = [name for name in names if f">{name.replace('<', '&lt;').replace('>', '&gt;')}<" in svg]
                assert len(shown) == 3 or block.id == "incidents", block.id
                assert "ada@example.com" not in svg
    assert STYLE["svg.fonttype"] == "none"  # else no letter would be found in the picture
