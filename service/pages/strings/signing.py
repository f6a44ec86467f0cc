"""What the pages say: signing in."""

from __future__ import annotations

STRINGS: dict[str, tuple[str, str]] = {
    "sign_in": ("Sign in", "Se connecter"),
    "sign_in_text": (
        "Open the link that Binôme prints when it starts, ask your administrator for one, or paste a key with the "
        "scope “read”.",
        "Ouvrez le lien que Binôme affiche au démarrage, demandez-en un à votre administrateur, ou collez une clé qui "
        "a le droit « read ».",
    ),
    "sign_in_by_key": ("Sign in with a key", "Se connecter avec une clé"),
    "sign_in_with": ("Sign in with {name}", "Se connecter avec {name}"),
    "provider_away": (
        "The provider of accounts does not answer: try again in a while, or sign in another way.",
        "Le fournisseur de comptes ne répond pas : réessayez plus tard, ou connectez-vous autrement.",
    ),
    "provider_refused": (
        "The provider's answer does not hold, or came too late: try again.",
        "La réponse du fournisseur de comptes n'est pas valable, ou est arrivée trop tard : réessayez.",
    ),
    "provider_weak": (
        "The provider let you in too easily, or too long ago, for what is asked here: sign in there anew, with a "
        "second factor.",
        "Le fournisseur vous a laissé entrer trop facilement, ou il y a trop longtemps, pour ce qui est demandé ici : "
        "connectez-vous-y de nouveau, avec un second facteur.",
    ),
    "provider_no_account": (
        "You have no account here, or it is closed: ask your administrator.",
        "Vous n'avez pas de compte ici, ou il est fermé : demandez à votre administrateur.",
    ),
    "email": ("E-mail address", "Adresse e-mail"),
    "password": ("Password", "Mot de passe"),
    "bad_password": (
        "The address or the password is wrong, or the account is closed.",
        "L'adresse ou le mot de passe est faux, ou le compte est fermé.",
    ),
    "slowed": (
        "Signing in failed too often: wait a little, then try again.",
        "Trop d'essais de connexion ont échoué : patientez un peu, puis réessayez.",
    ),
    "key": ("Key", "Clé"),
    "bad_key": (
        "This key is unknown, expired or revoked: check that it was copied whole.",
        "Cette clé est inconnue, expirée ou révoquée : vérifiez qu'elle a été copiée en entier.",
    ),
    "key_cannot_read": (
        "This key lacks the scope “read”: ask your administrator for one that has it.",
        "Cette clé n'a pas le droit « read » : demandez-en une qui l'a à votre administrateur.",
    ),
    "bad_link": (
        "This link was used already or has expired: ask for a new one, or paste a key.",
        "Ce lien a déjà servi ou a expiré : demandez-en un autre, ou collez une clé.",
    ),
}
