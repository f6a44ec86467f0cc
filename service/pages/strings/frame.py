"""What the pages say: the frame of every page, pages of lists, and what goes wrong."""

from __future__ import annotations

STRINGS: dict[str, tuple[str, str]] = {
    # the frame of every page
    "skip": ("Skip to the content", "Aller au contenu"),
    "insights": ("Insights", "Enseignements"),
    "sign_out": ("Sign out", "Déconnexion"),
    "other_language": ("Français", "English"),
    "main_menu": ("Main menu", "Menu principal"),
    "footer": (
        "Binôme reads every note where it is stored: no text leaves this installation unless you have it sent.",
        "Binôme lit chaque note là où elle est stockée : aucun texte ne quitte cette installation "
        "sans que vous le demandiez.",
    ),
    "colon": (": ", " : "),
    # pages of a list
    "pages": ("Pages", "Pages"),
    "previous_page": ("Previous", "Précédent"),
    "next_page": ("Next", "Suivant"),
    "page_of": ("Page {page} of {pages}", "Page {page} sur {pages}"),
    "export": ("Export", "Exporter"),
    # what goes wrong
    "error_400": ("This request can't be read.", "Cette demande est illisible."),
    "error_403": (
        "Your account or key may not do this: ask an administrator for the right to (“read” to look, “curate” to "
        "correct, “admin” to manage).",
        "Votre compte ou votre clé ne permet pas cela : demandez ce droit à un administrateur (« read » pour lire, "
        "« curate » pour corriger, « admin » pour gérer).",
    ),
    "error_404": (
        "There is nothing at this address. It may have been erased, or the link is incomplete.",
        "Il n'y a rien à cette adresse. Le contenu a pu être effacé, ou le lien est incomplet.",
    ),
    "error_405": ("This address can't be used that way.", "Cette adresse ne s'utilise pas ainsi."),
    "error_409": (
        "Someone changed this meanwhile, or a later change stands on it: look again, then try once more.",
        "Quelqu'un l'a modifié entre-temps, ou un changement ultérieur en dépend : revérifiez, puis réessayez.",
    ),
    "error_413": ("What was sent is too large.", "L'envoi est trop volumineux."),
    "error_422": (
        "Some of what this address or form says is wrong: go back and change it.",
        "Une partie de cette adresse ou de ce formulaire est fausse : revenez en arrière et corrigez-la.",
    ),
    "error_500": (
        "Something went wrong on our side. Try again; if it stays, give your administrator the number below.",
        "Une erreur est survenue de notre côté. Réessayez ; si elle persiste, donnez à votre administrateur le numéro "
        "ci-dessous.",
    ),
    "error_503": (
        "The database does not answer for now. Try again in a moment.",
        "La base de données ne répond pas pour le moment. Réessayez dans un instant.",
    ),
    "error_429": (
        "Too much is asked at once. Try again in a moment.",
        "Trop de demandes à la fois. Réessayez dans un instant.",
    ),
    "error_507": (
        "The disk is full: your administrator has to make room.",
        "Le disque est plein : votre administrateur doit faire de la place.",
    ),
    "error_withheld_403": (
        "Here nothing is shown of a few accounts or authors, so single notes are for those who may see what names "
        "persons.",
        "Ici, rien n'est montré de quelques comptes ou auteurs : les notes une à une sont réservées à qui peut voir ce "
        "qui nomme des personnes.",
    ),
    "error_withheld_404": (
        "Too few accounts or authors said this, or nobody did: it is not shown for this period and these filters.",
        "Trop peu de comptes ou d'auteurs l'ont dit, ou personne : ce n'est pas montré pour cette période et ces "
        "filtres.",
    ),
    "error_title_withheld": ("Withheld", "Non montré"),
    "error_title_403": ("Not allowed", "Accès refusé"),
    "error_title_404": ("Not found", "Introuvable"),
    "error_title_409": ("It has changed", "Cela a changé"),
    "error_title_500": ("Something went wrong", "Une erreur est survenue"),
    "error_title_503": ("Try again in a moment", "Réessayez dans un instant"),
    "error_title": ("This did not work", "Cela n'a pas marché"),
    "request_number": ("Request {id}", "Demande {id}"),
    "home": ("Go to the insights", "Aller aux enseignements"),
}
