"""Places in the former space of themes are emptied by the upgrade; themes and their passages stay."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
from alembic import command

from service.database import alembic_config, make_engine, migrate
from tests.conftest import keyring_in
from tests.operation.test_upgrade import fill, reflected, tables

FORMER = b"\x01" * 512


def test_places_in_the_former_space_are_emptied(empty_url: str, tmp_path: Path) -> None:
    engine = make_engine(empty_url)
    command.upgrade(alembic_config(empty_url), "0035")
    fill(engine, tables(engine), range(101, 104))
    former = reflected(engine).tables
    split = {"themes": [101, 102], "born": 102, "before": {"locked": False, "centroid": "AQ==", "origin": "AQ=="}}
    with engine.begin() as connection:
        connection.execute(former["passages"].update().values(theme_vector=FORMER))
        connection.execute(former["themes"].update().values(centroid=FORMER, origin=FORMER))
        connection.execute(former["theme_changes"].update().values(kind="split", detail=split))
    migrate(empty_url, keyring_in(tmp_path))
    changes = reflected(engine).tables["theme_changes"]
    with engine.connect() as connection:
        themes = connection.execute(sa.text("select length(centroid), length(origin) from themes")).all()
        passages = connection.execute(
            sa.text("select id, theme_id, length(theme_vector) from passages order by id")
        ).all()
        details = connection.execute(sa.select(changes.c.detail)).scalars().all()
    engine.dispose()
    assert themes == [(0, 0)] * 3
    assert passages == [(101, 101, 0), (102, 102, 0), (103, 103, 0)]
    assert details == [{**split, "before": {"locked": False}}] * 3
