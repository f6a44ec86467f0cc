"""Tables in PDFs, as programs print them: a note for each row, whatever is drawn between the cells."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pypdf
import pytest
import typst

from service.imports.pdf import extract
from service.notes.schemas import IncomingNote
from tests.imports.files import notes_of, read

HEAD = ["Date", "Client", "Commercial", "Montant", "Compte rendu"]
LONG = (
    "Pas d’objection. Le directeur des achats a posé beaucoup de questions sur l’hébergement des données, la "
    "réversibilité et la durée d’engagement ; il veut un contrat d’un an et non de trois."
)
ROWS = [
    ["03/02/2026", "Harrow Foods", "R. Marchetti", "18 000,00 €", "Trop cher, dit-elle – à revoir avec Orbiport."],
    ["13/02/2026", "Pâtisserie Aubry & Fils", "É. Lenoir", "1 250 €", "Le délai est trop long."],
    ["14/02/2026", "Norvik", "É. Lenoir", "", LONG],
]
CLOSING = "Le prix revient dans chaque visite de la semaine, et personne ne demande de remise avant la fin de l’année."
STYLES = {
    "boxes": "stroke: 0.5pt",
    "nothing": "stroke: none",
    "lines": "stroke: (x: none, y: 0.5pt)",
    "lines within": "stroke: (x, y) => if y > 0 { (top: 0.5pt) }",
    "rule of the head": "stroke: (x, y) => if y == 0 { (bottom: 1pt) }",
    "stripes": "stroke: none, fill: (x, y) => if calc.odd(y) { luma(220) }",
    "middle": "stroke: 0.5pt, align: horizon",
    "middle of nothing": "stroke: none, align: horizon",
    "to the right": "stroke: none, align: (left, left, left, right, left)",
    "centred": "stroke: 0.5pt, align: center",
    "centred in nothing": "stroke: none, align: center",
    "centred both ways in nothing": "stroke: none, align: center + horizon",
    "centred and close": "stroke: none, align: center, inset: 2pt",
    "centred and apart": "stroke: none, align: center, inset: 0pt, column-gutter: 8pt, row-gutter: 11pt",
    "to the left and close": "stroke: none, align: left, inset: 2pt",
}


def printed(style: str, rows: list[list[str]], head: list[str] = HEAD, repeat: bool = True, page: str = "") -> bytes:
    cells = "".join(f"[{cell}]," for row in rows for cell in row)
    names = "".join(f"[*{name}*]," for name in head)
    columns = ",".join(["auto"] * (len(head) - 1) + ["1fr"])
    source = (
        f'#set page(paper: "a4"{page})\n#set text(lang: "fr", hyphenate: true, size: 10pt)\n= Semaine 7\n\n'
        f"Rapport de la région Nord.\n\n#table(columns: ({columns}), {style}, "
        f"table.header(repeat: {json.dumps(repeat)}, {names}), {cells})\n\n{CLOSING}"
    )
    return bytes(typst.compile(source.encode()))


def grid_of(content: bytes, path: Path, mapping: dict[str, str | None] | None = None) -> tuple[list[list[str]], str]:
    file = path / "report.pdf"
    file.write_bytes(content)
    found = extract(str(file), mapping or {})
    (grid,) = found["tables"]
    return grid, found["text"]


@pytest.mark.parametrize("style", STYLES)
def test_whatever_is_drawn_between_them_each_row_has_its_cells(style: str, tmp_path: Path) -> None:
    grid, text = grid_of(printed(STYLES[style], ROWS), tmp_path)
    assert grid == [HEAD, *ROWS]
    assert " ".join(text.split()) == f"Semaine 7 Rapport de la région Nord. {CLOSING}"


@pytest.mark.parametrize("align", ["center", "center + horizon", "right", "left + horizon"])
def test_names_of_columns_that_are_narrower_than_what_stands_below(align: str, tmp_path: Path) -> None:
    rows = [
        ["Harrow Foods", "Ann", "Trop cher."],
        ["Norvik", "Bo", LONG],
        ["Pâtisserie Aubry & Fils", "Ann", "Le délai est trop long."],
        ["Aubry", "", "Pas de budget."],
    ]
    head = ["Client", "Commercial", "Compte rendu"]
    grid, text = grid_of(printed(f"stroke: none, align: {align}", rows, head), tmp_path)
    assert grid == [head, *rows]
    assert text.endswith(CLOSING.rpartition(" ")[2])


def test_rows_that_are_closer_than_lines_of_a_cell_are_told_by_their_dates(tmp_path: Path) -> None:
    rows = [ROWS[2], ROWS[0], [*ROWS[1][:4], f"{LONG} {LONG}"], ROWS[1], ROWS[2]]
    for align in ("center", "left", "right"):
        grid, _ = grid_of(printed(f"stroke: none, align: {align}, inset: 2pt", rows), tmp_path)
        assert grid == [HEAD, *rows], align


@pytest.mark.parametrize("repeat", [True, False])
@pytest.mark.parametrize("style", ["boxes", "nothing", "lines", "stripes"])
def test_a_table_goes_on_over_pages_and_so_do_its_rows(style: str, repeat: bool, tmp_path: Path) -> None:
    rows = [[date, f"{account} {n}", *rest] for n in range(9) for date, account, *rest in [ROWS[0], ROWS[2]]]
    rows[5][4] = " ".join([LONG] * 12)
    page = ', height: 12cm, numbering: "1 / 1", header: align(right)[Confidentiel]'
    content = printed(STYLES[style], rows, repeat=repeat, page=page)
    assert len(pypdf.PdfReader(io.BytesIO(content)).pages) > 3
    grid, text = grid_of(content, tmp_path)
    assert grid == [HEAD, *rows]
    assert "Confidentiel" not in text


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_pages_that_are_turned_are_read_as_people_read_them(degrees: int, tmp_path: Path) -> None:
    writer = pypdf.PdfWriter(clone_from=io.BytesIO(printed(STYLES["boxes"], ROWS)))
    writer.pages[0].rotate(degrees).transfer_rotation_to_content()
    writer.pages[0].rotate(-degrees)
    turned = io.BytesIO()
    writer.write(turned)
    assert grid_of(turned.getvalue(), tmp_path)[0] == [HEAD, *ROWS]


def test_without_dates_each_line_of_the_first_column_begins_a_row(tmp_path: Path) -> None:
    rows = [["Harrow Foods", "Trop cher."], ["Norvik", LONG], ["Aubry", "Le délai."]]
    assert grid_of(printed("stroke: none", rows, ["Client", "Compte rendu"]), tmp_path)[0][1:] == rows


def test_the_sender_s_own_names_of_columns_make_a_table(tmp_path: Path) -> None:
    content = printed("stroke: 0.5pt", [["X1", "Trop cher."], ["X2", LONG]], ["Dossier 24", "Retour brut"])
    mapping: dict[str, str | None] = {"Dossier 24": "external_id", "Retour brut": "text"}
    assert grid_of(content, tmp_path, mapping)[0][1:] == [["X1", "Trop cher."], ["X2", LONG]]


def test_other_tables_and_lists_stay_text(tmp_path: Path) -> None:
    content = printed("stroke: 0.5pt", [["Nord", "12", "3"], ["Sud", "9", "1"]], ["Région", "Visites", "Offres"])
    file = tmp_path / "report.pdf"
    file.write_bytes(content)
    found = extract(str(file), {})
    assert found["tables"] == []
    assert "Sud 9 1" in found["text"]


def test_words_that_end_in_a_hyphen_at_the_edge_are_joined() -> None:
    source = '#set page(width: 7cm, height: auto)\n#set text(lang: "fr", hyphenate: true)\n#set par(justify: true)\n'
    (note,) = notes_of(bytes(typst.compile((source + LONG).encode())))
    assert " ".join(note.text.split()) == LONG


def test_an_import_reads_rows_and_what_stands_beside_them() -> None:
    reading, records = read(printed(STYLES["lines"], ROWS))
    assert reading.found["columns"][4] == {"column": "Compte rendu", "field": "text"}
    notes = [record.note for record in records]
    assert all(isinstance(note, IncomingNote) for note in notes)
    told = [
        (note.account and note.account.name, note.author and note.author.name, note.deal and note.deal.amount)
        for note in notes
        if isinstance(note, IncomingNote)
    ]
    assert told[:3] == [
        ("Harrow Foods", "R. Marchetti", 18_000.0),
        ("Pâtisserie Aubry & Fils", "É. Lenoir", 1_250.0),
        ("Norvik", "É. Lenoir", None),
    ]
    assert len(notes) == 4
