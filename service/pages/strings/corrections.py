"""What the pages say: corrections of findings."""

from __future__ import annotations

STRINGS: dict[str, tuple[str, str]] = {
    "correct": ("Correct", "Corriger"),
    "type": ("Type", "Type"),
    "status": ("What became of it", "Ce qu'elle est devenue"),
    "relation": ("At the account", "Chez le compte"),
    "standing": ("Against us", "Face à nous"),
    "name": ("Competitor", "Concurrent"),
    "save": ("Save", "Enregistrer"),
    "deny_objection": ("Not an objection", "Pas une objection"),
    "deny_competitor": ("Not a competitor", "Pas un concurrent"),
    "corrected": ("Corrected. All counts follow at once.", "Corrigé. Tous les chiffres suivent aussitôt."),
    "undone": ("Undone. All counts follow at once.", "Annulé. Tous les chiffres suivent aussitôt."),
    "missed": ("Something was missed?", "Quelque chose a échappé à la lecture ?"),
    "missed_text": (
        "Select the words in the note, or write them here as they stand there, and say what they are.",
        "Sélectionnez les mots dans la note, ou écrivez-les ici comme ils y figurent, et dites ce qu'ils sont.",
    ),
    "missed_words": ("Words of the note", "Mots de la note"),
    "missed_mark": ("Mark these words", "Marquer ces mots"),
    "missed_objection": ("As an objection", "Comme objection"),
    "missed_competitor": ("As a competitor", "Comme concurrent"),
    "add_objection": ("Add the objection", "Ajouter l'objection"),
    "add_competitor": ("Add the competitor", "Ajouter le concurrent"),
    "name_as_written": ("Name (as written if empty)", "Nom (tel quel si vide)"),
    "fault_missed": (
        "These words do not stand in the note: select them in the text, or copy them as they are.",
        "Ces mots ne figurent pas dans la note : sélectionnez-les dans le texte ou copiez-les tels quels.",
    ),
    "fault_stands": (
        "Something was found or denied at this place already: correct that instead.",
        "Quelque chose a déjà été trouvé ou écarté à cet endroit : corrigez plutôt cela.",
    ),
    "corrections": ("Corrections", "Corrections"),
    "correction_by": ("{by}, {date}", "{by}, {date}"),
    "correction_not_an_objection": ("Not an objection", "Pas une objection"),
    "correction_wrong_type": ("Another type", "Un autre type"),
    "correction_wrong_status": ("Another outcome", "Une autre issue"),
    "correction_wrong_span": ("Other words", "D'autres mots"),
    "correction_missed_objection": ("Objection added", "Objection ajoutée"),
    "correction_not_a_competitor": ("Not a competitor", "Pas un concurrent"),
    "correction_wrong_relation": ("Another relation", "Une autre relation"),
    "correction_wrong_standing": ("Another standing", "Une autre position"),
    "correction_wrong_name": ("Another competitor", "Un autre concurrent"),
    "correction_missed_competitor": ("Competitor added", "Concurrent ajouté"),
    "set_aside": (
        "set aside: the note no longer holds these words",
        "mise de côté : la note ne contient plus ces mots",
    ),
}
