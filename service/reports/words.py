"""The words around a report's figures, in English and French."""

from __future__ import annotations

from datetime import date

from service.insights.schemas import Label
from service.insights.words import number, percent
from service.pages.strings.dates import short_date
from service.reports.schemas import ReportLanguage, Value


def _label(en: str, fr: str) -> Label:
    return Label(en=en, fr=fr)


WORDS: dict[str, Label] = {
    "title": _label("Theme report", "Rapport des thèmes"),
    "edition": _label("Edition", "Édition"),
    "as_of": _label("As of", "État au"),
    "made_by": _label(
        "Made by Binôme from the notes of the sales teams", "Établi par Binôme d'après les notes commerciales"
    ),
    "summary": _label("The month in short", "Le mois en bref"),
    "insights": _label("What matters most", "Ce qui compte le plus"),
    "objections": _label("Objections", "Objections"),
    "segments": _label("Objections by segment", "Objections par segment"),
    "resolved": _label("What overcame objections", "Ce qui a levé des objections"),
    "competitors": _label("Competitors", "Concurrents"),
    "new_names": _label("Names to look at", "Noms à examiner"),
    "themes": _label("Themes", "Thèmes"),
    "changes": _label("What changed, and what changed it", "Ce qui a changé, et pourquoi"),
    "coverage": _label("What was read", "Ce qui a été lu"),
    "method": _label("Method", "Méthode"),
    "differences": _label("What differs from the edition before", "Ce qui diffère de l'édition précédente"),
    "rank": _label("Rank", "Rang"),
    "rank_before": _label("Before", "Avant"),
    "kind": _label("Kind", "Type"),
    "name": _label("What", "Quoi"),
    "accounts": _label("Accounts", "Comptes"),
    "notes": _label("Notes", "Notes"),
    "notes_before": _label("Month before", "Mois précédent"),
    "trend": _label("Trend", "Tendance"),
    "score": _label("Score", "Score"),
    "open_money": _label("Open deals", "Affaires en cours"),
    "win_rate": _label("Won", "Gagné"),
    "life": _label("Life", "Vie"),
    "nature": _label("Nature", "Nature"),
    "then": _label("As reported", "Au rapport"),
    "now": _label("Now", "Maintenant"),
    "market": _label("Customers", "Clients"),
    "segment": _label("Segment", "Segment"),
    "by": _label("By", "Par"),
    "part": _label("Name", "Nom"),
    "this_month": _label("This month", "Ce mois"),
    "insight_notes": _label("Notes, this month and the month before", "Notes, ce mois et le mois précédent"),
    "value_before": _label("Before", "Avant"),
    "value_after": _label("After", "Après"),
    "open": _label("Open", "Ouvertes"),
    "resolved_status": _label("Resolved", "Levées"),
    "anticipated": _label("Anticipated", "Anticipées"),
    "incumbent": _label("In place", "En place"),
    "evaluating": _label("Evaluated", "Évalué"),
    "lost_to": _label("Lost to", "Perdu contre"),
    "won_against": _label("Won against", "Gagné contre"),
    "mentioned": _label("Mentioned", "Cité"),
    "ahead": _label("Ahead", "Devant"),
    "behind": _label("Behind", "Derrière"),
    "neutral": _label("Even", "À égalité"),
    "objection": _label("Objection", "Objection"),
    "competitor": _label("Competitor", "Concurrent"),
    "theme": _label("Theme", "Thème"),
    "new": _label("New", "Nouveau"),
    "rising": _label("Rising", "En hausse"),
    "steady": _label("Unclear", "Pas nette"),
    "falling": _label("Falling", "En baisse"),
    "gone": _label("Gone", "Disparu"),
    "emerging": _label("Emerging", "Émergent"),
    "established": _label("Established", "Établi"),
    "fading": _label("Fading", "En déclin"),
    "retired": _label("Retired", "Retiré"),
    "structural": _label("Structural", "Structurel"),
    "conjunctural": _label("Passing", "Conjoncturel"),
    "too_early": _label("Too early to tell", "Trop tôt"),
    "source": _label("Source", "Source"),
    "team": _label("Team", "Équipe"),
    "language": _label("Language", "Langue"),
    "unnamed": _label("not named", "non précisé"),
    "weeks": _label("Notes read by week", "Notes lues par semaine"),
    "statuses": _label("Mentions by status", "Mentions par statut"),
    "standings": _label("Mentions by standing against us", "Mentions selon leur position face à nous"),
    "theme_notes": _label(
        "Notes by theme, this month and the month before", "Notes par thème, ce mois et le mois précédent"
    ),
    "figure_notes": _label("notes read", "notes lues"),
    "figure_accounts": _label("accounts heard", "comptes entendus"),
    "figure_authors": _label("reps who wrote", "commerciaux qui ont écrit"),
    "figure_assigned": _label("of passages have a theme", "des passages ont un thème"),
    "page": _label("Page", "Page"),
    "notes_cause": _label("Late, edited, erased", "Tardives, modifiées, effacées"),
    "reader": _label("Reader", "Lecteur"),
    "taxonomy": _label("Themes", "Thèmes"),
    "nothing": _label("Nothing to report.", "Rien à signaler."),
    "followed": _label("The note goes on", "La note poursuit"),
    "en": _label("English", "anglais"),
    "fr": _label("French", "français"),
    "mixed": _label("mixed", "mixte"),
    "unknown": _label("unknown", "inconnue"),
}

GLOSSARY: list[Label] = [
    _label(
        "Objection: a reason, held by the customer, against buying, moving forward, renewing or expanding with us.",
        "Objection : une raison du client de ne pas acheter, avancer, renouveler ou étendre avec nous.",
    ),
    _label(
        "Trend: this month's share of notes against the month before, by Fisher's exact test, corrected for the number "
        "of items (Benjamini and Hochberg), from three accounts on and without the loudest of them; else unclear.",
        "Tendance : la part des notes du mois face au mois précédent, par le test exact de Fisher corrigé du nombre "
        "d'éléments (Benjamini et Hochberg), dès trois comptes et sans le plus bavard ; sinon, elle n'est pas nette.",
    ),
    _label(
        "Structural: a theme heard in most months, by several accounts and teams. Passing: any other, once six months "
        "are read.",
        "Structurel : un thème entendu presque chaque mois, chez plusieurs comptes et équipes. Conjoncturel : tout "
        "autre, dès six mois de notes.",
    ),
    _label(
        "What changed it: the notes of the month before as its report had them, plus what late, edited and erased "
        "notes, the reader (new versions, corrections) and the themes (fits, merges, splits) did to that count, "
        "plus what customers did, is the count of this month.",
        "Ce qui l'a changé : les notes du mois précédent d'après son rapport, plus l'effet sur ce compte des notes "
        "tardives, modifiées ou effacées, du lecteur (versions, corrections) et des thèmes (calculs, fusions, "
        "scissions), plus ce qu'ont fait les clients, donnent le compte du mois.",
    ),
    _label(
        "Win rates are given from five closed deals on. No person is ranked or named.",
        "Les taux de réussite sont donnés dès cinq affaires closes. Aucune personne n'est classée ni nommée.",
    ),
]


class Phrases:
    """Words and figures in one language."""

    def __init__(self, language: ReportLanguage) -> None:
        self.language = language
        self.french = language is ReportLanguage.FR

    def __call__(self, key: str) -> str:
        """Return the words of a key; a key without words stands for itself."""
        return self.of(WORDS[key]) if key in WORDS else key

    def of(self, label: Label) -> str:
        """Return a label in this language; French signs keep to their words."""
        if not self.french:
            return label.en
        text = label.fr.replace("« ", "«\u00a0").replace(" »", "\u00a0»")
        for sign in ":;!?":
            text = text.replace(f" {sign}", f"\u00a0{sign}")
        return text

    def quoted(self, text: str) -> str:
        """Return a text between this language's quotation marks."""
        return f"«\u00a0{text}\u00a0»" if self.french else f"“{text}”"

    def figure(self, value: Value) -> str:
        """Return a figure as tables show it; nothing is a dash."""
        if value is None:
            return "–"
        if isinstance(value, str):
            return value
        if isinstance(value, float) and not value.is_integer():
            text = f"{value:,.1f}".replace(",", "\u202f" if self.french else ",")
            return text.replace(".", ",") if self.french else text
        return number(value, french=self.french)

    def change(self, value: Value) -> str:
        """Return a change as tables show it, with its sign."""
        if not isinstance(value, int | float) or not value:
            return self.figure(value)
        return f"{'+' if value > 0 else '−'}{self.figure(abs(value))}"

    def day(self, day: date) -> str:
        """Return a day with its month cut short."""
        return short_date(day, french=self.french)

    def percent(self, value: float | None) -> str:
        """Return a share as whole per cent."""
        return "–" if value is None else percent(value, french=self.french)
