"""Writes vectors.json: inputs, and what SciPy makes of them."""

import json
import math
from pathlib import Path

import numpy as np
from scipy import optimize, special, stats

random = np.random.default_rng(20261122)


def listed(values):
    return [float(value) for value in values]


def samples():
    """Pairs of samples: skewed, with ties, of unlike sizes, far apart, apart without any overlap."""
    yield "skewed", np.exp(random.normal(0, 0.5, 40)), np.exp(random.normal(0.2, 0.5, 55))
    yield "very skewed", np.exp(random.normal(0, 1.0, 200)), np.exp(random.normal(0, 1.1, 150))
    yield "ties", random.integers(0, 12, 60).astype(float), random.integers(2, 13, 45).astype(float)
    yield "few", random.normal(0, 1, 6), random.normal(1, 1, 5)
    yield "far", random.normal(0, 1, 80), random.normal(1.2, 1.5, 90)
    yield "bimodal", random.choice([50.0, 200.0], 120) + random.normal(0, 3, 120), random.normal(90, 30, 100)
    yield "apart", random.normal(0, 1, 15), random.normal(50, 1, 12)


def cliffs_delta(a, b):
    """Over all pairs; the interval after Feng & Cliff (2004)."""
    n, m = len(a), len(b)
    pairs = np.sign(np.subtract.outer(a, b))
    delta = pairs.mean()
    rows, columns = pairs.mean(axis=1), pairs.mean(axis=0)
    variance = (
        m**2 * ((rows - delta) ** 2).sum() + n**2 * ((columns - delta) ** 2).sum() - ((pairs - delta) ** 2).sum()
    ) / (n * m * (n - 1) * (m - 1))
    variance = max(variance, (1 - delta**2) / (n * m - 1))
    if abs(delta) == 1:
        z2 = stats.norm.ppf(0.975) ** 2
        least = min(n, m)
        other = (least - z2) / (least + z2)
        return [delta, other, 1.0] if delta > 0 else [delta, -1.0, -other]
    t = stats.t.ppf(0.975, n + m - 2)
    reach = t * math.sqrt(variance) * math.sqrt((1 - delta**2) ** 2 + t**2 * variance)
    below = 1 - delta**2 + t**2 * variance
    ends = [(delta - delta**3 - reach) / below, (delta - delta**3 + reach) / below]
    return listed([delta, max(ends[0], -1), min(ends[1], 1)])


def two_samples():
    for name, a, b in samples():
        u = stats.mannwhitneyu(a, b, method="asymptotic")
        exact = stats.ks_2samp(a, b, method="exact")
        size = len(a) * len(b) / (len(a) + len(b))
        yield {
            "name": name,
            "a": listed(a),
            "b": listed(b),
            "mannwhitneyu_asymptotic": listed([u.statistic, u.pvalue]),
            "ttest_ind_welch_p": float(stats.ttest_ind(a, b, equal_var=False).pvalue),
            "ks_2samp_exact": listed([exact.statistic, exact.pvalue]),
            "kstwobign_sf": float(stats.kstwobign.sf(math.sqrt(size) * exact.statistic)),
            "cliffs_delta": cliffs_delta(a, b),
        }


def large_kolmogorov_smirnov():
    """Beyond the size up to which orders are counted: two samples that a formula makes."""
    a = np.arange(1, 2001) * 37 % 2003
    b = np.arange(1, 1501) * 53 % 1999 + 40
    found = stats.ks_2samp(a, b, method="asymp")
    size = len(a) * len(b) / (len(a) + len(b))
    return listed([found.statistic, stats.kstwobign.sf(math.sqrt(size) * found.statistic)])


def fishers():
    for table in [[[95, 5], [88, 12]], [[20, 0], [14, 6]], [[398, 1], [20, 4]], [[0, 24], [24, 0]], [[9000, 1000], [8800, 1200]]]:
        yield {"table": table, "fisher_exact_p": float(stats.fisher_exact(table).pvalue)}


def permutations():
    for n in [3, 8, 12, 14]:
        d = random.normal(0.4, 1, n)
        if n == 12:
            d = np.round(d * 2)
        found = stats.permutation_test((d,), np.mean, permutation_type="samples", n_resamples=np.inf)
        yield {"differences": listed(d), "permutation_test_p": float(found.pvalue)}


def fisher_z(rho, n):
    """Bonett & Wright (2000)."""
    error = stats.norm.ppf(0.975) * math.sqrt((1 + rho**2 / 2) / (n - 3))
    return [math.tanh(math.atanh(rho) - error), math.tanh(math.atanh(rho) + error)]


def relations():
    for name, n, by, digits in [("strong", 60, 0.8, 9), ("weak", 200, 0.1, 9), ("falling with ties", 90, -0.5, 0), ("few", 7, 0.4, 9)]:
        x = np.round(random.normal(0, 2, n), digits)
        y = np.round(by * x + random.normal(0, 1, n), digits)
        rho = stats.spearmanr(x, y)
        line = stats.theilslopes(y, x, alpha=0.95)
        yield {
            "name": name,
            "x": listed(x),
            "y": listed(y),
            "spearmanr": listed([rho.statistic, rho.pvalue]),
            "bonett_wright": listed(fisher_z(rho.statistic, n)),
            "theilslopes": listed([line.slope, line.intercept, line.low_slope, line.high_slope]),
        }


def mann_kendall(y):
    """S by kendalltau of time and values, its variance with ties, Hamed & Rao (1998) over all lags."""
    n = len(y)
    counts = np.unique(y, return_counts=True)[1]
    tau_b = stats.kendalltau(np.arange(n), y).statistic
    pairs = n * (n - 1) / 2
    s = round(tau_b * math.sqrt(pairs * (pairs - (counts * (counts - 1) / 2).sum())))
    variance = (n * (n - 1) * (2 * n + 5) - (counts * (counts - 1) * (2 * counts + 5)).sum()) / 18
    excess = max(abs(s) - 1, 0)
    slope = stats.theilslopes(y, np.arange(n)).slope
    ranks = stats.rankdata(y - slope * np.arange(n))
    left = ranks - ranks.mean()
    total = 0.0
    for k in range(1, n):
        r = (left[: n - k] * left[k:]).sum() / (left**2).sum()
        if abs(r) > stats.norm.ppf(0.975) / math.sqrt(n):
            total += (n - k) * (n - k - 1) * (n - k - 2) * r
    grown = max(1.0, 1 + 2 / (n * (n - 1) * (n - 2)) * total)
    two_sided = lambda z: 2 * stats.norm.sf(z)
    return listed([s / pairs, two_sided(excess / math.sqrt(variance)), two_sided(excess / math.sqrt(variance * grown))])


def drifts():
    for name, n, slope, lean, digits in [
        ("steady", 80, 0.0, 0.0, 9),
        ("rising", 60, 0.03, 0.0, 9),
        ("leaning", 150, 0.0, 0.7, 9),
        ("leaning, with ties", 120, 0.0, 0.4, 0),
        ("few", 9, 0.3, 0.0, 9),
    ]:
        y = np.zeros(n)
        state = 0.0
        for i in range(n):
            state = lean * state + random.normal()
            y[i] = state + slope * i
        y = np.round(y, digits)
        yield {"name": name, "y": listed(y), "mann_kendall": mann_kendall(y)}


def quantiles():
    values = np.exp(random.normal(0, 1, 137))
    shares = [0.0, 0.01, 0.25, 0.5, 0.9, 0.95, 0.99, 1.0]
    return {"values": listed(values), "shares": shares, "numpy_quantile": listed(np.quantile(values, shares))}


def bootstraps():
    """The ends that SciPy's BCa makes of given resampled values; its acceleration by its own jackknife."""
    for name, values, statistic in [
        ("mean of skewed values", np.exp(random.normal(0, 1, 40)), np.mean),
        ("mean of few", np.exp(random.normal(0, 0.5, 9)), np.mean),
        ("mean of values skewed downwards", -np.exp(random.normal(0, 1, 60)), np.mean),
    ]:
        first = stats.bootstrap((values,), statistic, n_resamples=999, rng=random, method="BCa")
        with_ends = stats.bootstrap((values,), statistic, n_resamples=0, bootstrap_result=first, method="BCa")
        low, high = with_ends.confidence_interval
        yield {
            "name": name,
            "values": listed(values),
            "resampled": listed(first.bootstrap_distribution),
            "bootstrap_bca": listed([low, high]),
        }


def bradley_terry(contenders, choices):
    """Luce's choice with a log-F(1, 1) prior on each strength, climbed by BFGS; ends of the profile by brentq."""
    def fall(theta):
        total = -(theta / 2 - np.logaddexp(0, theta)).sum()
        for shown, preferred in choices:
            weights = [float(who == preferred) if preferred is not None else 1 / len(shown) for who in shown]
            total -= np.dot(weights, theta[shown]) - special.logsumexp(theta[shown])
        return total

    def slope(theta):
        gradient = special.expit(theta) - 0.5
        for shown, preferred in choices:
            weights = [float(who == preferred) if preferred is not None else 1 / len(shown) for who in shown]
            gradient[shown] += special.softmax(theta[shown]) - weights
        return gradient

    best = optimize.minimize(fall, np.zeros(contenders), jac=slope, method="BFGS", options={"gtol": 1e-9})

    def profiled(one, other, delta):
        """The least fall where strength `one` is `delta` above `other`."""
        rest = [who for who in range(contenders) if who != one]

        def whole(free):
            theta = np.empty(contenders)
            theta[rest] = free
            theta[one] = theta[other] + delta
            return theta

        def slope_of_rest(free):
            gradient = slope(whole(free))
            gradient[other] += gradient[one]
            return gradient[rest]

        climbed = optimize.minimize(lambda x: fall(whole(x)), best.x[rest], jac=slope_of_rest, method="BFGS", options={"gtol": 1e-9})
        return climbed.fun

    differences = []
    for one in range(contenders):
        for other in range(one):
            delta = best.x[one] - best.x[other]
            excess = lambda d: 2 * (profiled(one, other, d) - best.fun) - stats.chi2.ppf(0.95, 1)
            low, high = (optimize.brentq(excess, delta, delta + side * 12, xtol=1e-10) for side in (-1, 1))
            ratio = 2 * (profiled(one, other, 0.0) - best.fun)
            differences.append({"one": one, "other": other, "difference": listed([delta, low, high]), "p": float(stats.chi2.sf(ratio, 1))})
    return differences


def preferences():
    def pairs(*counts):
        return [([a, b], winner) for a, b, winner, times in counts for _ in range(times)]

    for name, contenders, choices in [
        ("two, apart", 2, pairs((0, 1, 0, 14), (0, 1, 1, 5))),
        ("three in pairs, with ties", 3, pairs((0, 1, 0, 6), (0, 1, None, 2), (1, 2, 2, 5), (0, 2, 0, 3), (0, 2, 2, 4))),
        ("three at once, one never chosen", 3, [([0, 1, 2], 0)] * 7 + [([0, 1, 2], 2)] * 3 + [([0, 1, 2], None)]),
        ("four, some never met", 4, [([0, 1, 2], 1)] * 4 + [([1, 3], 3)] * 2 + [([0, 2], 0)]),
    ]:
        plain = [{"shown": shown, "preferred": preferred} for shown, preferred in choices]
        yield {"name": name, "contenders": contenders, "choices": plain, "differences": bradley_terry(contenders, choices)}


vectors = {
    "two_samples": list(two_samples()),
    "large_kolmogorov_smirnov": large_kolmogorov_smirnov(),
    "fisher": list(fishers()),
    "permutation": list(permutations()),
    "relations": list(relations()),
    "drifts": list(drifts()),
    "quantiles": quantiles(),
    "bootstraps": list(bootstraps()),
    "preferences": list(preferences()),
}
Path(__file__).with_name("vectors.json").write_text(json.dumps(vectors, indent=None, separators=(",", ":")) + "\n")
