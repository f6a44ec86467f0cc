"""What the pages say: the second factor."""

from __future__ import annotations

STRINGS: dict[str, tuple[str, str]] = {
    "factor": ("Second factor", "Second facteur"),
    "factor_why": (
        "A code of an application on your phone, asked for after the password: who learns your password alone does not "
        "get in.",
        "Un code d'une application de votre téléphone, demandé après le mot de passe : connaître votre mot de passe ne "
        "suffit plus pour entrer.",
    ),
    "factor_begin": ("Set up the second factor", "Configurer le second facteur"),
    "factor_asked": (
        "Your administrator asks for a code of an application beside the password. It is set up once.",
        "Votre administrateur demande, en plus du mot de passe, un code d'une application. Cela se règle une fois.",
    ),
    "factor_scan": (
        "Scan this with an authenticator application.",
        "Scannez ceci avec une application d'authentification.",
    ),
    "factor_qr": ("QR code with the secret below", "QR code contenant le secret ci-dessous"),
    "factor_open": ("Open the application on this device", "Ouvrir l'application sur cet appareil"),
    "factor_type": ("Or type this secret into it:", "Ou saisissez-y ce secret :"),
    "factor_code_first": ("Type the code that it shows", "Saisissez le code qu'elle affiche"),
    "factor_turn_on": ("Turn on", "Activer"),
    "factor_on": ("On since {at}.", "Activé depuis le {at}."),
    "factor_has": ("second factor", "second facteur"),
    "factor_off": ("Turn off", "Désactiver"),
    "factor_reset": ("Take the second factor away", "Retirer le second facteur"),
    "factor_required": (
        "Your administrator requires the second factor.",
        "Votre administrateur exige le second facteur.",
    ),
    "factor_by_provider": (
        "You have no password here: whoever you sign in with asks for a second factor.",
        "Vous n'avez pas de mot de passe ici : c'est au fournisseur de comptes de demander un second facteur.",
    ),
    "wrong_step": (
        "The second factor has changed meanwhile: look at how it is now.",
        "Le second facteur a changé entre-temps : voyez où il en est.",
    ),
    "code": ("Code", "Code"),
    "factor_code": ("Type your code", "Saisissez votre code"),
    "factor_which": (
        "The six digits that your authenticator application shows, or one of your recovery codes.",
        "Les six chiffres affichés par votre application d'authentification, ou l'un de vos codes de secours.",
    ),
    "factor_lost": (
        "Neither at hand? An administrator can take the second factor away.",
        "Ni l'un ni l'autre sous la main ? Un administrateur peut retirer le second facteur.",
    ),
    "factor_late": (
        "Too much time has passed: sign in again.",
        "Trop de temps a passé : connectez-vous de nouveau.",
    ),
    "sign_in_otherwise": ("Sign in otherwise", "Se connecter autrement"),
    "wrong_code": (
        "This code is wrong, or was used already: wait for the next one.",
        "Ce code est faux ou a déjà servi : attendez le suivant.",
    ),
    "recovery_codes": ("Your recovery codes", "Vos codes de secours"),
    "recovery_once": (
        "Copy or print them now: they are not shown again.",
        "Copiez-les ou imprimez-les maintenant : ils ne seront plus affichés.",
    ),
    "recovery_text": (
        "Each signs you in once in place of the application's code. Keep them apart from your phone.",
        "Chacun remplace une fois le code de l'application. Gardez-les ailleurs que dans votre téléphone.",
    ),
    "recovery_kept": ("I have kept them", "Je les ai conservés"),
    "recovery_left": (
        "One recovery code is left.|{n} recovery codes are left.",
        "Il reste {n} code de secours.|Il reste {n} codes de secours.",
    ),
    "recovery_new": ("New recovery codes", "Nouveaux codes de secours"),
    "end_ticked": ("Sign out where ticked", "Fermer les sessions cochées"),
    "no_session_ticked": ("Tick at least one session.", "Cochez au moins une session."),
}
