"""What digests, alerts and the page that ends them say."""

from __future__ import annotations

STRINGS: dict[str, tuple[str, str]] = {
    "digest_subject": ("What customers said, {period}", "Ce que disent les clients, {period}"),
    "digest_title": ("What customers said", "Ce que disent les clients"),
    "digest_summary": (
        "{notes} from {accounts} were read. What matters most, and why:",
        "Lecture de {notes} de {accounts}. Ce qui compte le plus, et pourquoi :",
    ),
    "digest_none": (
        "No note of these days was read. Ask whether the sources still send.",
        "Aucune note de ces jours n'a été lue. Vérifiez que les sources envoient encore.",
    ),
    "digest_nothing": ("Nothing was found in these notes.", "Rien n'a été relevé dans ces notes."),
    "digest_trend": (
        "{direction}: {notes}, {before} in the 30 days before",
        "{direction} : {notes}, {before} les 30 jours d'avant",
    ),
    "digest_open": ("Open the ranking", "Ouvrir le classement"),
    "digest_read": ("See the evidence", "Voir les preuves"),
    "digest_account": ("{account}, {date}", "{account}, {date}"),
    "digest_only": ("Only notes with {filters}.", "Seulement les notes avec {filters}."),
    "digest_why": (
        "You get this because “{name}” is subscribed in Binôme.",
        "Vous recevez ce message parce que « {name} » est abonné dans Binôme.",
    ),
    "digest_unsubscribe": ("Unsubscribe", "Se désabonner"),
    "about_emerging": ("Emerging theme", "Thème émergent"),
    "digest_also": ("Also seen as {kind} “{title}”: {text}", "Vu aussi comme {kind} « {title} » : {text}"),
    "digest_rank": ("No. {n}", "N° {n}"),
    "alert_subject": ("Rising among customers: {first}{more}", "En hausse chez les clients : {first}{more}"),
    "alert_more": (" and {n} more| and {n} more", " et {n} autre| et {n} autres"),
    "alert_title": ("Rising among customers", "En hausse chez les clients"),
    "alert_summary": (
        "Significantly more often in the last 30 days than in the 30 before, in {notes} from {accounts}:",
        "Nettement plus souvent ces 30 derniers jours que les 30 d'avant, dans {notes} de {accounts} :",
    ),
    "filter_language": ("language", "langue"),
    "filter_team": ("team", "équipe"),
    "filter_segment": ("segment", "segment"),
    "filter_account": ("account", "compte"),
    "filter_kind": ("kind", "type"),
    "filter_outcome": ("outcome", "issue"),
    "filter_source": ("source", "source"),
    "filter_competitor": ("competitor", "concurrent"),
    "filter_objection_type": ("objection", "objection"),
    "filter_theme": ("theme", "thème"),
    "unsubscribe_title": ("Unsubscribe", "Se désabonner"),
    "unsubscribe_ask": (
        "“{name}” will get no more digests and alerts.",
        "« {name} » ne recevra plus ni synthèses ni alertes.",
    ),
    "unsubscribe_do": ("Unsubscribe", "Se désabonner"),
    "unsubscribe_done": ("Done: no more messages will be sent.", "C'est fait : plus aucun message ne sera envoyé."),
    "unsubscribe_wrong": (
        "This link is not valid, or the subscription is gone.",
        "Ce lien n'est pas valable, ou l'abonnement n'existe plus.",
    ),
}
