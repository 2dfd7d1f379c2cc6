"""Is one classifier better than another on the same videos? (McNemar 1947, the exact binomial form.)"""

from fractions import Fraction


def mcnemar_exact(only_first: int, only_second: int) -> float:
    """Two-sided p-value; only the videos count on which exactly one of the two is right.

    p = min(1, 2 Σ_{i=0}^{min(b, c)} C(n, i) / 2^n),  n = b + c

    Args:
        only_first: b, videos that only the first one gets right.
        only_second: c, videos that only the second one gets right.
    """
    n, smaller = only_first + only_second, min(only_first, only_second)
    term = tail = 1  # C(n, 0)
    for i in range(smaller):
        term = term * (n - i) // (i + 1)  # C(n, i + 1)
        tail += term
    return min(1.0, float(Fraction(2 * tail, 2**n)))
