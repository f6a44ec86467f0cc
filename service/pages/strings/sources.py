"""What the pages say: the sources of notes."""

from __future__ import annotations

STRINGS: dict[str, tuple[str, str]] = {
    "sources": ("Sources", "Sources"),
    "sources_lede": (
        "Where notes come from, how fresh each source is, and what could not be taken.",
        "D'où viennent les notes, si chaque source est à jour, et ce qui n'a pas pu être pris.",
    ),
    "connected": ("Connected", "Connectées"),
    "none_connected": (
        "No source has sent anything yet. Choose one below; until then, files go in under Imports.",
        "Aucune source n'a encore rien envoyé. Choisissez-en une ci-dessous ; en attendant, importez des fichiers.",
    ),
    "connection": ("Connection", "Connexion"),
    "state": ("State", "État"),
    "state_off": ("Switched off", "Désactivée"),
    "state_late": ("Silent for unusually long", "Silence inhabituel"),
    "state_fresh": ("Up to date", "À jour"),
    "state_silent": ("Nothing came yet", "Rien reçu encore"),
    "last_note": ("Last note", "Dernière note"),
    "usual_gap_short": ("usually several a minute", "d'ordinaire plusieurs par minute"),
    "usual_gap": ("usually every {gap}", "d'ordinaire toutes les {gap}"),
    "received": ("Received", "Reçu"),
    "n_deliveries": ("{n} delivery|{n} deliveries", "{n} envoi|{n} envois"),
    "ago": ("{span} ago", "il y a {span}"),
    "seconds": ("{n} s", "{n} s"),
    "minutes": ("{n} min", "{n} min"),
    "hours": ("{n} h", "{n} h"),
    "days": ("{n} days", "{n} jours"),
    "by_settings": ("named by the settings", "définie dans les réglages"),
    "manage": ("Manage", "Gérer"),
    "switch_off": ("Switch off", "Désactiver"),
    "switch_on": ("Switch on", "Activer"),
    "rotate": ("Change the secret", "Changer le secret"),
    "rotate_text": (
        "The present secret counts for a day more, so that you can change it at the sender's meanwhile.",
        "Le secret actuel reste valable un jour de plus, le temps de le changer chez l'expéditeur.",
    ),
    "previous_until": ("former secret valid until {date}", "ancien secret valable jusqu'au {date}"),
    "new_secret": ("New secret (made for you if empty)", "Nouveau secret (créé pour vous si vide)"),
    "remove_connection": ("Forget this connection", "Oublier cette connexion"),
    "remove_text": (
        "Its sender is no longer let in; its notes stay.",
        "L'expéditeur n'entre plus ; ses notes restent.",
    ),
    "waiting_fetches": (
        "{n} record waits to be fetched.|{n} records wait to be fetched.",
        "{n} enregistrement reste à récupérer.|{n} enregistrements restent à récupérer.",
    ),
    "faults": ("What could not be taken", "Ce qui n'a pas pu être pris"),
    "faults_none": ("Everything that was sent was taken.", "Tout ce qui a été envoyé a été pris."),
    "faults_text": (
        "Kept for 90 days with what was sent, so that nothing is lost unseen. Mend the cause (a mapping, an option, a "
        "right), then play it again; or dismiss it, and what was sent is forgotten.",
        "Conservé 90 jours avec le contenu envoyé, pour que rien ne se perde à votre insu. Corrigez la cause (une "
        "correspondance, une option, un droit), puis rejouez ; ou classez, et le contenu envoyé est oublié.",
    ),
    "retention": ("How long notes are kept", "Durée de conservation des notes"),
    "retention_text": (
        "Counted from the day of the note. Past that, its words and findings are erased for good, from reports too, "
        "whose figures stay. Notes older than that are not taken.",
        "Comptée du jour de la note. Au-delà, son texte et ce qui y fut lu sont effacés pour de bon, dans les rapports "
        "aussi ; les chiffres des rapports restent. Une note plus ancienne n'est pas prise.",
    ),
    "retention_none": ("Notes are kept for ever.", "Les notes sont gardées sans limite."),
    "retention_every": ("Every source", "Toutes les sources"),
    "retention_days": ("{n} day|{n} days", "{n} jour|{n} jours"),
    "retention_forever": ("no rule of its own", "aucune durée propre"),
    "retention_since": ("notes since {date}, set by {by}", "notes depuis le {date}, décidé par {by}"),
    "retention_source": ("Source (every one if empty)", "Source (toutes si vide)"),
    "retention_number": ("Days (for ever if empty)", "Jours (sans limite si vide)"),
    "retention_preview": ("See what would go", "Voir ce qui partirait"),
    "retention_notes": (
        "{n} note would be erased.|{n} notes would be erased.",
        "{n} note serait effacée.|{n} notes seraient effacées.",
    ),
    "retention_records": (
        "The content of {n} fault or refused row too.|The content of {n} faults and refused rows too.",
        "Ainsi que le contenu de {n} envoi ou ligne refusés.|Ainsi que le contenu de {n} envois et lignes refusés.",
    ),
    "retention_due": (
        "{n} note is past it and is being erased.|{n} notes are past it and are being erased.",
        "{n} note l'a dépassée et s'efface.|{n} notes l'ont dépassée et s'effacent.",
    ),
    "retention_final": (
        "It begins at once and can't be undone. From then on, it is done each night.",
        "Cela commence aussitôt et ne se défait pas. Ensuite, chaque nuit.",
    ),
    "retention_set": ("Keep them so long", "Appliquer cette durée"),
    "retention_leave": ("Leave it as it is", "Ne rien changer"),
    "replay_fault": ("Play again", "Rejouer"),
    "dismiss_fault": ("Dismiss", "Classer"),
    "replay_all": ("Play all again", "Tout rejouer"),
    "dismiss_all": ("Dismiss all", "Tout classer"),
    "faults_refused": (
        "Some can't be taken still: each below says why.",
        "Certains ne peuvent toujours pas être pris : chacun, ci-dessous, dit pourquoi.",
    ),
    "when": ("When", "Quand"),
    "reason": ("Reason", "Raison"),
    "sent": ("What was sent", "Contenu envoyé"),
    "add_source": ("Add a source", "Ajouter une source"),
    "add_source_text": (
        "Each proves itself with a secret; nothing is taken from a sender that is not listed above.",
        "Chacune s'authentifie par un secret ; rien n'est pris d'un expéditeur absent de la liste ci-dessus.",
    ),
    "add_source_admin": (
        "An administrator adds sources and changes them.",
        "Un administrateur ajoute et modifie les sources.",
    ),
    "add_named": ("Add {name}", "Ajouter {name}"),
    "set_up": ("How to set it up", "Comment la mettre en place"),
    "address_to_call": ("Address to call", "Adresse à appeler"),
    "let_in": ("Let it in", "L'autoriser"),
    "connection_name": ("Name, to tell several apart", "Nom, pour en distinguer plusieurs"),
    "secret": ("Secret", "Secret"),
    "secret_text": (
        "The one that the sender shows you; leave it empty and one is made here.",
        "Celui que l'expéditeur vous montre ; laissez vide et il est créé ici.",
    ),
    "required": ("needed", "requis"),
    "more_options": ("More options", "Autres options"),
    "add": ("Add", "Ajouter"),
    "all_sources": ("All sources", "Toutes les sources"),
    "source_added": ("{name} is let in", "{name} est autorisée"),
    "source_rotated": ("{name} has a new secret", "{name} a un nouveau secret"),
    "secret_once": (
        "Copy the secret now: it is shown this once.",
        "Copiez le secret maintenant : il n'est montré qu'une fois.",
    ),
    "wrong_name": ("Give it a name of 100 characters at most.", "Donnez-lui un nom de 100 caractères au plus."),
    "wrong_secret": (
        "This secret does not have the form that the sender uses: copy it whole, at least 8 characters.",
        "Ce secret n'a pas la forme attendue : copiez-le en entier, 8 caractères au moins.",
    ),
    "wrong_option": (
        "An option is missing or can't be read: see what it is for below its field.",
        "Une option manque ou est illisible : voyez sous le champ à quoi elle sert.",
    ),
    "wrong_taken": (
        "There is a connection with this name or this secret already: choose another.",
        "Une connexion a déjà ce nom ou ce secret : choisissez-en un autre.",
    ),
    "what_it_posts": ("What it posts, for example", "Ce qu'elle envoie, par exemple"),
    "option_record_url": (
        "Template of links to records, such as https://crm.firm.com/notes/{{id}}",
        "Modèle des liens vers les fiches, par exemple https://crm.entreprise.fr/notes/{{id}}",
    ),
    "option_instance_url": (
        "https://firm.my.salesforce.com, for links to records",
        "https://entreprise.my.salesforce.com, pour les liens vers les fiches",
    ),
    "option_company_domain": (
        "What stands before .pipedrive.com, for links to deals",
        "Ce qui précède .pipedrive.com, pour les liens vers les affaires",
    ),
    "option_org_url": (
        "https://crm.zoho.eu/crm/org1234567, for links to deals and accounts",
        "https://crm.zoho.eu/crm/org1234567, pour les liens vers les affaires et les comptes",
    ),
    "option_app_url": (
        "https://us-12345.app.gong.io, for links to calls",
        "https://us-12345.app.gong.io, pour les liens vers les appels",
    ),
    "option_portal_id": (
        "The account's number (Hub ID); events of others are set aside",
        "Le numéro du compte (Hub ID) ; les événements des autres sont mis de côté",
    ),
    "option_org_id": (
        "The organisation's id, 15 or 18 characters: Setup, Company Information",
        "L'identifiant de l'organisation, 15 ou 18 caractères : Configuration, Informations sur la société",
    ),
    "option_fields": (
        "Which name of the sender is which field, as JSON: {example}",
        "Quel nom de l'expéditeur est quel champ, en JSON : {example}",
    ),
    "option_dates": (
        "day_first (default) or month_first: what 03/02/2026 is",
        "day_first (par défaut) ou month_first : ce que signifie 03/02/2026",
    ),
    "option_channel_id": ("The channel's number, as you chose it", "Le numéro du canal, tel que vous l'avez choisi"),
    "option_organization": (
        "The organization's host name, as the header x-ms-dynamics-organization has it",
        "Le nom d'hôte de l'organisation, comme dans l'en-tête x-ms-dynamics-organization",
    ),
    "state_failing": ("Can't be read", "Illisible"),
    "option_host": ("The server, such as imap.firm.com", "Le serveur, par exemple imap.entreprise.fr"),
    "option_user": ("The mailbox's user", "L'utilisateur de la boîte"),
    "option_port": ("993, or 143 where tls is not on", "993, ou 143 si tls n'est pas on"),
    "option_tls": (
        "on (default), starttls, or off on this machine alone",
        "on (par défaut), starttls, ou off sur cette machine seulement",
    ),
    "option_folder": ("The folder to read; INBOX if left out", "Le dossier à lire ; INBOX si rien n'est indiqué"),
    "option_done_folder": (
        "The folder to move messages to that were read; they stay where they are if left out",
        "Le dossier où ranger les messages lus ; sans lui, ils restent où ils sont",
    ),
    "option_users": ("Names for mentions, as JSON: {example}", "Noms pour les mentions, en JSON : {example}"),
    "option_reps": (
        "Addresses of your reps or their domain, as JSON: {example}; only they are named authors",
        "Adresses de vos commerciaux ou leur domaine, en JSON : {example} ; eux seuls sont nommés auteurs",
    ),
    "option_access_token": (
        "A private app's token, for fetching by API",
        "Le jeton d'une application privée, pour récupérer par l'API",
    ),
    "option_refresh_token": (
        "Or a public app's refresh token, with client_id",
        "Ou le jeton d'actualisation d'une application publique, avec client_id",
    ),
    "option_client_id": ("The public app's client id", "L'identifiant client de l'application publique"),
    "option_client_secret": (
        "The public app's client secret, where it is not the connection's secret",
        "Le secret client de l'application publique, s'il n'est pas le secret de la connexion",
    ),
    "option_base_url": (
        "Another address of the API (https, or http on this machine)",
        "Une autre adresse de l'API (https, ou http sur cette machine)",
    ),
    "option_reconcile_hours": (
        "Every how many hours the API is asked for what events lost: 6 if left out, 0 for never",
        "Toutes les combien d'heures l'API est interrogée sur ce que les événements ont perdu : 6 par défaut, 0 pour "
        "jamais",
    ),
    "option_api_token": (
        "A user's API token, for fetching by API",
        "Le jeton d'API d'un utilisateur, pour récupérer par l'API",
    ),
    "option_accounts_url": (
        "Where tokens are given: https://accounts.zoho.com if left out; .eu, .in and so on elsewhere",
        "Où les jetons sont donnés : https://accounts.zoho.com par défaut ; .eu, .in, etc. ailleurs",
    ),
    "option_access_key": (
        "An access key of Gong's API, for fetching transcripts",
        "Une clé d'accès à l'API de Gong, pour récupérer les transcriptions",
    ),
    "option_access_key_secret": ("The secret of that key", "Le secret de cette clé"),
    "option_token_url": (
        "Where tokens are given, for OAuth 2 in place of a password; the secret is the application's",
        "Où les jetons sont donnés, pour OAuth 2 au lieu d'un mot de passe ; le secret est celui de l'application",
    ),
    "option_scope": (
        "What the token is for, such as https://outlook.office365.com/.default",
        "À quoi sert le jeton, par exemple https://outlook.office365.com/.default",
    ),
}
