"""What is wrong with a file or a row, in French: the messages of imports with `{}` for what varies.

The API speaks English; pages and the download of refused rows speak either. More exact ones come first.
"""

from __future__ import annotations

_DAMAGED_TABLE = "ouvrez-le dans un tableur et enregistrez-le de nouveau en XLSX, ou en CSV"

REASONS: tuple[tuple[str, str], ...] = (
    # the file as a whole
    ("The file is empty.", "Le fichier est vide."),
    (
        "The file is of no format that is taken: send {}.",
        "Ce format de fichier n'est pas pris : envoyez {0}.",
    ),
    ("XML is not taken as a file: send {}.", "Le XML n'est pas pris : envoyez {0}."),
    ("This is {}, which is not taken: save it as {}.", "C'est {0}, qui n'est pas pris : enregistrez-le en {1}."),
    (
        "This kind of Office file is not taken: save it as {}.",
        "Ce type de fichier Office n'est pas pris : enregistrez-le en {0}.",
    ),
    (
        "{} of the first {} rows were refused: mend the file.",
        "{0} des {1} premières lignes ont été refusées : corrigez le fichier.",
    ),
    (
        "The file's XML is nested deeper than any program writes: save it again.",
        "Le XML du fichier est plus imbriqué que ne l'écrit aucun logiciel : enregistrez-le de nouveau.",
    ),
    (
        "The workbook holds too many formats or names: save it as CSV.",
        "Le classeur a trop de formats ou de noms : enregistrez-le en CSV.",
    ),
    ("The archive holds no files.", "L'archive ne contient aucun fichier."),
    (
        "The archive holds {} files; {} are the most: split it.",
        "L'archive a {0} fichiers, {1} au plus : divisez-la.",
    ),
    ("This is an archive within an archive: unpack it.", "C'est une archive dans une archive : décompressez-la."),
    (
        "is an archive within an archive: put its files in directly",
        "est une archive dans une archive : mettez-y directement ses fichiers",
    ),
    ("has a name that leads out of the archive: pack it again", "a un nom qui sort de l'archive : refaites-la"),
    ("is over {} MB: send it alone", "dépasse {0} Mo : envoyez-le seul"),
    ("is over {} MB: split the note", "dépasse {0} Mo : divisez la note"),
    (
        "The file is damaged or cut off: send it again, whole.",
        "Le fichier est abîmé ou coupé : renvoyez-le en entier.",
    ),
    (
        "The file unpacks to far more than it should: save it again without embedded data, or split it.",
        "Le fichier se décompresse en bien plus qu'il ne devrait : enregistrez-le sans ses pièces, ou divisez-le.",
    ),
    (
        "The file is protected by a password: save it without.",
        "Le fichier est protégé par un mot de passe : enregistrez-le sans.",
    ),
    (
        "The file holds XML with a DTD, which no office program writes{}",
        "Le fichier contient du XML avec une DTD, ce qu'aucun logiciel de bureau n'écrit : enregistrez-le de nouveau.",
    ),
    (
        "The file is not on the machine of this worker: send it again.",
        "Le fichier n'est pas sur la machine de ce lecteur : renvoyez-le.",
    ),
    ("There is no import {}.", "Il n'y a pas d'import {0}."),
    # tables
    ("The table has {} columns; {} are the most.", "Le tableau a {0} colonnes ; {1} au plus."),
    (
        "No column holds the notes' text. The first row names {}: name one of them note, comment or compte rendu, or "
        "send {}.",
        "Aucune colonne ne contient le texte des notes. La première ligne nomme {0} : choisissez ci-dessous celle du "
        "texte, ou nommez-la note, commentaire ou compte rendu.",
    ),
    ("is not CSV ({}): mend its quotes", "n'est pas du CSV ({0}) : corrigez ses guillemets"),
    (
        "has {} cells, the header {}: put a cell that holds {} in quotes",
        "a {0} cellules, l'en-tête {1} : mettez entre guillemets une cellule qui contient {2}",
    ),
    ("is not UTF-8: save the file as CSV UTF-8", "n'est pas en UTF-8 : enregistrez le fichier en CSV UTF-8"),
    (
        "is not a date: write {} or {}; {} is how this file is read",
        "n'est pas une date : écrivez {0} ou {1} ; ce fichier est lu {2}",
    ),
    (
        "is no single amount of 0 or more ({}): the note is kept without it",
        "n'est pas un seul montant, positif ou nul ({0}) : la note est gardée sans",
    ),
    ("is no currency ({}): the note is kept without it", "n'est pas une devise ({0}) : la note est gardée sans"),
    (
        "is a formula whose result the file does not hold: open it in a spreadsheet program and save it{}",
        "est une formule dont le fichier n'a pas le résultat : ouvrez-le dans un tableur et enregistrez-le{0}",
    ),
    (
        "The spreadsheet is damaged: open it in a spreadsheet program and save it again as XLSX, or as CSV.",
        f"Le tableur est abîmé : {_DAMAGED_TABLE}.",
    ),
    (
        "The workbook is damaged: open it in a spreadsheet program and save it again as XLSX, or as CSV.",
        f"Le classeur est abîmé : {_DAMAGED_TABLE}.",
    ),
    (
        "The spreadsheet holds too much to be read whole: save it as XLSX or CSV, or split it.",
        "Le tableur est trop grand pour être lu en entier : enregistrez-le en XLSX ou en CSV, ou divisez-le.",
    ),
    (
        "The workbook holds over {} MB of text: save it as CSV, which has no such limit.",
        "Le classeur contient plus de {0} Mo de texte : enregistrez-le en CSV, qui n'a pas cette limite.",
    ),
    (
        "This web archive is over {} MB: save the table as XLSX or CSV.",
        "Cette archive web dépasse {0} Mo : enregistrez le tableau en XLSX ou en CSV.",
    ),
    (
        "The web archive holds no page: save the table as XLSX or CSV.",
        "L'archive web ne contient aucune page : enregistrez le tableau en XLSX ou en CSV.",
    ),
    (
        "The web archive is damaged: save the table as XLSX or CSV.",
        "L'archive web est abîmée : enregistrez le tableau en XLSX ou en CSV.",
    ),
    (
        "stands beside the table and is too short for a note: {}",
        "se trouve à côté du tableau et est trop court pour une note : {0}",
    ),
    # documents, transcripts
    (
        "The document is damaged: open it in a word processor and save it again as DOCX.",
        "Le document est abîmé : ouvrez-le dans un traitement de texte et enregistrez-le de nouveau en DOCX.",
    ),
    (
        "The document holds no text: pictures are not read.",
        "Le document ne contient pas de texte : les images ne sont pas lues.",
    ),
    (
        "The document holds XML with a DTD: save it again in a word processor.",
        "Le document contient du XML avec une DTD : enregistrez-le de nouveau dans un traitement de texte.",
    ),
    (
        "The document holds over {} million letters: split it.",
        "Le document contient plus de {0} millions de lettres : divisez-le.",
    ),
    (
        "This text is over {} MB: split it into one file per call or meeting.",
        "Ce texte dépasse {0} Mo : faites un fichier par appel ou par réunion.",
    ),
    (
        "The PDF can't be read within a minute and a gigabyte: print it anew as PDF, or split it.",
        "Le PDF ne se lit pas en une minute et un gigaoctet : imprimez-le de nouveau en PDF, ou divisez-le.",
    ),
    (
        "The PDF needs over a gigabyte to be read: print it anew as PDF, or split it.",
        "Le PDF demande plus d'un gigaoctet : imprimez-le de nouveau en PDF, ou divisez-le.",
    ),
    (
        "The PDF holds no text, only pictures (a scan): have its text recognised (OCR), or send it as DOCX or TXT.",
        "Le PDF n'a que des images (un scan) : faites-en reconnaître le texte (OCR), ou envoyez-le en DOCX ou TXT.",
    ),
    (
        "The PDF is protected by a password: save it without, then send it again.",
        "Le PDF est protégé par un mot de passe : enregistrez-le sans, puis renvoyez-le.",
    ),
    ("The PDF has over {} pages: split it.", "Le PDF a plus de {0} pages : divisez-le."),
    (
        "The PDF is damaged: open it and print it anew as PDF.",
        "Le PDF est abîmé : ouvrez-le et imprimez-le de nouveau en PDF.",
    ),
    (
        "The PDF holds over {} million letters: split it.",
        "Le PDF contient plus de {0} millions de lettres : divisez-le.",
    ),
    ("The transcript holds no words.", "La transcription ne contient pas de mots."),
    # messages
    ("The message is over {} MB.", "Le message dépasse {0} Mo."),
    ("The message's header is over {} KB.", "L'en-tête du message dépasse {0} Ko."),
    ("The message's text is over {} MB.", "Le texte du message dépasse {0} Mo."),
    ("The message has over {} parts.", "Le message a plus de {0} parties."),
    ("The message's parts are nested over {} deep.", "Les parties du message sont imbriquées sur plus de {0} niveaux."),
    (
        "The message has over {} attachments, or one over {} MB.",
        "Le message a plus de {0} pièces jointes, ou une de plus de {1} Mo.",
    ),
    (
        "The message can't be read: its MIME structure is broken.",
        "Le message est illisible : sa structure MIME est abîmée.",
    ),
    (
        "This is no e-mail message: it has no From, Date or Subject.",
        "Ce n'est pas un courriel : il n'a ni expéditeur, ni date, ni objet.",
    ),
    (
        "A file of the kind {} is not read from a message.",
        "Un fichier de type {0} n'est pas lu dans un message.",
    ),
    ("is an automatic reply or notice", "est une réponse ou un avis automatique"),
    ("is a report on a delivery", "est un avis de distribution"),
    (
        "holds no words of its own and no report that can be read",
        "n'a ni mots à lui ni rapport lisible",
    ),
    # JSON
    ("is no JSON object", "n'est pas un objet JSON"),
    (
        "A JSON document over {} MB is not read: send JSON Lines, one note on each line.",
        "Un document JSON de plus de {0} Mo n'est pas lu : envoyez du JSON Lines, une note par ligne.",
    ),
    ("{} is not valid JSON at line {}, column {}.", "{0} n'est pas du JSON valide, ligne {1}, colonne {2}."),
    ("{} is not valid JSON.", "{0} n'est pas du JSON valide."),
    ("{} is not UTF-8: byte {} is wrong.", "{0} n'est pas en UTF-8 : l'octet {1} est faux."),
    ("The JSON is nested too deep.", "Le JSON est trop imbriqué."),
    # what a note must be
    ("text is empty: a note needs words", "le texte est vide : une note a besoin de mots"),
    ("text is over {} characters: split the note", "le texte dépasse {0} caractères : divisez la note"),
    ("an account needs an id or a name", "un compte a besoin d'un identifiant ou d'un nom"),
    ("a deletion needs an external_id", "une suppression a besoin de l'identifiant de la note (external_id)"),
    ("{} is outside the years {} to {}", "{0} est hors des années {1} à {2}"),
    (
        "is not a time: send RFC 3339 with a zone, such as {}",
        "n'est pas une date et une heure : écrivez-la comme {0}",
    ),
    ("holds U+0000: remove it", "contient U+0000 : retirez-le"),
    ("held U+0000, which is removed", "contenait U+0000, qui est retiré"),
    ("holds a lone surrogate: send valid Unicode", "contient un demi-caractère : envoyez de l'Unicode valide"),
    (
        "stands twice in this batch with other content: give updated_at, or send them one after another",
        "figure deux fois dans ce lot avec un autre contenu : donnez la date de modification (updated_at), ou "
        "envoyez-les l'un après l'autre",
    ),
    ("is missing: send it", "manque"),
    ("is no field here: remove it, or mend its name", "n'est pas un champ connu : retirez-le, ou corrigez son nom"),
    ("must be text: send it in quotes", "doit être un texte : écrivez-le entre guillemets"),
    ("holds characters that are no Unicode: send valid UTF-8", "contient des caractères hors d'Unicode"),
    ("is longer than {} characters: shorten it", "dépasse {0} caractères : raccourcissez-le"),
    ("is shorter than {} characters: send more", "a moins de {0} caractères : complétez-le"),
    ("is empty: give it a value, or leave it out", "est vide : donnez une valeur, ou retirez-le"),
    ("must be a whole number", "doit être un nombre entier"),
    ("is too large a number", "est un nombre trop grand"),
    ("must be a number", "doit être un nombre"),
    ("must be a finite number", "doit être un nombre fini"),
    ("must be true or false", "doit être true ou false"),
    ("must be a list: send [...]", "doit être une liste : envoyez [...]"),
    ("must be an object: send {...}", "doit être un objet : envoyez {...}"),
    ("must be more than {}", "doit dépasser {0}"),
    ("must be at least {}", "doit être au moins {0}"),
    ("must be less than {}", "doit être sous {0}"),
    ("must be at most {}", "doit être au plus {0}"),
    ("has fewer than {} entries: send more", "a moins de {0} éléments : envoyez-en davantage"),
    ("has more than {} entries: send fewer", "a plus de {0} éléments : envoyez-en moins"),
    ("is no day: write it as {}", "n'est pas un jour : écrivez-le comme {0}"),
    ("is no month: write it as {}", "n'est pas un mois : écrivez-le comme {0}"),
    ("is no time: send RFC 3339 with a zone, such as {}", "n'est pas une date et une heure : écrivez-la comme {0}"),
    ("is no mail address: send one such as {}", "n'est pas une adresse de courriel, comme {0}"),
    ("must be three capital letters, such as {}", "doit être de trois majuscules, comme {0}"),
    (
        "holds a line break or another control character: remove it",
        "contient un saut de ligne ou un autre caractère de commande : retirez-le",
    ),
    ("must be {}", "doit valoir {0}"),
    # the same in releases before, as imports of then keep it
    ("Field required", "manque"),
    ("Extra inputs are not permitted", "n'est pas un champ connu"),
    ("Input should be a valid string", "doit être un texte"),
    ("Input should be a valid datetime{}", "n'est pas une date et une heure lisibles"),
    ("Input should be a valid date{}", "n'est pas une date lisible"),
    ("Input should be a valid number{}", "doit être un nombre"),
    ("Input should be a valid integer{}", "doit être un nombre entier"),
    ("Input should be a finite number", "doit être un nombre fini"),
    ("Input should be a valid boolean{}", "doit être vrai ou faux"),
    ("Input should be a valid dictionary{}", "doit être un objet"),
    ("Input should be an object", "doit être un objet"),
    ("Input should be greater than or equal to {}", "doit être au moins {0}"),
    ("Input should be less than or equal to {}", "doit être au plus {0}"),
    ("Input should be {}", "doit valoir {0}"),
    ("String should have at most {} character{}", "dépasse {0} caractères"),
    ("String should have at least {} character{}", "doit avoir au moins {0} caractère"),
    ("String should match pattern {}", "n'a pas la forme attendue"),
    # what was assumed, and what to look at
    (
        "These columns are left out: {}. A mapping can name their field.",
        "Ces colonnes sont ignorées : {0}. Vous pouvez leur donner un champ.",
    ),
    (
        "No column tells when it happened: the notes count as of the day of the import.",
        "Aucune colonne ne dit quand : les notes comptent au jour de l'import.",
    ),
    (
        "No column names the account: the notes count for none.",
        "Aucune colonne ne nomme le compte : les notes ne comptent pour aucun.",
    ),
    (
        "No column names the deal: amounts and outcomes count for one deal an account.",
        "Aucune colonne ne nomme l'affaire : montants et issues comptent pour une affaire par compte.",
    ),
    (
        "No column holds an id: a row that is edited later comes as another note.",
        "Aucune colonne ne contient d'identifiant : une ligne modifiée plus tard viendra comme une autre note.",
    ),
    ("These sheets have no column of text: {}.", "Ces feuilles n'ont pas de colonne de texte : {0}."),
    (
        "No date of the notes proves the order of day and month; they are read {}: say dates= if not.",
        "Aucune date des notes ne prouve l'ordre du jour et du mois ; elles sont lues {0}. Sinon, dites-le.",
    ),
    (
        "{} of the first {} rows can't be taken; each says why.",
        "{0} des {1} premières lignes ne peuvent pas être prises ; chacune dit pourquoi.",
    ),
    # the form
    (
        "is given to two columns: only text takes several",
        "est donné à deux colonnes : seul le texte en prend plusieurs",
    ),
    (
        "{} is given to two columns: only text takes several",
        "{0} est donné à deux colonnes : seul le texte le peut",
    ),
    (
        "is a JSON object of column names and fields, such as {}",
        "est un objet JSON de noms de colonnes et de champs, comme {0}",
    ),
    ("{} is not a field; the fields are {}, or null", "{0} n'est pas un champ ; les champs sont {1}, ou null"),
    (
        "is missing: send the file as the form's field `file`, or as the whole body",
        "manque : choisissez un fichier",
    ),
    ("is text: send it as a file, with a filename", "est un texte : envoyez-le comme fichier"),
    ("The form can't be read: {}", "Le formulaire est illisible : {0}"),
    ("There is not enough room on the disk for {}", "Le disque n'a plus assez de place."),
)

TERMS: dict[str, str] = {
    "CSV, XLSX, ODS, HTML, JSON Lines, DOCX, PDF, EML, MBOX, VTT, SRT, TXT, Markdown, or a ZIP of these": (
        "CSV, XLSX, ODS, HTML, JSON Lines, DOCX, PDF, EML, MBOX, VTT, SRT, TXT, Markdown, ou un ZIP de ceux-ci"
    ),
    "The file": "Le fichier",
    "The body": "Le contenu",
    "the line": "la ligne",
    "a file with text": "un fichier de texte",
    "its transcript as VTT, SRT or TXT": "VTT, SRT ou TXT (sa transcription)",
    "a sound or picture file": "un fichier de son ou d'image",
    "an Office file with a password": "un fichier Office avec mot de passe",
    "a file without password": "fichier sans mot de passe",
    "a Word file of the old kind (.doc)": "un fichier Word d'ancien type (.doc)",
    "an Excel file of the old kind (.xls)": "un fichier Excel d'ancien type (.xls)",
    "a PowerPoint file of the old kind (.ppt)": "un fichier PowerPoint d'ancien type (.ppt)",
    "an Outlook message (.msg)": "un message Outlook (.msg)",
    "an old Office file, an Outlook message or an Office file with a password": (
        "un ancien fichier Office, un message Outlook ou un fichier Office avec mot de passe"
    ),
    "XLSX, DOCX or EML": "XLSX, DOCX ou EML",
    "day first": "jour d'abord",
    "month first": "mois d'abord",
    "day first by the dates of other columns": "jour d'abord d'après les dates d'autres colonnes",
    "month first by the dates of other columns": "mois d'abord d'après les dates d'autres colonnes",
    "day first by the dates of other sheets": "jour d'abord d'après les dates d'autres feuilles",
    "month first by the dates of other sheets": "mois d'abord d'après les dates d'autres feuilles",
    "month first as the United States write them, by their AM and PM": (
        "mois d'abord, comme aux États-Unis, d'après leurs AM et PM"
    ),
    "a comma": "une virgule",
    "a semicolon": "un point-virgule",
    "a tab": "une tabulation",
}
