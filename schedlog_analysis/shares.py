"""A share is said in percent, the same way in every sentence, table and picture."""


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
