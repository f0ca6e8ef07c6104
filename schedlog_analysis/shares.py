"""A share is said in percent, the same way in every sentence, table and picture."""

SMALL = 20  # below, a share of a hundred says more than was seen: "2 of 7" comes first


def say_share(share: float, digits: int = 1) -> str:
    """
    Say a share; never 100 % or 0 % for what is only nearly so.

    Examples
    --------
    >>> say_share(0.0312), say_share(0.99996), say_share(1.0), say_share(0.0)
    ('3.1 %', '> 99.9 %', '100 %', '0 %')
    """
    shown, step = round(100 * share, digits), 10**-digits
    if share in {0, 1}:
        return f"{shown:.0f} %"
    if shown >= 100:  # noqa: PLR2004 - percent
        return f"> {100 - step:.{digits}f} %"
    if share > 0 and shown <= 0:
        return f"< {step:.{digits}f} %"
    return f"{shown:.{digits}f} %"


def say(k: int, n: int) -> str:
    """
    Say k of n as a share, or as it is when n is small.

    Examples
    --------
    >>> say(2, 7), say(90, 1000), say(0, 0)
    ('2 of 7', '9.0 % (90 of 1,000)', 'nothing was due')
    """
    if n == 0:
        return "nothing was due"
    counts = f"{k:,} of {n:,}"
    return counts if n < SMALL else f"{say_share(k / n)} ({counts})"
