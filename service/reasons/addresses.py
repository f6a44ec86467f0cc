"""What is wrong with the addresses of endpoints and subscriptions, in French."""

from __future__ import annotations

FIELD_NAMES: dict[str, tuple[str, str]] = {
    "url": ("Address", "Adresse"),
    "address": ("Address", "Adresse"),
    "time_zone": ("Time zone", "Fuseau horaire"),
}
_PRIVATE = "BINOME_OUTGOING_PRIVATE=on"
ADDRESS_REASONS: tuple[tuple[str, str], ...] = (
    ("is not a URL", "n'est pas une URL"),
    (
        "must be a URL of printable ASCII, at most {} characters",
        "doit être une URL en ASCII imprimable, de {0} caractères au plus",
    ),
    ("must start with https://", "doit commencer par https://"),
    ("must start with https:// or http://", "doit commencer par https:// ou http://"),
    (
        f"must start with https://: {_PRIVATE} allows http:// inside a network",
        f"doit commencer par https:// : {_PRIVATE} autorise http:// à l'intérieur d'un réseau",
    ),
    (
        "must have a host, and neither user name, password nor fragment",
        "doit avoir un hôte, sans nom d'utilisateur, mot de passe ni fragment",
    ),
    (
        f"is an address inside a network: {_PRIVATE} allows it",
        f"est une adresse interne à un réseau : {_PRIVATE} l'autorise",
    ),
    (f"is a name inside a network: {_PRIVATE} allows it", f"est un nom interne à un réseau : {_PRIVATE} l'autorise"),
    (
        "must be one mail address, such as marketing@firm.com",
        "doit être une seule adresse e-mail, comme marketing@firm.com",
    ),
    ("can't be mailed to: set BINOME_SMTP_URL first", "ne peut pas recevoir d'e-mail : réglez d'abord BINOME_SMTP_URL"),
    ("is no time zone, such as Europe/Paris", "n'est pas un fuseau horaire, comme Europe/Paris"),
    (
        "The subscription {} is switched off: switch it on first.",
        "L'abonnement {0} est désactivé : activez-le d'abord.",
    ),
    ("The endpoint {} is switched off: switch it on first.", "L'adresse {0} est désactivée : activez-la d'abord."),
    (
        "The delivery {} is being sent: look again in a moment.",
        "L'envoi {0} est en cours : regardez de nouveau dans un instant.",
    ),
)
