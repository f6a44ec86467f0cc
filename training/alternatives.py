"""The plain alternatives that a team would try first: keyword lists, and zero-shot by similarity to descriptions."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from models.encoder import Encoder
from models.lexicon import fold
from models.notes import read_note

KEYWORDS: Mapping[str, str] = {
    "price": (
        r"expensive|pric(?:e|ey|ing)|cheaper|discount|costs? (?:too|more)|cher|chers|chere|prix|tarifs?|"
        r"remise|moins cher"
    ),
    "budget": r"budgets?|capex|no money|funding|frozen|gele|enveloppe|credits?",
    "value": r"roi|no need|don't need|not needed|don't see|benefit|pas (?:un )?besoin|interet|utilite|valeur",
    "timing": (
        r"next year|later|not now|postpone[d]?|revisit|after the|priorit(?:y|e)|plus tard|rentree|"
        r"reporte[er]?|repousse[er]?"
    ),
    "authority": (
        r"head office|board|sign-?off|committee|procurement|approval|siege|comite|direction|validation|"
        r"valider|tranche"
    ),
    "status_quo": (
        r"happy with|satisfied with|under contract|current (?:supplier|vendor|provider)|satisfaits?|"
        r"prestataire actuel|sous contrat|fournisseur actuel"
    ),
    "product_gap": (
        r"missing|doesn't (?:support|do|have)|lacks?|no offline|too slow|feature|manque|fonctionnalite|"
        r"ne (?:fait|gere|permet) pas|trop lent"
    ),
    "integration": (r"integrat\w+|connector|api|interface|compatible|sync\w*|connecteur|interfac\w+|compatibilite"),
    "security_compliance": (
        r"security|gdpr|soc 2|iso ?27001|complian\w+|certificat\w*|hosting|securite|rgpd|conformite|"
        r"hebergement|hds|secnumcloud"
    ),
    "implementation": (
        r"migration|rollout|training|onboarding|implementation|change management|deploiement|formation|"
        r"reprise de donnees|conduite du changement"
    ),
    "trust": (r"references?|reputation|too small|bad experience|confiance|echaudes?|petite structure|perennite"),
    "service_delivery": r"lead times?|support|delivery|late|weeks|delais?|sav|livraison|hotline|retard",
    "contract_terms": (
        r"contract length|commitment|penalt(?:y|ies)|minimum order|notice period|engagement|resiliation|"
        r"tacite reconduction|penalites?|paiement a"
    ),
}

DESCRIPTIONS: Mapping[str, tuple[str, str]] = {
    "price": ("It is too expensive, costs more than the other quote", "C'est trop cher, plus cher que l'autre devis"),
    "budget": ("There is no budget, no money for it this year", "Il n'y a pas de budget, pas d'argent cette année"),
    "value": ("They don't need it and don't see the benefit", "Ils n'en ont pas besoin et n'en voient pas l'intérêt"),
    "timing": ("Not now, something else comes first, later", "Pas maintenant, autre chose passe avant, plus tard"),
    "authority": (
        "Somebody else decides, head office must approve",
        "C'est quelqu'un d'autre qui décide, le siège doit valider",
    ),
    "status_quo": ("They are happy with their current supplier", "Ils sont satisfaits de leur prestataire actuel"),
    "product_gap": (
        "It lacks a function they need, it is too slow",
        "Il manque une fonction dont ils ont besoin, c'est trop lent",
    ),
    "integration": ("It does not integrate with their systems", "Ce n'est pas compatible avec leurs systèmes"),
    "security_compliance": (
        "Security, privacy, hosting and certification",
        "Sécurité, données personnelles, hébergement, certification",
    ),
    "implementation": (
        "Too much work to roll out, migrate and train",
        "Trop de travail pour déployer, migrer et former",
    ),
    "trust": (
        "They don't believe we can deliver, no references",
        "Ils ne croient pas que nous tiendrons, pas de références",
    ),
    "service_delivery": (
        "Support is unreachable, lead times too long",
        "SAV injoignable, délais de livraison trop longs",
    ),
    "contract_terms": (
        "They refuse the contract length and clauses",
        "Ils refusent la durée d'engagement et les clauses",
    ),
}


def keyword_objections(text: str) -> list[dict[str, Any]]:
    """Return one objection for each sentence and type of which a keyword stands in it."""
    patterns = {t: re.compile(rf"\b(?:{p})\b") for t, p in KEYWORDS.items()}
    return [
        {"start": s.start, "end": s.end, "type": kind, "status": "open"}
        for s in read_note(text).segments
        for kind, pattern in patterns.items()
        if pattern.search(fold(text[s.start : s.end]))
    ]


def keyword_competitors(text: str, catalog: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return every place where a name of the catalogue stands, letter for letter but for case."""
    return [
        {
            "start": m.start(),
            "end": m.end(),
            "name": c["name"],
            "known": True,
            "relation": "mentioned",
            "standing": "neutral",
        }
        for c in catalog["competitors"]
        for alias in {c["name"], *c["aliases"]}
        for m in re.finditer(rf"\b{re.escape(alias)}\b", text, re.I)
    ]


def zero_shot_objections(texts: Sequence[str], encoder: Encoder, threshold: float) -> list[list[dict[str, Any]]]:
    """Give each sentence the type whose description is nearest, if the cosine reaches `threshold`."""
    kinds = list(DESCRIPTIONS)
    described = encoder.encode([d for pair in DESCRIPTIONS.values() for d in pair]).reshape(len(kinds), 2, -1)
    found = []
    for text in texts:
        segments = read_note(text).segments
        vectors = encoder.encode([text[s.start : s.end] for s in segments])
        similar = np.einsum("sd,kld->skl", vectors, described).max(axis=2)
        found.append(
            [
                {"start": s.start, "end": s.end, "type": kinds[int(row.argmax())], "status": "open"}
                for s, row in zip(segments, similar, strict=True)
                if row.max() >= threshold
            ]
        )
    return found
