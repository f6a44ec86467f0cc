"""Places in the former space of themes are emptied by the upgrade; themes and their passages stay."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import command

from service.database import alembic_config, make_engine, migrate
from tests.operation.test_upgrade import fill, reflected

FORMER = b"\x01" * 640


def test_places_in_the_former_space_are_emptied(empty_url: str) -> None:
    engine = make_engine(empty_url)
    command.upgrade(alembic_config(empty_url), "0029")
    fill(engine, range(101, 104))
    former = reflected(engine).tables
    with engine.begin() as connection:
        connection.execute(
            former["passages"].update().where(former["passages"].c.id == 101).values(theme_vector=FORMER)
        )
        connection.execute(former["themes"].update().where(former["themes"].c.id == 101).values(centroid=FORMER))
    migrate(empty_url)
    with engine.connect() as connection:
        themes = connection.execute(sa.text("select id, length(centroid) from themes order by id")).all()
        passages = connection.execute(
            sa.text("select id, theme_id, length(theme_vector) from passages order by id")
        ).all()
    engine.dispose()
    assert themes == [(101, 0), (102, 4), (103, 4)]
    assert passages == [(101, 101, 0), (102, 102, 4), (103, 103, 4)]
