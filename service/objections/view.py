"""One type of objection with everything about it."""

from __future__ import annotations

from sqlalchemy.orm import Session

from models.types import ObjectionStatus, ObjectionType
from service.filters import Filters
from service.insights.breakdown import break_down_all
from service.insights.items import Item, measure_one, measuring_frame, silent_item
from service.insights.measures import About
from service.insights.schemas import counted, measures, parts_output, quote_output
from service.insights.words import OBJECTION_TITLES
from service.objections.queries import answers_to
from service.objections.schemas import AnswerOutput, ObjectionItem, ObjectionView

ANSWERS = 10


def objection_item(item: Item) -> ObjectionItem:
    """Return the measures of a type of objection."""
    return ObjectionItem(
        id=ObjectionType(item.key),
        title=OBJECTION_TITLES[ObjectionType(item.key)],
        statuses=counted(item, "statuses", ObjectionStatus),
        **measures(item),
    )


def objection_view(session: Session, filters: Filters, kind: ObjectionType) -> ObjectionView:
    """Return a type of objection with what resolved it, and its parts.

    Raises:
        NotFound: If it is withheld.
    """
    frame = measuring_frame(session, filters)
    item = measure_one(session, About.OBJECTION, filters, frame, kind) or silent_item(About.OBJECTION, kind)
    shown = objection_item(item)
    told = ObjectionStatus.RESOLVED in shown.statuses
    answers = answers_to(session, filters, frame.period, kind, limit=ANSWERS) if told else []
    return ObjectionView(
        **shown.model_dump(),
        answers=[
            AnswerOutput(objection=quote_output(a.objection), start=a.start, end=a.end, text=a.text) for a in answers
        ],
        **parts_output(break_down_all(session, About.OBJECTION, filters, frame.period, kind)),
    )
