"""A source gives the same tables of an account, from an archive and from the files that the API answered."""

from __future__ import annotations

import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from schedlog_analysis import Archive
from schedlog_analysis.errors import InputError
from schedlog_analysis.sources.account import Source

TABLES = ("log", "schedules", "runs")


@pytest.fixture(scope="module")
def archive(sample, tmp_path_factory):
    """The sample in an archive."""
    archive = Archive(tmp_path_factory.mktemp("archive"))
    ids = [*sample.schedules["schedule_id"], "silent"]
    archive.append(sample.log, pd.Timestamp("2026-11-01T00:00Z"), ids)
    archive.append_runs(sample.runs)
    archive.append_schedules(sample.schedules)
    return archive.location


@pytest.mark.parametrize("only", [(), ("prices-hourly",), ("snt8GCEAZRbXrzNJE", "daily-backup")])
def test_an_archive_and_a_folder_give_the_same_tables(sample, archive, only):
    """Whole, or of some schedules by id or name; what is large comes as categoricals of the same text."""
    kept, files = Source.read(archive, only), Source.read(str(sample.path), only)
    for name in TABLES:
        assert_frame_equal(getattr(kept, name).astype(getattr(files, name).dtypes), getattr(files, name))
    assert set(kept.fetches["schedule_id"]) - {"silent"} == set(files.schedules["schedule_id"])


def test_a_schedule_without_entries_is_known_by_its_fetches(archive):
    """It may be asked for, and has nothing but the fetch."""
    silent = Source.read(archive, ["silent"])
    assert (len(silent.log), len(silent.schedules), len(silent.runs), len(silent.fetches)) == (0, 0, 0, 1)


@pytest.mark.parametrize("kind", ["archive", "folder", "file"])
def test_a_schedule_that_is_not_there_is_told(sample, archive, kind):
    """By the name that was asked for, and where it was looked for."""
    place = {"archive": archive, "folder": str(sample.path), "file": str(next(sample.path.glob("logs/*.json")))}[kind]
    with pytest.raises(InputError, match=f"no schedule 'nobody' in {place}"):
        Source.read(place, ["nobody"])


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("prices-hourly", "prices-hourly"),
        ("Competitor prices, hourly", "prices-hourly"),
        ("competitor", "prices-hourly"),
        ("night", "nightly-crawl"),
    ],
)
def test_a_schedule_is_found_by_what_people_see(sample, archive, given, name):
    """By its title as by its name, and by how either begins, whatever the case; from every kind of source."""
    for place in (archive, str(sample.path)):
        assert set(Source.read(place, [given]).schedules["name"]) == {name}


def test_the_beginning_of_several_names_is_refused(make_log, make_schedules):
    """Nobody guesses which was meant; a whole name is never the beginning of another's."""
    schedules = make_schedules(("a1", "0 * * * *", {"title": "Daily"}), ("a2", "0 * * * *", {"title": "Daily backup"}))
    source = Source("here", make_log(), schedules)
    assert set(source.only(["daily back"]).schedules["schedule_id"]) == {"a2"}
    assert set(source.only(["Daily"]).schedules["schedule_id"]) == {"a1"}
    with pytest.raises(
        InputError, match="'daily' begins the names of 2 schedules in here, such as 'Daily', 'Daily backup'"
    ):
        source.only(["daily"])
    with pytest.raises(InputError, match="no schedule ''"):
        source.only([""])
