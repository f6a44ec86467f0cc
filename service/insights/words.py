"""The names of things and the reasons of scores, as sentences in English and French."""

from __future__ import annotations

from collections.abc import Callable

from models.types import ObjectionType
from service.insights.measures import About
from service.insights.ranking import Also, Part, Reason
from service.insights.schemas import Label

OBJECTION_TITLES: dict[ObjectionType, Label] = {
    ObjectionType.PRICE: Label(en="Price", fr="Prix"),
    ObjectionType.BUDGET: Label(en="No budget", fr="Pas de budget"),
    ObjectionType.VALUE: Label(en="Value not seen", fr="Intérêt non perçu"),
    ObjectionType.TIMING: Label(en="Not now", fr="Pas maintenant"),
    ObjectionType.AUTHORITY: Label(en="Someone else decides", fr="Décision prise ailleurs"),
    ObjectionType.STATUS_QUO: Label(en="Settled with what they have", fr="Attachés à l'existant"),
    ObjectionType.PRODUCT_GAP: Label(en="Product gap", fr="Manque dans le produit"),
    ObjectionType.INTEGRATION: Label(en="Integration", fr="Intégration"),
    ObjectionType.SECURITY_COMPLIANCE: Label(en="Security and compliance", fr="Sécurité et conformité"),
    ObjectionType.IMPLEMENTATION: Label(en="Effort to put in place", fr="Effort de mise en place"),
    ObjectionType.TRUST: Label(en="Trust in us", fr="Confiance en nous"),
    ObjectionType.SERVICE_DELIVERY: Label(en="Service and delivery", fr="Service et livraison"),
    ObjectionType.CONTRACT_TERMS: Label(en="Contract terms", fr="Conditions du contrat"),
}


def number(value: float, *, french: bool) -> str:
    """Return a whole number with its thousands parted as the language does."""
    return f"{value:,.0f}".replace(",", "\u202f" if french else ",")


def percent(value: float, *, french: bool) -> str:
    """Return a share in [0, 1] as whole per cent."""
    return f"{value * 100:.0f}{chr(0x202F) if french else ''}%"


def _plural(count: float, one: str, many: str) -> str:
    return f"{count:.0f} {one if count < 2 else many}"


def _en_plural(count: float, word: str) -> str:
    return f"{count:.0f} {word}{'' if count == 1 else 's'}"


def _reach(about: About, reason: Reason) -> Label:
    facts = reason.facts
    accounts, authors, notes = (float(facts[name]) for name in ("accounts", "authors", "notes"))
    return Label(
        en=f"Heard at {_en_plural(accounts, 'account')} of {facts['of_accounts']}, "
        f"by {_en_plural(authors, 'rep')}, in {_en_plural(notes, 'note')}",
        fr=f"Entendu chez {_plural(accounts, 'compte', 'comptes')} sur {facts['of_accounts']}, "
        f"par {_plural(authors, 'commercial', 'commerciaux')}, dans {_plural(notes, 'note', 'notes')}",
    )


def _growth(about: About, reason: Reason) -> Label:
    now, before = float(reason.facts["notes"]), float(reason.facts["previous"])
    en, fr = ("Rising", "En hausse") if reason.facts["significant"] else ("More than before", "Plus qu'avant")
    return Label(
        en=f"{en}: {_en_plural(now, 'note')}, {before:.0f} in the period before",
        fr=f"{fr} : {_plural(now, 'note', 'notes')}, {before:.0f} la période précédente",
    )


def _money(about: About, reason: Reason) -> Label:
    amounts = [(float(amount), currency) for currency, amount in reason.facts.items()]
    en, fr = ([f"{number(a, french=french)} {currency}" for a, currency in amounts] for french in (False, True))
    return Label(
        en=f"Touches {_listed(en, 'and')} of open deals",
        fr=f"Concerne {_listed(fr, 'et')} d'affaires en cours",
    )


def _listed(words: list[str], conjunction: str) -> str:
    return f" {conjunction} ".join(filter(None, [", ".join(words[:-1]), *words[-1:]]))


def _winning(about: About, reason: Reason) -> Label:
    rate, without, deals, low, high = (float(reason.facts[n]) for n in ("rate", "without", "deals", "low", "high"))
    most, least = f"{-100 * low:.0f}", f"{-100 * high:.0f}"
    return Label(
        en=f"Won {percent(rate, french=False)} of {_en_plural(deals, 'closed deal')}, "
        f"{percent(without, french=False)} without it: {least} to {most} points less, with 95% confidence",
        fr=f"{percent(rate, french=True)} gagnées sur {_plural(deals, 'affaire close', 'affaires closes')}, "
        f"{percent(without, french=True)} sans : {least} à {most} points de moins, avec 95 % de confiance",
    )


def _severity(about: About, reason: Reason) -> Label:
    count, mentions = float(reason.facts["count"]), float(reason.facts["mentions"])
    if about is About.OBJECTION:
        return Label(
            en=f"Unanswered in {count:.0f} of {_en_plural(mentions, 'mention')}",
            fr=f"Sans réponse dans {_plural(count, 'mention', 'mentions')} sur {mentions:.0f}",
        )
    return Label(
        en=f"Ahead of us in {count:.0f} of {_en_plural(mentions, 'mention')}",
        fr=f"Devant nous dans {_plural(count, 'mention', 'mentions')} sur {mentions:.0f}",
    )


def _novelty(about: About, reason: Reason) -> Label:
    return Label(en="Not heard in the period before", fr="Pas entendu la période précédente")


_SENTENCES: dict[Part, Callable[[About, Reason], Label]] = {
    Part.REACH: _reach,
    Part.GROWTH: _growth,
    Part.MONEY: _money,
    Part.WINNING: _winning,
    Part.SEVERITY: _severity,
    Part.NOVELTY: _novelty,
}


_OVERLAPS = {  # by the kind of the item that the other is told with
    About.OBJECTION: ("passages hold this objection", "passages contiennent cette objection"),
    About.COMPETITOR: ("passages name this competitor", "passages nomment ce concurrent"),
    About.THEME: ("mentions stand in passages of this theme", "mentions sont dans des passages de ce thème"),
}


def overlap(about: About, also: Also, *, hidden: bool) -> Label:
    """Say how much of an item is the matter of that which it is told with, by its kind; `hidden` without figures."""
    en, fr = _OVERLAPS[about]
    if hidden:
        return Label(en=f"most of its {en}", fr=f"la plupart de ses {fr}")
    return Label(en=f"{also.shared} of its {also.of} {en}", fr=f"{also.shared} de ses {also.of} {fr}")


def sentence(about: About, reason: Reason) -> Label:
    """Say a reason in words."""
    return _SENTENCES[reason.part](about, reason)
