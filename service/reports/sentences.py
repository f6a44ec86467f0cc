"""The month in half a page: sentences made from the report's figures, which stand beside each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from service.insights.measures import About
from service.insights.schemas import Label
from service.insights.statistics import UPWARD, Direction
from service.insights.words import number, percent
from service.pages.strings.dates import MONTHS
from service.reports.schemas import ReportCompetitor, ReportContent, ReportItem, Statement, Value
from service.themes.lifecycle import Life, Nature

NAMED = 3
DOWNWARD = frozenset({Direction.FALLING, Direction.GONE})
KINDS = {
    About.OBJECTION: Label(en="objection", fr="objection"),
    About.COMPETITOR: Label(en="competitor", fr="concurrent"),
    About.THEME: Label(en="theme", fr="thème"),
}


def month_label(month: str) -> Label:
    """Return a month such as "2026-09" in words."""
    index = int(month[5:]) - 1
    return Label(en=f"{MONTHS[0][index]} {month[:4]}", fr=f"{MONTHS[1][index]} {month[:4]}")


def summary(content: ReportContent) -> list[Statement]:
    """Return the sentences of a month, those that have something to say."""
    if not content.coverage.read:
        return [_silence(content)]
    parts = (_volume, _first, _rising, _falling, _new_themes, _natures, _competitors, _deals, _withheld, _reading)
    return [statement for part in parts for statement in part(content)]


def _withheld(content: ReportContent) -> Iterator[Statement]:
    count = content.withheld
    if count:
        text = Label(
            en=f"{plural(count, 'other item is', 'other items are')} withheld: too few accounts or authors spoke of "
            f"{'it' if count == 1 else 'them'}.",
            fr=f"{plural(count, 'autre élément est retenu', 'autres éléments sont retenus', french=True)} : trop peu "
            "de comptes ou d'auteurs en ont parlé.",
        )
        yield Statement(text=text, figures={"withheld": count}, source=_source(content, "/v1/insights"))


def plural(count: float, one: str, many: str, *, french: bool = False) -> str:
    """Return a count with its word: French has the singular up to 1.5, English for 1 alone."""
    single = count < 2 if french else count == 1
    return f"{number(count, french=french)} {one if single else many}"


def _source(content: ReportContent, path: str) -> str:
    return f"{path}?from={content.period.start}&to={content.period.end}"


def _silence(content: ReportContent) -> Statement:
    month = month_label(content.month)
    unread = content.coverage.notes
    if unread:
        text = Label(
            en=f"Of {plural(unread, 'note', 'notes')} of {month.en} none could be read yet.",
            fr=f"Sur {plural(unread, 'note', 'notes', french=True)} {_of(month.fr)}, aucune n'a encore pu être lue.",
        )
    else:
        text = Label(en=f"There are no notes of {month.en}.", fr=f"Il n'y a aucune note {_of(month.fr)}.")
    return Statement(text=text, figures={"notes": unread, "read": 0}, source=_source(content, "/v1/notes"))


def _of(month: str) -> str:
    return f"d'{month}" if month[0] in "ao" else f"de {month}"


def _volume(content: ReportContent) -> Iterator[Statement]:
    coverage, month = content.coverage, month_label(content.month)
    before = sum(p.before for p in coverage.sources)
    teams = sum(1 for p in coverage.teams if p.name and p.notes)
    english = (
        f"{plural(coverage.read, 'note', 'notes')} of {month.en} "
        f"from {plural(coverage.accounts, 'account', 'accounts')} {'was' if coverage.read == 1 else 'were'} read, "
        f"by {plural(coverage.authors, 'author', 'authors')} in {plural(teams, 'team', 'teams')}; "
        f"the month before had {number(before, french=False)}."
    )
    french = (
        f"{plural(coverage.read, 'note', 'notes', french=True)} {_of(month.fr)} "
        f"{'a été lue' if coverage.read < 2 else 'ont été lues'}, "
        f"sur {plural(coverage.accounts, 'compte', 'comptes', french=True)}, "
        f"par {plural(coverage.authors, 'auteur', 'auteurs', french=True)} "
        f"de {plural(teams, 'équipe', 'équipes', french=True)} ; "
        f"le mois précédent en comptait {number(before, french=True)}."
    )
    figures: dict[str, Value] = {
        "notes": coverage.read,
        "accounts": coverage.accounts,
        "authors": coverage.authors,
        "teams": teams,
        "notes_before": before,
    }
    yield Statement(text=Label(en=english, fr=french), figures=figures, source=_source(content, "/v1/notes"))


def _first(content: ReportContent) -> Iterator[Statement]:
    if not content.insights:
        return
    top = content.insights[0]
    kind, previous = KINDS[top.about], top.trend.previous
    english = (
        f"What matters most is the {kind.en} “{top.title.en}”: heard at "
        f"{plural(top.accounts, 'account', 'accounts')} in {plural(top.notes, 'note', 'notes')}"
    )
    french = (
        f"En tête vient {_the(top.about)} « {top.title.fr} » : "
        f"{plural(top.accounts, 'compte', 'comptes', french=True)}, "
        f"{plural(top.notes, 'note', 'notes', french=True)}"
    )
    if previous is not None:
        english += f", {number(previous, french=False)} the month before"
        french += f", contre {number(previous, french=True)} le mois précédent"
    if top.rank_before:
        english += f" (rank {top.rank_before} then)"
        french += f" (rang {top.rank_before} alors)"
    figures: dict[str, Value] = {
        "id": top.id,
        "accounts": top.accounts,
        "notes": top.notes,
        "previous": previous,
        "rank_before": top.rank_before,
    }
    text = Label(en=f"{english}.", fr=f"{french}.")
    yield Statement(text=text, figures=figures, source=_source(content, "/v1/insights"))


def _the(about: About) -> str:
    return {About.OBJECTION: "l'objection", About.COMPETITOR: "le concurrent", About.THEME: "le thème"}[about]


def measured(content: ReportContent) -> list[ReportItem]:
    """Return the objections, competitors and themes that a report counts."""
    return [*content.objections, *content.competitors, *content.themes]


def _moved(content: ReportContent, directions: frozenset[Direction]) -> list[ReportItem]:
    return [i for i in measured(content) if i.trend.significant and i.trend.direction in directions]


def _after(item: ReportItem) -> Label:
    """Say how many notes an item had before; nothing where that is withheld."""
    before = item.trend.previous
    if before is None:
        return Label(en="", fr="")
    english, french = number(before, french=False), number(before, french=True)
    return Label(en=f" after {english} the month before", fr=f" après {french} le mois précédent")


def _names(items: Sequence[ReportItem]) -> Label:
    """Name some items with their notes, now and before."""
    shown = items[:NAMED]
    english = "; ".join(f"“{i.title.en}” ({plural(i.notes, 'note', 'notes')}{_after(i).en})" for i in shown)
    french = " ; ".join(
        f"« {i.title.fr} » ({plural(i.notes, 'note', 'notes', french=True)}{_after(i).fr})" for i in shown
    )
    more = len(items) - len(shown)
    if more:
        english, french = f"{english}; and {more} more", f"{french} ; et {more} de plus"
    return Label(en=english, fr=french)


def _figures(items: Sequence[ReportItem]) -> dict[str, Value]:
    named: dict[str, Value] = {}
    for item in items[:NAMED]:
        named |= {f"{item.about}:{item.id}": item.notes, f"{item.about}:{item.id}:before": item.trend.previous}
    return {**named, "count": len(items)}


def _rising(content: ReportContent) -> Iterator[Statement]:
    items = _moved(content, UPWARD)
    names = _names(items)
    if items:
        text = Label(en=f"Rising beyond chance: {names.en}.", fr=f"En hausse, au-delà du hasard : {names.fr}.")
    else:
        text = Label(en="Nothing rose more than chance would have it.", fr="Aucune hausse ne se distingue du hasard.")
    yield Statement(text=text, figures=_figures(items), source=_source(content, "/v1/insights"))


def _falling(content: ReportContent) -> Iterator[Statement]:
    items = _moved(content, DOWNWARD)
    if items:
        names = _names(items)
        text = Label(en=f"Falling: {names.en}.", fr=f"En baisse : {names.fr}.")
        yield Statement(text=text, figures=_figures(items), source=_source(content, "/v1/insights"))


def _new_themes(content: ReportContent) -> Iterator[Statement]:
    for life, words in (
        (Life.EMERGING, Label(en="Emerging themes", fr="Thèmes émergents")),
        (Life.FADING, Label(en="Fading themes", fr="Thèmes qui s'éteignent")),
    ):
        items: list[ReportItem] = [t for t in content.themes if t.lifecycle is life]
        if items:
            names = _names(items)
            text = Label(en=f"{words.en}: {names.en}.", fr=f"{words.fr} : {names.fr}.")
            yield Statement(text=text, figures=_figures(items), source=_source(content, "/v1/themes"))


def _natures(content: ReportContent) -> Iterator[Statement]:
    counts = {nature: sum(t.nature is nature and t.notes > 0 for t in content.themes) for nature in Nature}
    if not counts[Nature.STRUCTURAL] + counts[Nature.CONJUNCTURAL]:
        return
    structural, passing, early = (
        counts[nature] for nature in (Nature.STRUCTURAL, Nature.CONJUNCTURAL, Nature.TOO_EARLY)
    )
    english = (
        f"Of the themes heard, {structural or 'none'} {'is' if structural == 1 else 'are'} structural and "
        f"{passing or 'none'} passing"
    )
    french = (
        f"Parmi les thèmes entendus, {_or_none(structural, 'est structurel', 'sont structurels')}, "
        f"{_or_none(passing, 'est conjoncturel', 'sont conjoncturels')}"
    )
    if early:
        english, french = f"{english}; for {early} it is too early to tell", f"{french} ; pour {early}, il est trop tôt"
    text = Label(en=f"{english}.", fr=f"{french}.")
    figures: dict[str, Value] = {str(nature): count for nature, count in counts.items()}
    yield Statement(text=text, figures=figures, source=_source(content, "/v1/themes"))


def _or_none(count: int, one: str, many: str) -> str:
    return plural(count, one, many, french=True) if count else f"aucun n'{one}"


def _competitors(content: ReportContent) -> Iterator[Statement]:
    heard = [c for c in content.competitors if c.notes]
    if not heard:
        return
    top = heard[0]
    text = Label(
        en=f"The competitor heard at most accounts is {top.title.en} ({plural(top.accounts, 'account', 'accounts')}"
        f"{_standing(top, french=False)}).",
        fr=f"Le concurrent entendu chez le plus de comptes est {top.title.fr} "
        f"({plural(top.accounts, 'compte', 'comptes', french=True)}{_standing(top, french=True)}).",
    )
    figures: dict[str, Value] = {"id": top.id, "accounts": top.accounts, **top.standings}
    yield Statement(text=text, figures=figures, source=_source(content, "/v1/competitors"))


def _standing(item: ReportCompetitor, *, french: bool) -> str:
    ahead, behind = item.standings.get("ahead", 0), item.standings.get("behind", 0)
    if not ahead and not behind:
        return ""
    if french:
        return f", devant nous {number(ahead, french=True)} fois, derrière {number(behind, french=True)} fois"
    return f", ahead of us {plural(ahead, 'time', 'times')}, behind {plural(behind, 'time', 'times')}"


def _deals(content: ReportContent) -> Iterator[Statement]:
    for item in content.insights:
        wins = item.outcomes
        if wins.enough_data and wins.difference and wins.difference[1] < 0 and wins.win_rate_without is not None:
            rate, without, closed = wins.win_rate or 0.0, wins.win_rate_without, wins.won + wins.lost
            text = Label(
                en=f"Deals with “{item.title.en}” are won less often: {percent(rate, french=False)} of "
                f"{plural(closed, 'closed deal', 'closed deals')}, {percent(without, french=False)} of the others.",
                fr=f"Les affaires marquées par « {item.title.fr} » se gagnent moins : {percent(rate, french=True)} de "
                f"{plural(closed, 'affaire close', 'affaires closes', french=True)}, "
                f"{percent(without, french=True)} des autres.",
            )
            figures: dict[str, Value] = {"id": item.id, "won": wins.won, "lost": wins.lost, "without": without}
            yield Statement(text=text, figures=figures, source=_source(content, "/v1/insights"))
            return


def _reading(content: ReportContent) -> Iterator[Statement]:
    coverage = content.coverage
    share = coverage.unassigned / coverage.passages if coverage.passages else 0.0
    english = f"{percent(share, french=False)} of the passages have no theme"
    french = f"{percent(share, french=True)} des passages n'ont pas de thème"
    if not coverage.unassigned:
        english, french = "Every passage has a theme", "Chaque passage a un thème"
    if coverage.failed:
        english += f"; {plural(coverage.failed, 'note', 'notes')} could not be read"
        unread = "n'a pas pu être lue" if coverage.failed == 1 else "n'ont pas pu être lues"
        french += f" ; {plural(coverage.failed, 'note', 'notes', french=True)} {unread}"
    if coverage.silent_teams:
        english += f"; silent this month: {', '.join(coverage.silent_teams)}"
        french += f" ; sans note ce mois-ci : {', '.join(coverage.silent_teams)}"
    figures: dict[str, Value] = {
        "passages": coverage.passages,
        "unassigned": coverage.unassigned,
        "failed": coverage.failed,
        "silent_teams": ", ".join(coverage.silent_teams),
    }
    yield Statement(text=Label(en=f"{english}.", fr=f"{french}."), figures=figures, source=None)
