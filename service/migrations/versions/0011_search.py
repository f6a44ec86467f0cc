"""The words of notes, to be searched: an index that the database keeps up to date in each note's own transaction.

Ids of passages are never given twice: the index by meaning is kept by them.

Revision: 0011, after 0012.
"""

from __future__ import annotations

from alembic import op

revision = "0011"
down_revision = "0012"
branch_labels = None
depends_on = None

_LIGATURES = (("œ", "oe"), ("Œ", "OE"), ("æ", "ae"), ("Æ", "AE"))


def _unligated(column: str) -> str:
    for sign, letters in _LIGATURES:
        column = f"replace({column}, '{sign}', '{letters}')"
    return column


_SQLITE = (
    # without content of its own: the words are in the index, the text only in the note
    "CREATE VIRTUAL TABLE note_words USING fts5(text, content='', tokenize='unicode61 remove_diacritics 2')",
    "CREATE TABLE note_words_state (id INTEGER NOT NULL PRIMARY KEY CHECK (id = 1), stale BOOLEAN NOT NULL)",
    "INSERT INTO note_words_state (id, stale) VALUES (1, 0)",
    f"""CREATE TRIGGER note_words_added AFTER INSERT ON notes BEGIN
        INSERT INTO note_words (rowid, text) VALUES (new.id, {_unligated("new.text")});
    END""",
    f"""CREATE TRIGGER note_words_changed AFTER UPDATE OF text ON notes WHEN old.text <> new.text BEGIN
        INSERT INTO note_words (note_words, rowid, text) VALUES ('delete', old.id, {_unligated("old.text")});
        INSERT INTO note_words (rowid, text) VALUES (new.id, {_unligated("new.text")});
        UPDATE note_words_state SET stale = 1 WHERE stale = 0;
    END""",
    f"""CREATE TRIGGER note_words_removed AFTER DELETE ON notes BEGIN
        INSERT INTO note_words (note_words, rowid, text) VALUES ('delete', old.id, {_unligated("old.text")});
        UPDATE note_words_state SET stale = 1 WHERE stale = 0;
    END""",
    f"INSERT INTO note_words (rowid, text) SELECT id, {_unligated('text')} FROM notes",
)

# Signs that are no part of a word, whatever the database's locale: the parser of full text would join "a.b" or "a/b".
_SIGNS = (
    r"[\u0001-\u002f\u003a-\u0040\u005b-\u0060\u007b-\u00a9\u00ab-\u00b1\u00b4\u00b6-\u00b8\u00bb\u00bf\u00d7\u00f7"
    r"\u02c2-\u02ff\u2000-\u206f\u20a0-\u20cf\u2100-\u2bff\u3000-\u3020\ufe30-\ufe6f\uff01-\uff0f\U0001f000-\U0001faff]+"
)
_MOST_CHARS = 200_000  # a tsvector holds 1 MB

_POSTGRESQL = (
    f"""CREATE FUNCTION note_words_of(body text) RETURNS tsvector LANGUAGE sql IMMUTABLE AS $$
        SELECT to_tsvector('simple', lower(regexp_replace(
            regexp_replace(normalize({_unligated(f"left(body, {_MOST_CHARS})")}, NFD), '[\\u0300-\\u036f]', '', 'g'),
            '{_SIGNS}', ' ', 'g')))
    $$""",
    """CREATE TABLE note_words (
        note_id BIGINT NOT NULL CONSTRAINT pk_note_words PRIMARY KEY
            CONSTRAINT fk_note_words_note_id_notes REFERENCES notes (id) ON DELETE CASCADE,
        words TSVECTOR NOT NULL
    )""",
    "INSERT INTO note_words (note_id, words) SELECT id, note_words_of(text) FROM notes",
    "CREATE INDEX ix_note_words_words ON note_words USING gin (words)",
    """CREATE FUNCTION keep_note_words() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        INSERT INTO note_words (note_id, words) VALUES (new.id, note_words_of(new.text))
            ON CONFLICT (note_id) DO UPDATE SET words = excluded.words;
        RETURN NULL;
    END $$""",
    "CREATE TRIGGER note_words_added AFTER INSERT ON notes FOR EACH ROW EXECUTE FUNCTION keep_note_words()",
    """CREATE TRIGGER note_words_changed AFTER UPDATE OF text ON notes FOR EACH ROW
        WHEN (old.text IS DISTINCT FROM new.text) EXECUTE FUNCTION keep_note_words()""",
)


def upgrade() -> None:
    """Apply; the words of the notes that are there are indexed."""
    if op.get_bind().dialect.name == "sqlite":  # built anew: only so can it change how it gives ids
        with op.batch_alter_table("passages", recreate="always", table_kwargs={"sqlite_autoincrement": True}):
            pass
    for statement in _SQLITE if op.get_bind().dialect.name == "sqlite" else _POSTGRESQL:
        op.get_bind().exec_driver_sql(statement)


def downgrade() -> None:
    """Take back; the words are in the notes."""
    if op.get_bind().dialect.name == "sqlite":
        for name in ("added", "changed", "removed"):
            op.execute(f"DROP TRIGGER IF EXISTS note_words_{name}")
        op.execute("DROP TABLE note_words_state")
        op.execute("DROP TABLE note_words")
        return
    for name in ("added", "changed"):
        op.execute(f"DROP TRIGGER note_words_{name} ON notes")
    op.execute("DROP FUNCTION keep_note_words()")
    op.execute("DROP TABLE note_words")
    op.execute("DROP FUNCTION note_words_of(text)")
