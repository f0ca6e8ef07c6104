"""An answer is what the API showed of one log at one time; answers that overlap are united, never laid end to end."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa

from schedlog_analysis._core.arrays import changes, encode
from schedlog_analysis._core.instants import to_ms
from schedlog_analysis.schema import Log
from schedlog_analysis.sources.archive.merge import number, union
from schedlog_analysis.sources.archive.parts import LOG, to_arrow, to_frame
from schedlog_analysis.sources.parse import sort_log


def unite_logs(*logs: pd.DataFrame) -> pd.DataFrame:
    """
    Unite Logs that may show the same entries, as an archive does.

    ``pd.concat`` would count what two answers both show twice: every failure in the overlap becomes two, and the ticks
    get duplicates that never were. ``drop_duplicates`` would go too far the other way: three equal errors within one
    millisecond are three entries. An entry is itself and its number among its equals in one answer; of each entry the
    union keeps as many as the answer shows that shows most of them.

    Parameters
    ----------
    logs
        Logs of any schedules, each one answer, or answers that were united already. A concatenation is not told from
        one answer, see `has_duplicate_answers`.

    Returns
    -------
    log
        Sorted by schedule and time; empty if there are no entries.

    Raises
    ------
    SchemaError
        If one of them is no Log.

    Examples
    --------
    >>> from schedlog_analysis import read_log
    >>> entry = {"message": "…", "level": "ERROR"}
    >>> entries = [entry | {"createdAt": f"2026-01-01T0{hour}:00:00Z"} for hour in (1, 1, 2, 3)]
    >>> earlier, later = read_log(entries[:3], "a"), read_log(entries[2:], "a")
    >>> len(pd.concat([earlier, later])), len(unite_logs(earlier, later))
    (5, 4)
    """
    rows = [to_arrow(number(sort_log(Log.accept(log))), LOG) for log in logs]
    return to_frame(union(pa.concat_tables(rows).unify_dictionaries(), LOG.key), LOG) if rows else Log.empty()


def has_duplicate_answers(log: pd.DataFrame) -> bool:
    """
    Tell whether a Log looks like overlapping answers laid end to end.

    Where two answers overlap, every entry of a whole stretch stands there twice. So this says yes where some schedule
    has two instants in a row all of whose entries are repeated. It cannot know more: an overlap of a single instant
    looks like entries that truly repeat, and a schedule that logs everything twice looks like an overlap.

    Parameters
    ----------
    log
        Log of any number of schedules, in any order.

    Returns
    -------
    is_likely
        Whether to read the answers one by one and `unite_logs`; False if the log is empty.

    Examples
    --------
    >>> from schedlog_analysis import load_sample
    >>> log = load_sample().log
    >>> has_duplicate_answers(log), has_duplicate_answers(pd.concat([log, log.tail(100)]))
    (False, True)
    """
    log = sort_log(Log.accept(log))
    if len(log) == 0:
        return False
    schedule, _ = encode(log["schedule_id"])
    begins = changes(schedule, to_ms(log["created_at"]))
    if begins.sum() > len(log) - 2:  # two instants must have two entries each
        return False
    instant = np.cumsum(begins) - 1
    is_shared = np.bincount(instant)[instant] > 1  # only these need a look at their texts
    shared = log.loc[is_shared, ["level", "message"]].assign(instant=instant[is_shared])
    is_repeated = np.bincount(instant) > 1
    is_repeated[shared.loc[~shared.duplicated(keep=False), "instant"]] = False
    of_schedule = schedule[begins]
    in_a_row = is_repeated[1:] & is_repeated[:-1] & (of_schedule[1:] == of_schedule[:-1])
    return bool(in_a_row.any())
