"""Names of months, and days written with them."""

from __future__ import annotations

from datetime import date

MONTHS = (
    (
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ),
    (
        "janvier",
        "février",
        "mars",
        "avril",
        "mai",
        "juin",
        "juillet",
        "août",
        "septembre",
        "octobre",
        "novembre",
        "décembre",
    ),
)
SHORT_MONTHS = (
    ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
    ("janv.", "févr.", "mars", "avr.", "mai", "juin", "juil.", "août", "sept.", "oct.", "nov.", "déc."),
)


def short_date(day: date, *, french: bool) -> str:
    """Write a day with its month cut short: "1 Sep 2026", "1er sept. 2026"."""
    number = "1er" if french and day.day == 1 else day.day
    return f"{number}\u00a0{SHORT_MONTHS[french][day.month - 1]} {day.year}"
