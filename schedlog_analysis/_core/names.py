"""
A name is what people call a schedule: its title, else its name, else its id.

Names are redacted, cleaned, cut and told apart here and nowhere else, so that a schedule has the same one in a table, a
picture, a mail and a terminal.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

import pandas as pd

from schedlog_analysis._core.words import clean

LONGEST = 80  # of a name in a table [characters]
SHORT = 30  # of a name where room is scarce: in a picture, a subject, a sentence [characters]
LEAST = 6  # what is left of a name at least when its id stands behind it [characters]


def name_schedules(
    schedules: pd.DataFrame | None,
    schedule_ids: Iterable[Any] = (),
    *,
    limit: int = LONGEST,
    readable: Callable[[str], str] = str,
) -> dict[str, str]:
    """
    Give each schedule a name of its own.

    Parameters
    ----------
    schedules
        Definitions, see `schema.Schedules`; of several versions the newest counts. Columns that it lacks say nothing.
    schedule_ids
        Further schedules, of which there may be no definition.
    limit
        Longest name; what is longer is cut in the middle. [characters]
    readable
        What of a name can be shown, for a font that lacks letters; where that is nothing, the next best name is taken.

    Returns
    -------
    names
        One name per id, no two alike: where two would be, the ids stand behind. Empty without schedules.

    Examples
    --------
    >>> table = pd.DataFrame({"schedule_id": ["a", "b", "c"], "name": ["x", "y", "z"], "title": ["Prices", "Prices", None]})
    >>> name_schedules(table, ["d"])
    {'a': 'Prices (a)', 'b': 'Prices (b)', 'c': 'z', 'd': 'd'}
    """  # noqa: E501 - a table in one line
    candidates: dict[str, tuple[str, ...]] = {str(schedule_id): (str(schedule_id),) for schedule_id in schedule_ids}
    candidates |= {} if schedules is None else _list_candidates(schedules)
    return _tell_apart({each: _choose(each, candidates[each], readable) for each in sorted(candidates)}, limit)


def cut_name(name: str, limit: int) -> str:
    """
    Cut a name in the middle, because names of one family differ at their ends.

    Examples
    --------
    >>> cut_name("a very long name of a schedule, number 17", 20)
    'a very lon…number 17'
    """
    if len(name) <= limit:
        return name
    tail = (limit - 1) // 2
    return f"{name[: limit - 1 - tail].rstrip()}…{name[len(name) - tail :].lstrip()}"


def _list_candidates(schedules: pd.DataFrame) -> dict[str, tuple[str, ...]]:
    """List what each schedule may be called, the best first."""
    table = schedules.sort_values("modified_at", na_position="first") if "modified_at" in schedules else schedules
    columns = [table[column].astype("str").fillna("") for column in ("title", "name", "schedule_id") if column in table]
    return {row[-1]: row for row in zip(*columns, strict=True)}


def _choose(schedule_id: str, candidates: tuple[str, ...], readable: Callable[[str], str]) -> str:
    shown = (readable(clean(text)) for text in candidates if text)
    return next(filter(None, shown), schedule_id)


def _tell_apart(names: dict[str, str], limit: int) -> dict[str, str]:
    """Cut the names, and put the ids, or else numbers, behind those that look alike then."""
    shown = {each: cut_name(name, limit) for each, name in names.items()}
    for each in _find_alike(shown):
        behind = f" ({clean(each)})"
        shown[each] = cut_name(names[each], max(limit - len(behind), LEAST)) + behind
    for number, each in enumerate(_find_alike(shown), start=1):
        shown[each] = f"{shown[each]} #{number}"
    return shown


def _find_alike(shown: dict[str, str]) -> list[str]:
    looks = {each: unicodedata.normalize("NFKC", name) for each, name in shown.items()}
    n = Counter(looks.values())
    return [each for each, look in looks.items() if n[look] > 1]
