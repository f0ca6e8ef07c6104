"""Zones: the offsets of every time zone, from the system or the tzdata package, with rules beyond the last change."""

import bisect
import importlib.resources
import random
import zoneinfo
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from schedlog_analysis._core.zones import LAST_YEAR, _extend, _parse_tzif, _tidy, load_zone
from schedlog_analysis.cron.cron import Cron
from schedlog_analysis.errors import CronError

DAY = 86_400


def _seconds(*args, zone="UTC", fold=0):
    return int(datetime(*args, tzinfo=zoneinfo.ZoneInfo(zone), fold=fold).timestamp())


def test_every_zone_agrees_with_zoneinfo():
    """Offsets are those of the standard library, in every zone, on both sides of its changes and in between."""
    rng = random.Random(3)
    for name in sorted(zoneinfo.available_timezones()):
        ours, theirs = load_zone(name), zoneinfo.ZoneInfo(name)
        changes = [at + shift for at in ours.changes for shift in (-1, 0)]
        anywhere = [rng.randrange(_seconds(LAST_YEAR, 12, 31)) for _ in range(5)]
        for at in [*rng.sample(changes, min(10, len(changes))), *anywhere]:
            expected = datetime.fromtimestamp(at, theirs).utcoffset().total_seconds()
            assert ours.offsets[bisect.bisect_right(ours.changes, at)] == expected, (name, at)


@pytest.mark.parametrize("name", ["UTC", "Europe/Prague", "Australia/Lord_Howe", "Asia/Kathmandu", "America/St_Johns"])
def test_local_time_is_that_of_pandas(name):
    """On both sides of each change of a century's first half, in any order."""
    zone = load_zone(name)
    at = [1000 * change + shift for change in zone.changes if 946684800 < change < 2**31 for shift in (-1, 0, 1)]
    moments = np.random.default_rng(1).permutation(np.array([1772323200000, *at], dtype=np.int64))
    expected = pd.to_datetime(moments, unit="ms", utc=True).tz_convert(name).tz_localize(None)
    assert zone.local_ms(moments).tolist() == (expected.as_unit("ms").astype("int64")).tolist()
    assert zone.local_ms(moments[:0]).tolist() == []


def test_no_time_zone_database_but_the_package(run_python):
    """Where the system has no time zones, those of the tzdata package serve, and follow the same rules."""
    code = (
        "import zoneinfo; zoneinfo.reset_tzpath([])\n"
        "from schedlog_analysis.cron.cron import Cron\n"
        "print(Cron('0 12 * * *', 'Europe/Prague').next('2040-07-01T00:00Z')[0].isoformat())\n"
    )
    assert run_python(code) == "2040-07-01T10:00:00+00:00"


def test_short_and_long_zone_files_say_the_same():
    """The package's files end with the last change of the rules, the system's go on: both give the same ticks."""
    path = Path("/usr/share/zoneinfo/Europe/Prague")
    if not path.exists():
        pytest.skip("the system has no time zones")
    packaged = importlib.resources.files("tzdata").joinpath("zoneinfo", "Europe", "Prague").read_bytes()

    def read(data):
        return _tidy(*_extend(*_parse_tzif(data)))

    assert read(packaged) == read(path.read_bytes())


@pytest.mark.parametrize(
    "footer", ["EST5EDT,M3.2.0,M11.1.0", "<+1030>-10:30<+11>-11,M10.1.0,M4.1.0", "XXX3YYY,J60/0,J300/-1"]
)
def test_rules_of_posix(footer):
    """A rule of any shape gives the changes that zoneinfo gives."""
    from zoneinfo._zoneinfo import _parse_tz_str  # noqa: PLC0415 - no public way to build a zone from a rule

    theirs = _parse_tz_str(footer)
    changes, offsets = _extend(np.empty(0, np.int64), np.array([0]), footer)
    for year in (1971, 2023, 2024, 2100, 2101, 2196):
        for local in theirs.transitions(year):
            begin = datetime(year, 1, 1, tzinfo=UTC).timestamp()
            here = changes[(changes > begin - DAY) & (changes < begin + 367 * DAY)]
            wall = {int(at) + int(offsets[np.flatnonzero(changes == at)[0]]) for at in here}
            assert int(local) in wall, (year, local)


def test_days_of_the_year_count_from_zero_with_the_leap_day():
    """The rule that no zone has today: a plain number counts from 0 and counts 29 February."""
    changes, _ = _extend(np.empty(0, np.int64), np.array([0]), "XXX0YYY,60/0,365/0")
    assert _seconds(2023, 3, 2) in changes
    assert _seconds(2024, 3, 1) in changes
    assert _seconds(2024, 12, 31) - 3600 in changes


@pytest.mark.parametrize(
    "tz", ["", "../../etc/passwd", "/etc/passwd", "Mars/Base", "Europe", "Europe/Prague\0", "é", "A" * 9999]
)
def test_hostile_zone(tz):
    """A name that is no zone, or that leaves the database's folder, is refused by name."""
    with pytest.raises(CronError, match="no time zone"):
        Cron("* * * * *", tz)
