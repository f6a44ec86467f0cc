"""Retention over HTTP."""

from __future__ import annotations

from typing import Annotated

import sqlalchemy as sa
from fastapi import APIRouter, Depends

from service.dependencies import Admin, Now, ReadSession, get_engine
from service.problems import problem_responses
from service.retention.schemas import Retention, RetentionChange
from service.retention.setting import change_rule, read_retention

router = APIRouter(prefix="/v1/retention", tags=["retention"], responses=problem_responses(503))


@router.get("")
def get_retention(session: ReadSession, now: Now, _caller: Admin) -> Retention:
    """Tell how long notes are kept, and what is past it and goes in the coming night."""
    return read_retention(session, now)


@router.put("")
def put_retention(
    body: RetentionChange, engine: Annotated[sa.Engine, Depends(get_engine)], now: Now, caller: Admin
) -> Retention:
    """Count what a rule would erase; with `confirm`, set it, and have that erased in the background.

    Notes past it that come in later are not taken.
    """
    return change_rule(engine, body, caller.name, now)
