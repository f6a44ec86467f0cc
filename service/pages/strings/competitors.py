"""What the pages say: competitors and new names."""

from __future__ import annotations

STRINGS: dict[str, tuple[str, str]] = {
    "competitors": ("Competitors", "Concurrents"),
    "competitors_lede": (
        "Whom you follow under which names, and names in the notes that may be a competitor's.",
        "Qui vous suivez et sous quels noms, et les noms relevés dans les notes qui pourraient être des concurrents.",
    ),
    "new_names": ("New names", "Nouveaux noms"),
    "new_names_text": (
        "Notes use these names like a competitor's. They count in the ranking once you follow them.",
        "Les notes emploient ces noms comme ceux d'un concurrent. Ils comptent au classement une fois suivis.",
    ),
    "new_names_none": ("No new name waits for a decision.", "Aucun nouveau nom n'attend de décision."),
    "n_mentions": ("{n} mention|{n} mentions", "{n} mention|{n} mentions"),
    "an_example": ("An example", "Un exemple"),
    "follow": ("Follow", "Suivre"),
    "follow_named": ("Follow {name}", "Suivre {name}"),
    "same_as": ("Same as", "Identique à"),
    "join": ("Join", "Réunir"),
    "no_competitor": ("No competitor", "Pas un concurrent"),
    "more_names": ("{n} more name|{n} more names", "{n} autre nom|{n} autres noms"),
    "where_they_stand": ("Where they stand", "Où ils en sont"),
    "n_followed": ("{n} followed|{n} followed", "{n} suivi|{n} suivis"),
    "stands_text": (
        "At how many accounts each is in place, evaluated, lost to or won against; mentions in which it is behind us "
        "(left) or ahead (right); the share of closed deals won where it is named, from five on.",
        "Chez combien de comptes chacun est en place, à l'étude, gagnant ou battu ; mentions où il est derrière nous "
        "(à gauche) ou devant (à droite) ; part des affaires closes gagnées où il est cité, dès cinq.",
    ),
    "stand_incumbent": ("In place", "En place"),
    "stand_evaluating": ("Evaluated", "À l'étude"),
    "stand_lost_to": ("Lost to", "Perdu contre"),
    "stand_won_against": ("Won against", "Gagné contre"),
    "behind_or_ahead": ("Behind us · ahead", "Derrière nous · devant"),
    "won_rate": ("Win rate", "Taux de gain"),
    "followed_none": ("No competitor is followed yet.", "Aucun concurrent n'est suivi pour l'instant."),
    "names_waiting": (
        "{n} new name may be a competitor|{n} new names may be competitors",
        "{n} nouveau nom est peut-être un concurrent|{n} nouveaux noms sont peut-être des concurrents",
    ),
    "decide": ("Decide", "Décider"),
}
