"""
A fetch is one walk over the network to the Apify API and back, and it ends in the typed tables of `schema`.

Here is what there is to ask and how long lists are read page by page; what can happen on the way is the matter of
`transport`. The API shows the newest 1000 entries of a schedule and no older ones: what is worth keeping goes into an
archive.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from functools import partial
from multiprocessing.pool import ThreadPool
from typing import TYPE_CHECKING, TypeAlias, TypeVar
from urllib.parse import quote

import numpy as np
import pandas as pd

from schedlog_analysis._core.files import tqdm
from schedlog_analysis._core.instants import instant_ms, to_ms
from schedlog_analysis.errors import InputError, SchedlogError, TransportError, UnauthorizedError
from schedlog_analysis.schema import Log, Schedules
from schedlog_analysis.sources.bodies import find_objects
from schedlog_analysis.sources.fetched import Fetched
from schedlog_analysis.sources.parse import Skipped, parse_log, parse_logs, parse_runs, parse_schedules, sort_log
from schedlog_analysis.sources.transport import CONNECTIONS, Transport, word_clock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from schedlog_analysis._core.instants import InstantLike

T = TypeVar("T")
Params: TypeAlias = "Mapping[str, str | int]"

PAGE = 1000  # the most that the API gives at once


class Client(Transport):
    """
    The Apify API, as far as schedules, their logs and runs go.

    Use it in a `with` block, or `close` it; one client may serve many threads. It refuses to be pickled: pickles end up
    in files, and would take the token there.

    Parameters
    ----------
    token
        API token; None to look for it as `token.find_token` says.
    base_url
        Where the API is; None for the environment variable ``APIFY_API_BASE_URL``, else https://api.apify.com.
    session
        Session of your own, with your proxies, certificates or adapters; it is used as it is and stays yours to close.
    timeout
        How long to wait for a connection, and then for each piece of the answer. [s]
    retries
        How often a request is repeated after 429, 5xx, a failed connection or a broken body.
    backoff
        Pause before the first repetition, up to twice of it by chance; it doubles each time. [s]
    patience
        No repetition begins later than this after the request's first try, whatever the server asks for. [s]
    requests_per_second
        At most so many, over all threads. Apify allows 60 per resource.

    Raises
    ------
    TokenError
        If no door has a token.
    ConfigError
        If `base_url` is no URL of an API, or would send the token unencrypted to another machine.

    Examples
    --------
    >>> with Client("apify_api_example") as client:  # doctest: +SKIP
    ...     log = client.fetch_log("asdLZtadYvn4mBZmm")
    >>> Client("apify_api_example")
    Client(base_url='https://api.apify.com')
    """

    def fetch_log(self, schedule_id: str) -> pd.DataFrame:
        """
        Fetch what the API still has of one schedule's log.

        Parameters
        ----------
        schedule_id
            Id, or ``username~name``; the table says it as you do.

        Returns
        -------
        log
            Entries, see `schema.Log`; empty if the schedule has none.

        Raises
        ------
        InputError
            If `schedule_id` cannot be one.
        ApifyError
            If the API could not be asked (TransportError) or said no (ResponseError and its children).
        """
        return self._get(f"/v2/schedules/{_quoted(schedule_id)}/log", partial(parse_log, schedule_id=schedule_id))

    def fetch_schedule(self, schedule_id: str) -> pd.DataFrame:
        """
        Fetch the definition of one schedule.

        Parameters
        ----------
        schedule_id
            Id, or ``username~name``; the table has the id in both cases.

        Returns
        -------
        schedules
            One row, see `schema.Schedules`.

        Raises
        ------
        InputError
            If `schedule_id` cannot be one.
        ApifyError
            If the API could not be asked or said no.
        """
        return self._get(f"/v2/schedules/{_quoted(schedule_id)}", parse_schedules)

    def fetch_schedules(self, *, skipped: list[Skipped] | None = None) -> pd.DataFrame:
        """
        Fetch the definitions of all schedules of the account.

        Parameters
        ----------
        skipped
            List to which the schedules that cannot be read, or not wholly, are added; None makes the first an error.

        Returns
        -------
        schedules
            See `schema.Schedules`, oldest first; empty if there are none.

        Raises
        ------
        ApifyError
            If the API could not be asked or said no.
        """
        first: Params = {"limit": PAGE, "offset": 0}
        order = ["created_at", "schedule_id"]
        return self._walk("/v2/schedules", parse_schedules, first, _next_half, order, skipped)

    def fetch_runs(
        self, since: InstantLike, until: InstantLike | None = None, *, skipped: list[Skipped] | None = None
    ) -> pd.DataFrame:
        """
        Fetch the runs of the account that started in a period, whatever started them.

        Runs that appear, vanish or end while the pages are read are neither lost nor doubled; each is told as it was
        when last seen.

        Parameters
        ----------
        since
            Begin of the period, with an offset. [instant]
        until
            End of the period, itself outside; None for no end. [instant]
        skipped
            List to which the runs that cannot be read, or not wholly, are added; None makes the first an error.

        Returns
        -------
        runs
            See `schema.Runs`, oldest first; empty if there are none.

        Raises
        ------
        InputError
            If an instant cannot be read or has no offset, or the period is empty.
        ApifyError
            If the API could not be asked or said no.
        """
        start, end = instant_ms(since, "since"), None if until is None else instant_ms(until, "until")
        first: dict[str, str | int] = {"limit": PAGE, "offset": 0, "startedAfter": _iso(start)}
        if end is not None:
            if end <= start:
                raise InputError(f"`until` ({until}) is not after `since` ({since}); expected a period.")
            first["startedBefore"] = _iso(end - 1)  # the API includes both bounds
        return self._walk("/v2/actor-runs", parse_runs, first, _next_runs, ["started_at", "run_id"], skipped)

    def fetch_logs(self, schedule_ids: Iterable[str] | None = None) -> Fetched:
        """
        Fetch the logs of many schedules at once; one that fails does not cost the others.

        Parameters
        ----------
        schedule_ids
            Ids, or ``username~name``; None for all schedules of the account.

        Returns
        -------
        fetched
            Logs, definitions, and which schedules failed and why, see `Fetched`.

        Raises
        ------
        UnauthorizedError
            If the token is not valid: then it is for none of them.
        ApifyError
            If `schedule_ids` is None and the account's schedules could not be listed.
        """
        began = pd.Timestamp.now("UTC").floor("ms").as_unit("ms")
        skipped: list[Skipped] = []
        if schedule_ids is None:
            schedules, absent = self.fetch_schedules(skipped=skipped), dict[str, SchedlogError]()
        else:
            schedules, absent = self._definitions(schedule_ids, skipped)
        # What a schedule's log says is lost for good in a while, whatever is odd about its definition.
        undefined = {each.id for each in skipped} - {"", *schedules["schedule_id"]}
        ids = [*schedules["schedule_id"], *sorted(undefined)]
        bodies, refused = self._each(self._fetch_body, ids, "logs")
        log, unreadable = self._parsed(bodies, skipped)
        n_entries = _count_entries(bodies.keys() - unreadable.keys(), log, skipped)
        # An answer of odd entries only would pass for an empty one, and that for "nothing happened".
        odd = {each.schedule_id: each for each in skipped if each.kind == "entry"}
        blank = odd.keys() - set(log["schedule_id"])
        unreadable |= {name: TransportError(f"Nothing of its log can be read: {odd[name]}") for name in sorted(blank)}
        fetched_at = self.correct(began)
        return Fetched(
            log=log,
            schedules=schedules,
            n_entries=_ordered({name: n for name, n in n_entries.items() if name not in unreadable}, ids),
            failures=absent | refused | unreadable,
            fetched_at=fetched_at,
            skipped=tuple(each for each in skipped if each.kind != "entry" or each.schedule_id not in blank),
            clock=word_clock(began - fetched_at),
        )

    def _definitions(
        self, schedule_ids: Iterable[str], skipped: list[Skipped]
    ) -> tuple[pd.DataFrame, dict[str, SchedlogError]]:
        def fetch(schedule_id: str) -> pd.DataFrame:
            path = f"/v2/schedules/{_quoted(schedule_id)}"
            return self._get(path, partial(self._read_whole, parse=parse_schedules, skipped=skipped))

        wanted = [schedule_ids] if isinstance(schedule_ids, str) else schedule_ids
        found, failed = self._each(fetch, list(dict.fromkeys(wanted)), "schedules")
        schedules = pd.concat([Schedules.empty(), *found.values()], ignore_index=True)
        # Once each: an id and a username~name may mean the same schedule.
        return schedules.drop_duplicates("schedule_id", ignore_index=True), failed

    def _fetch_body(self, schedule_id: str) -> bytes:
        return self._get(f"/v2/schedules/{_quoted(schedule_id)}/log", _whole)

    def _parsed(
        self, bodies: dict[str, bytes], skipped: list[Skipped]
    ) -> tuple[pd.DataFrame, dict[str, SchedlogError]]:
        """Read all answers at once, which is several times faster, or one by one if one of them is broken."""

        def read(schedule_id: str) -> pd.DataFrame:
            parse = partial(self._read_whole, parse=partial(parse_log, schedule_id=schedule_id), skipped=skipped)
            try:
                return parse(bodies[schedule_id])
            except InputError:  # asked again, it may not break off; if it does, that says what is wrong
                return self._get(f"/v2/schedules/{_quoted(schedule_id)}/log", parse)

        found: list[Skipped] = []
        try:
            log = parse_logs(bodies, skipped=found)
        except InputError:
            logs, failures = self._each(read, list(bodies), "logs")
            return sort_log(pd.concat([Log.empty(), *logs.values()], ignore_index=True)), failures
        skipped += [self._redact(each, bodies.get(each.schedule_id, b"")) for each in found]
        return log, {}

    def _read_whole(
        self, body: bytes, parse: Callable[..., pd.DataFrame], skipped: list[Skipped] | None
    ) -> pd.DataFrame:
        """Read one answer; what is odd in it goes to the list, where there is one."""
        if skipped is None:
            return parse(body)
        found: list[Skipped] = []
        table = parse(body, skipped=found)
        known = {(each.kind, each.id) for each in skipped if each.id}
        found = [each for each in found if (each.kind, each.id) not in known]  # pages overlap
        skipped += [self._redact(each, body) for each in found]
        return table

    def _redact(self, each: Skipped, body: bytes) -> Skipped:
        return replace(each, sentence=self.without_token(each.sentence, body))

    def _each(
        self, fetch: Callable[[str], T], schedule_ids: Sequence[str], what: str
    ) -> tuple[dict[str, T], dict[str, SchedlogError]]:
        """Fetch for each schedule: what came and the errors that came instead, in the order asked for."""
        came: dict[str, T] = {}
        failed: dict[str, SchedlogError] = {}

        def attempt(schedule_id: str) -> None:
            try:
                came[schedule_id] = fetch(schedule_id)
            except UnauthorizedError:
                raise  # one such answer is enough
            except SchedlogError as error:
                failed[schedule_id] = error.with_traceback(None)

        if schedule_ids:
            # This pool's threads are daemons: an interrupt ends the program at once instead of waiting for the network.
            with ThreadPool(min(CONNECTIONS, len(schedule_ids))) as pool:
                done = pool.imap_unordered(attempt, schedule_ids)
                for _ in tqdm(done, what, len(schedule_ids), leave=False, unit="schedule", disable=None, delay=1):
                    pass
        return _ordered(came, schedule_ids), _ordered(failed, schedule_ids)

    def _walk(
        self,
        path: str,
        parse: Callable[..., pd.DataFrame],
        params: Params,
        following: Callable[[pd.DataFrame, int, Params], Params],
        order: list[str],
        skipped: list[Skipped] | None,
    ) -> pd.DataFrame:
        """
        Read a paged list whose items may appear, vanish or change meanwhile.

        Neither totals nor page lengths are trusted: each page overlaps the one before, and the walk ends with a page
        that holds nothing new. `order` names the instant by which the API sorts, then the key.
        """
        key = order[-1]
        pages: list[pd.DataFrame] = []
        seen: set[str] = set()
        with tqdm(desc=path.rpartition("/")[2], leave=False, disable=None, delay=1) as bar:
            while True:
                n_items, page = self._get(path, partial(self._read_page, parse=parse, skipped=skipped), params)
                pages.append(page)
                fresh = set(page[key]) - seen
                if not fresh and (len(page) or not n_items):
                    break
                seen |= fresh
                bar.update(len(fresh))
                params = following(page, n_items, params)
        items = pd.concat(pages, ignore_index=True).drop_duplicates(key, keep="last")
        return items.sort_values(order, ignore_index=True)

    def _read_page(
        self, body: bytes, parse: Callable[..., pd.DataFrame], skipped: list[Skipped] | None
    ) -> tuple[int, pd.DataFrame]:
        """Read a page and count its items, also those that cannot be read."""
        page = self._read_whole(body, parse, skipped)
        return len(find_objects(body, "the page")), page


def fetch_log(schedule_id: str, *, token: str | None = None, base_url: str | None = None) -> pd.DataFrame:
    """Fetch one schedule's log: `Client.fetch_log` for a single call."""
    with Client(token, base_url=base_url) as client:
        return client.fetch_log(schedule_id)


def fetch_schedule(schedule_id: str, *, token: str | None = None, base_url: str | None = None) -> pd.DataFrame:
    """Fetch one schedule's definition: `Client.fetch_schedule` for a single call."""
    with Client(token, base_url=base_url) as client:
        return client.fetch_schedule(schedule_id)


def fetch_schedules(*, token: str | None = None, base_url: str | None = None) -> pd.DataFrame:
    """Fetch the definitions of all schedules: `Client.fetch_schedules` for a single call."""
    with Client(token, base_url=base_url) as client:
        return client.fetch_schedules()


def fetch_logs(
    schedule_ids: Iterable[str] | None = None, *, token: str | None = None, base_url: str | None = None
) -> Fetched:
    """Fetch the logs of many schedules: `Client.fetch_logs` for a single call."""
    with Client(token, base_url=base_url) as client:
        return client.fetch_logs(schedule_ids)


def fetch_runs(
    since: InstantLike, until: InstantLike | None = None, *, token: str | None = None, base_url: str | None = None
) -> pd.DataFrame:
    """Fetch the runs of a period: `Client.fetch_runs` for a single call."""
    with Client(token, base_url=base_url) as client:
        return client.fetch_runs(since, until)


def _quoted(schedule_id: object) -> str:
    """Make one path segment of an id; what would still lead elsewhere, even quoted, is refused."""
    if not isinstance(schedule_id, str) or schedule_id.strip() in {"", ".", ".."}:
        raise InputError(f"{schedule_id!r} is no schedule id; expected one such as asdLZtadYvn4mBZmm or username~name.")
    return quote(schedule_id, safe="~", errors="replace")


def _iso(ms: int) -> str:
    return f"{np.datetime64(ms, 'ms')}Z"


def _next_half(_: pd.DataFrame, n_items: int, params: Params) -> Params:
    """Move on by half a page: as much may vanish before the next request, and still nothing is skipped."""
    return {**params, "offset": int(params["offset"]) + max(1, n_items // 2)}


def _next_runs(page: pd.DataFrame, n_items: int, params: Params) -> Params:
    """Begin the next page with this one's last millisecond: its runs may go on there, and no offset has to hold."""
    started = to_ms(page["started_at"])
    if not len(started):  # a page of odd runs only
        return _next_half(page, n_items, params)
    last = {**params, "startedAfter": _iso(int(started[-1])), "offset": 0}
    if started[0] < started[-1]:
        return last
    in_one_instant = params if last["startedAfter"] == params["startedAfter"] else last
    return _next_half(page, n_items, in_one_instant)


def _count_entries(ids: Iterable[str], log: pd.DataFrame, skipped: list[Skipped]) -> dict[str, int]:
    """Count the entries of each answer, also those that could not be read: by it a full window is known."""
    counts = Counter(log["schedule_id"].value_counts().to_dict())
    counts.update(each.schedule_id for each in skipped if each.kind == "entry")
    return {schedule_id: counts[schedule_id] for schedule_id in ids}


def _ordered(found: dict[str, T], names: Sequence[str]) -> dict[str, T]:
    return {name: found[name] for name in names if name in found}


def _whole(body: bytes) -> bytes:
    """Let the body pass if it has both ends; what is between them is seen when all bodies are read at once."""
    if body.strip()[:1] + body.strip()[-1:] not in {b"{}", b"[]"}:
        raise ValueError("expected an object or an array.")
    return body
