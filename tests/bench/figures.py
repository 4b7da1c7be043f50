"""figures: medians, spreads and how sure they are."""
import random
import statistics

RESAMPLES = 1000


def median(values):
    return statistics.median(values)


def quartiles(values):
    """The middle half of the values."""
    if len(values) < 2:
        return (values[0], values[0])
    cut = statistics.quantiles(values, n=4, method="inclusive")
    return (cut[0], cut[2])


def interval(values):
    """95 % of the medians of samples drawn from the values, with replacement, are between these two (bootstrap)."""
    draw = random.Random(20480)  # the same figures give the same interval
    medians = sorted(statistics.median(draw.choices(values, k=len(values))) for _ in range(RESAMPLES))
    return (medians[round(RESAMPLES * 0.025)], medians[round(RESAMPLES * 0.975) - 1])


def summary(values):
    low, high = interval(values)
    q1, q3 = quartiles(values)
    return {"median": median(values), "low": low, "high": high, "q1": q1, "q3": q3, "rounds": len(values)}


def verdict(measured, limit, at_least):
    """Is the median on the right side of the limit, or can it not be told from the limit?"""
    met = measured["median"] >= limit if at_least else measured["median"] <= limit
    if met:
        return "met"
    near = measured["high"] >= limit if at_least else measured["low"] <= limit
    return "not told from the limit" if near else "NOT MET"


def rate(value):
    """A number of things a second, in three digits or all."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def ratio(value):
    return f"{value:.3f}"


def span(measured, text=ratio):
    return f"{text(measured['low'])} to {text(measured['high'])}"
