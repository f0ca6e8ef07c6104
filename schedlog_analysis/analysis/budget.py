"""An error budget is what may fail without breaking an objective; here it is followed while it is spent."""

from __future__ import annotations

import numpy as np
import pandas as pd

from schedlog_analysis._core.groups import By, group, key_names
from schedlog_analysis._core.instants import InstantLike
from schedlog_analysis.analysis.rates import error_rate
from schedlog_analysis.errors import ConfigError
from schedlog_analysis.matching.policy import AccountingPolicy
from schedlog_analysis.schema import BurnDown


def burn_down(
    ticks: pd.DataFrame,
    objective: float,
    freq: str = "D",
    by: By = None,
    *,
    tz: str = "UTC",
    policy: AccountingPolicy | None = None,
    start: InstantLike | None = None,
    end: InstantLike | None = None,
) -> pd.DataFrame:
    """
    Follow what is left of the error budget from window to window.

    Parameters
    ----------
    ticks, objective, by, tz, policy
        As of `slo.slo`. The budget is that of all ticks from `start` to `end`.
    freq
        Calendar window of the steps.
    start, end
        Half-open stretch; by default each group's first and last window.

    Returns
    -------
    burn_down
        One row per group and window: the columns of `by`, then `schema.BurnDown`. Empty if nothing happened.

    Examples
    --------
    >>> from schedlog_analysis.schema import Ticks
    >>> burn_down(Ticks.empty(), 0.99)["budget_left"].tolist()
    []
    """
    rates = error_rate(ticks, freq, by, tz=tz, policy=policy, start=start, end=end)
    return burn_down_of(rates, objective, by)


def burn_down_of(rates: pd.DataFrame, objective: float, by: By = None) -> pd.DataFrame:
    """
    Follow what is left of the error budget through error rates that are known already.

    Parameters
    ----------
    rates
        What `error_rate` gives with a `freq`.
    objective, by
        As of `burn_down`.

    Returns
    -------
    burn_down
        As of `burn_down`.
    """
    groups = group(rates, by)
    n, n_failed = rates["n"].to_numpy(), rates["n_failed"].to_numpy()
    budget = (1 - require_objective(objective)) * np.bincount(groups.of_row, n, groups.n)
    frame = pd.DataFrame({"group": groups.of_row, "n": n, "n_failed": n_failed})
    so_far = frame.groupby("group").cumsum()
    with np.errstate(invalid="ignore", divide="ignore"):
        left = 1 - so_far["n_failed"].to_numpy() / budget[groups.of_row]
    rates = rates.assign(budget_left=np.where(so_far["n"].to_numpy() > 0, left, np.nan))
    return pd.concat([rates[key_names(by)], BurnDown.cast(rates)], axis=1)


def require_objective(objective: float) -> float:
    """Return an objective that is a share, and refuse all others in one sentence."""
    given: object = objective
    is_number = isinstance(given, int | float | np.floating)
    if not (is_number and 0 < objective < 1):
        is_percent = is_number and 1 < objective < 100  # noqa: PLR2004 - percent
        hint = f"; did you mean {objective / 100:g}?" if is_percent else "."
        raise ConfigError(f"The objective is {objective!r}; expected a share between 0 and 1, both outside{hint}")
    return objective
