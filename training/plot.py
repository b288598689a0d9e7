"""A run's log as a picture: one line a loss, over pictures of training."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure

_SMOOTHING = 20  # points of the log that one point of the plot is the mean of


class NoLog(ValueError):
    """The run has written no log yet."""


def plot_log(run: Path, out: Path) -> None:
    """Draw `run`/log.jsonl into the picture `out`; the ending chooses the format.

    Raises:
        NoLog: there is no log, or no line in it.
    """
    path = run / "log.jsonl"
    rows = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    if not rows:
        raise NoLog(f"{path} has no line yet; wanted one each fifty steps")
    losses = sorted({name for row in rows for name in row} - {"step", "hours"})
    with mpl.rc_context({"font.size": 9, "axes.spines.top": False, "axes.spines.right": False}):
        figure = Figure(figsize=(9, 2 * len(losses)), layout="constrained")
        axes = figure.subplots(len(losses), 1, sharex=True, squeeze=False)[:, 0]
        for axis, name in zip(axes, losses, strict=True):
            steps = [row["step"] for row in rows if name in row]
            values = [row[name] for row in rows if name in row]
            axis.plot(steps, values, color="0.8", linewidth=0.8)
            axis.plot(steps, _smooth(values), color="C0")
            axis.set_ylabel(name)
        axes[-1].set_xlabel(_label(rows))
        figure.savefig(out, dpi=120)


def _label(rows: Sequence[Mapping[str, float]]) -> str:
    return f"optimiser steps ({rows[-1]['hours']:.1f} hours)"


def _smooth(values: Sequence[float]) -> list[float]:
    """Mean of each value and those just before it."""
    windows = (values[max(0, i - _SMOOTHING + 1) : i + 1] for i in range(len(values)))
    return [sum(window) / len(window) for window in windows]
