"""What is a finding and what is not, by the annotation guide: whoever meets a wrong finding adds a line.

The first halves are the guide's "not objections" and "not competitor mentions".
"""

from __future__ import annotations

import pytest

from models.analyzer import NoteReader
from models.types import Catalog, Competitor, NoteText

pytestmark = pytest.mark.slow

CATALOG = Catalog(
    us=("Binôme",),
    competitors=(
        Competitor("Zendesk", ("zd", "Zen Desk")),
        Competitor("Orbel", ()),
        Competitor("Monday", ("monday.com",)),
        Competitor("Target", ()),
        Competitor("Notion", ()),
        Competitor("Salesforce", ("SFDC",)),
        Competitor("Carl", ("Carl Source",)),
    ),
)


def types(analyzer: NoteReader, text: str) -> list[str]:
    (analysis,) = analyzer.analyze([NoteText(text, "call_note")], CATALOG)
    return [str(o.type) for o in analysis.objections]


def names(analyzer: NoteReader, text: str) -> list[str]:
    (analysis,) = analyzer.analyze([NoteText(text, "call_note")], CATALOG)
    return [c.quote for c in analysis.competitors]


@pytest.mark.parametrize(
    "text",
    [
        "Price is not an issue for them.",
        "Aucun souci côté sécurité.",
        "She didn't raise any concern about migration.",
        "Asked for a quote for 40 seats.",
        "Wants a demo of the API next week.",
        "Objections: none",
        "Freins : RAS",
        "Signature prévue le 12, tout le monde est ravi.",
        "They loved the demo and want to start in May.",
        "Demo booked for Thursday 2pm.",
        "Please find attached our brochure.",
        "Il a demandé combien de temps prend la pose.",
    ],
)
def test_not_objections(text: str, analyzer: NoteReader) -> None:
    assert types(analyzer, text) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("We are 20% more expensive than the other quote.", "price"),
        ("Ils nous trouvent trop chers par rapport au devis concurrent.", "price"),
        ("Capex is frozen until the next financial year, no money for it.", "budget"),
        ("Pas de ligne budgétaire cette année, le budget est gelé.", "budget"),
        ("Everything over ten thousand needs group procurement sign-off.", "authority"),
        ("C'est le siège qui tranche, lui ne décide de rien.", "authority"),
        ("They won't sign for three years.", "contract_terms"),
        ("Il refuse la clause de tacite reconduction.", "contract_terms"),
        ("There is no SAP connector.", "integration"),
        ("No one there to run the rollout.", "implementation"),
        ("L'hébergement hors UE est refusé par leur DPO.", "security_compliance"),
        ("12 weeks lead time kills it for them.", "service_delivery"),
        ("They are happy with their current supplier and see no reason to change.", "status_quo"),
    ],
)
def test_plain_objections(text: str, expected: str, analyzer: NoteReader) -> None:
    assert expected in types(analyzer, text)


@pytest.mark.parametrize(
    "text",
    [
        "She will be back on Monday.",
        "We are well over our target this quarter.",
        "He has no notion of what it costs.",
        "Rendez-vous avec M. Carl, le responsable du dépôt.",
        "Il n'a aucune notion du prix.",
        "Carl, 23 ans, l'apprenti, nous a fait visiter.",
    ],
)
def test_not_competitor_mentions(text: str, analyzer: NoteReader) -> None:
    assert names(analyzer, text) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("They use Zendesk and complain about it.", ["Zendesk"]),
        ("ils ont zendesk depuis 2019", ["zendesk"]),
        ("Lost to Orbel on price.", ["Orbel"]),
        ("Ils hésitent entre nous et Orbel.", ["Orbel"]),
        ("Zendesk's pricing is half of ours, Zendesk wins.", ["Zendesk", "Zendesk"]),
        ("Passés chez Orbel en mars, résiliation d’Orbel refusée.", ["Orbel", "Orbel"]),
    ],
)
def test_competitor_mentions(text: str, expected: list[str], analyzer: NoteReader) -> None:
    assert names(analyzer, text) == expected


def test_what_our_own_people_say_in_a_transcript_is_no_customer_s_objection(analyzer: NoteReader) -> None:
    text = (
        "{us}: We know we are about 20% above the other quote.\n"
        "Bo Wray: Yes. And the onboarding takes too long for us.\n"
        "{us}: Some customers tell us the price is too high and that they lack budget this year.\n"
        "Bo Wray: For us budget is fine.\n"
    )
    ours = {"We know we are about 20% above", "Some customers tell us the price"}
    for us in ("Rep", "[00:10] Me"):
        (analysis,) = analyzer.analyze([NoteText(text.format(us=us), "transcript")], CATALOG)
        (said,) = analysis.objections
        assert "the onboarding takes too long" in said.quote
    (analysis,) = analyzer.analyze([NoteText(text.format(us="Ann Lee"), "transcript")], CATALOG)
    assert all(any(one.quote.startswith(turn) for one in analysis.objections) for turn in ours), "Ann is a customer"
    words = "Commercial : C'est trop cher pour certains.\nMe Vidal : C'est trop cher pour nous aussi.\n" * 2
    (analysis,) = analyzer.analyze([NoteText(words, "transcript")], CATALOG)
    quotes = [words[one.start : one.end] for one in analysis.objections]
    assert quotes
    assert all("nous" in quote for quote in quotes), "Me Vidal is a customer"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "Rep: You use Zendesk today, right?\nBo Wray: Yes, for three years, and it is slow.\n"
            "Rep: Unlike Orbel we have an offline mode.\nBo Wray: Good.\n",
            [("Zendesk", "neutral")],
        ),
        (
            "Commercial : Vous travaillez avec Orbel, c'est ça ?\nMme Roux : Oui, depuis 2019.\n"
            "Commercial : Zendesk est bien plus lent que nous.\nMme Roux : D'accord.\n",
            [("Orbel", "neutral")],
        ),
        (
            "Rep: Zendesk is dear and slow.\nBo Wray: Zendesk is 20% cheaper than you.\nRep: Ah.\nBo Wray: So.\n",
            [("Zendesk", "neutral"), ("Zendesk", "ahead")],
        ),
        (
            "Ann Lee: Unlike Orbel we have an offline mode.\nBo Wray: Good.\nAnn Lee: Yes.\nBo Wray: Fine.\n",
            [("Orbel", "behind")],
        ),
    ],
)
def test_rivals_in_our_own_turns_tell_what_the_customer_does_and_make_no_point_of_theirs(
    text: str, expected: list[tuple[str, str]], analyzer: NoteReader
) -> None:
    (analysis,) = analyzer.analyze([NoteText(text, "transcript")], CATALOG)
    assert [(one.quote, str(one.standing)) for one in analysis.competitors] == expected
