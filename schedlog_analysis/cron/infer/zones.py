"""Zones that are tried where none is given: one for each behaviour, the best known first."""

from __future__ import annotations

ZONES = (
    # with daylight saving
    *("Europe/Berlin", "Europe/London", "Europe/Helsinki", "America/New_York", "America/Chicago", "America/Denver"),
    *("America/Los_Angeles", "America/Anchorage", "America/Halifax", "America/St_Johns", "America/Santiago"),
    *("Africa/Cairo", "Africa/Casablanca", "Asia/Jerusalem", "Asia/Beirut", "Australia/Adelaide", "Australia/Sydney"),
    "Pacific/Auckland",
    # without, where a local day is not a day of UTC
    *("Asia/Shanghai", "Asia/Tokyo", "Asia/Kolkata", "Asia/Dubai", "Asia/Karachi", "Asia/Bangkok", "Europe/Istanbul"),
    *("Australia/Brisbane", "America/Sao_Paulo", "America/Bogota", "America/Mexico_City", "America/Phoenix"),
    "Pacific/Honolulu",
)
