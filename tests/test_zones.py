"""Zones: the offsets of every time zone, from the system or the tzdata package, with rules beyond the last change."""

import zoneinfo
from datetime import datetime, timedelta
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from schedlog_analysis._core.zones import LAST_YEAR, load_zone
from schedlog_analysis.cron.cron import Cron
from schedlog_analysis.errors import CronError

SECOND = timedelta(seconds=1)
EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - instants in UTC
MONTHS = [datetime(2000, 1, 1) + n * timedelta(days=30) for n in range(101 * 365 // 30)]  # noqa: DTZ001


def _offsets(zone, instants):
    """Ask zoneinfo for the offsets at instants in UTC [s]."""
    local = [zone.fromutc(at.replace(tzinfo=zone)).replace(tzinfo=None) for at in instants]
    return [(there - at) // SECOND for there, at in zip(local, instants, strict=True)]


def test_every_zone_agrees_with_zoneinfo():
    """Offsets from 2000 to 2100 are those of the standard library, on both sides of each change and in between."""
    for name in sorted(zoneinfo.available_timezones()):
        ours, theirs = load_zone(name), zoneinfo.ZoneInfo(name)
        changes = [EPOCH + at * SECOND for at in ours.changes if MONTHS[0] <= EPOCH + at * SECOND < MONTHS[-1]]
        instants = sorted([*changes, *(at - SECOND for at in changes), *MONTHS])
        at = [(instant - EPOCH) // SECOND for instant in instants]
        expected = _offsets(theirs, instants)
        found = np.array(ours.offsets)[np.searchsorted(ours.changes, at, side="right")]
        assert found.tolist() == expected, name


def test_every_change_is_one():
    """Successive offsets differ, and changes ascend and reach the last year where a rule goes on for ever."""
    for name in sorted(zoneinfo.available_timezones()):
        zone = load_zone(name)
        assert len(zone.offsets) == len(zone.changes) + 1
        assert all(before != after for before, after in pairwise(zone.offsets)), name
        assert all(before < after for before, after in pairwise(zone.changes)), name
    assert EPOCH + load_zone("Europe/Prague").changes[-1] * SECOND == datetime(LAST_YEAR, 10, 27, 1)  # noqa: DTZ001


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("Africa/Casablanca", ["2025-02-23 02:00", "2025-04-06 02:00"]),  # the fasting month, from a table
        ("Europe/Dublin", ["2025-03-30 01:00", "2025-10-26 01:00"]),
        ("America/Nuuk", ["2025-03-30 01:00", "2025-10-26 01:00"]),
        ("Australia/Lord_Howe", ["2025-04-05 15:00", "2025-10-04 15:30"]),
    ],
)
def test_changes_of_a_year(name, changes):
    """The changes of 2025, as the zones' own files list them."""
    found = [EPOCH + at * SECOND for at in load_zone(name).changes]
    assert [f"{at:%Y-%m-%d %H:%M}" for at in found if at.year == 2025] == changes


@pytest.mark.parametrize("name", ["UTC", "Europe/Prague", "Australia/Lord_Howe", "Asia/Kathmandu", "America/St_Johns"])
def test_local_time_is_that_of_pandas(name):
    """On both sides of each change of a century's first half, in any order."""
    zone = load_zone(name)
    at = [1000 * change + shift for change in zone.changes if 946684800 < change < 2**31 for shift in (-1, 0, 1)]
    instants = np.random.default_rng(1).permutation(np.array([1772323200000, *at], dtype=np.int64))
    expected = pd.to_datetime(instants, unit="ms", utc=True).tz_convert(name).tz_localize(None)
    assert zone.local_ms(instants).tolist() == (expected.as_unit("ms").astype("int64")).tolist()
    assert zone.local_ms(instants[:0]).tolist() == []


def test_no_time_zone_database_but_the_package(run_python):
    """Where the system has no time zones, those of the tzdata package serve, and follow the same rules."""
    code = (
        "import zoneinfo; zoneinfo.reset_tzpath([])\n"
        "from schedlog_analysis.cron.cron import Cron\n"
        "print(Cron('0 12 * * *', 'Europe/Prague').next('2040-07-01T00:00Z')[0].isoformat())\n"
    )
    assert run_python(code) == "2040-07-01T10:00:00+00:00"


@pytest.mark.parametrize(
    "tz", ["", "../../etc/passwd", "/etc/passwd", "Mars/Base", "Europe", "Europe/Prague\0", "é", "A" * 9999]
)
def test_hostile_zone(tz):
    """A name that is no zone, or that leaves the database's folder, is refused by name."""
    with pytest.raises(CronError, match="no time zone"):
        Cron("* * * * *", tz)
