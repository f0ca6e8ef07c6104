"""Draw every plot of the package from the sample, for the README's gallery: `python docs/gallery.py`."""

import io
from pathlib import Path

from matplotlib.axes import Axes
from PIL import Image

from schedlog_analysis import (
    burn_down,
    cadence,
    cluster_trend,
    error_rate,
    failure_clusters,
    funnel,
    incidents,
    intervals,
    invocations,
    join_runs,
    load_sample,
    plot,
    ticks,
)

FOLDER = Path(__file__).parent / "plots"
TZ = "Europe/Prague"


def pictures() -> dict[str, Axes]:
    """Draw each plot, by name."""
    sample = load_sample()
    told = invocations(sample.log, sample.schedules)
    due = ticks(told, sample.schedules, runs=sample.runs)
    rhythm, names = cadence(due, sample.schedules), {"schedules": sample.schedules}
    clusters = failure_clusters(told)
    daily, own = error_rate(due, freq="D", tz=TZ), error_rate(due, by="schedule_id")
    shop = sample.schedules.loc[sample.schedules["name"] == "stock-levels", "schedule_id"].item()
    one = due[due["schedule_id"] == shop]
    return {
        "fleet": plot.fleet(rhythm, rates=own, **names),
        "ticks": plot.ticks(due, tz=TZ, **names),
        "incidents": plot.incidents(incidents(due, told), tz=TZ, **names),
        "clusters": plot.clusters(clusters, trend=cluster_trend(told, "D", TZ), tz=TZ, max_rows=10),
        "causes": plot.causes(clusters),
        "error_rate": plot.error_rate(daily, tz=TZ),
        "calendar": plot.calendar(daily, tz=TZ),
        "hour_weekday": plot.hour_weekday(error_rate(due, by=["weekday", "hour"], tz=TZ), tz=TZ),
        "cadence": plot.cadence(rhythm, **names),
        "delay": plot.delay(one, cadence=rhythm, tz=TZ),
        "intervals": plot.intervals(intervals(one)),
        "funnel": plot.funnel(funnel(due, join_runs(told, sample.runs, sample.schedules))),
        "burn_down": plot.burn_down(burn_down(due, 0.95, tz=TZ), tz=TZ),
    }


def main() -> None:
    """Write each picture as a small PNG."""
    FOLDER.mkdir(exist_ok=True)
    for name, ax in pictures().items():
        drawn = io.BytesIO()
        ax.figure.savefig(drawn, format="png", dpi=100, facecolor="white", bbox_inches="tight")
        few = Image.open(drawn).convert("RGB").quantize(64, dither=Image.Dither.NONE)
        few.save(FOLDER / f"{name}.png", optimize=True)


if __name__ == "__main__":
    main()
