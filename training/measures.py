"""The measures of the annotation guide, section 5, over notes in its format."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

Notes = Mapping[str, Mapping[str, Any]]


def prf(hits: int, found: int, gold: int) -> dict[str, float]:
    """Return precision, recall, F1 and the number of gold items."""
    precision = hits / found if found else 0.0
    recall = hits / gold if gold else 0.0
    f1 = 2 * precision * recall / (precision + recall) if precision + recall else 0.0
    return {"precision": precision, "recall": recall, "f1": f1, "gold": gold}


def overlap(a: Mapping[str, Any], b: Mapping[str, Any]) -> float:
    """Return the shared part of the shorter span, in [0, 1]."""
    shared = min(a["end"], b["end"]) - max(a["start"], b["start"])
    return max(0, shared) / max(1, min(a["end"] - a["start"], b["end"] - b["start"]))


def pairs_of(
    gold: Sequence[Any], found: Sequence[Any], same: Callable[[Any, Any], bool], least: float = 0.5
) -> list[tuple[Any, Any]]:
    """Pair spans one to one, the largest overlap first."""
    ranked = sorted(
        (-overlap(g, f), i, j)
        for i, g in enumerate(gold)
        for j, f in enumerate(found)
        if same(g, f) and overlap(g, f) >= least
    )
    pairs: list[tuple[Any, Any]] = []
    used_gold, used_found = set[int](), set[int]()
    for _, i, j in ranked:
        if i not in used_gold and j not in used_found:
            used_gold.add(i)
            used_found.add(j)
            pairs.append((gold[i], found[j]))
    return pairs


def _bare(name: str) -> str:
    return "".join(name.casefold().split())


def same_name(gold: Mapping[str, Any], found: Mapping[str, Any]) -> bool:
    """Compare canonical names; of a name outside the catalogue a part is enough."""
    a, b = _bare(gold["name"]), _bare(found["name"])
    return a == b or (not gold["known"] and (a in b or b in a))


def accuracy(pairs: Sequence[tuple[str, str]]) -> float | None:
    """Return the share of equal pairs; None where there is none."""
    return sum(a == b for a, b in pairs) / len(pairs) if pairs else None


def macro_f1(pairs: Sequence[tuple[str, str]]) -> float:
    """Return the mean F1 over the labels that the gold side has."""
    labels = sorted({a for a, _ in pairs})
    scores = []
    for label in labels:
        hits = sum(a == b == label for a, b in pairs)
        scores.append(prf(hits, sum(b == label for _, b in pairs), sum(a == label for a, _ in pairs))["f1"])
    return sum(scores) / len(scores) if scores else 0.0


def measure(gold_notes: Notes, found_notes: Notes) -> dict[str, Any]:
    """Score found notes against gold ones; a note without a prediction counts as empty."""
    types: dict[str, Counter[str]] = {"hits": Counter(), "found": Counter(), "gold": Counter()}
    any_counts, spans = Counter[str](), Counter[str]()
    names = {True: Counter[str](), False: Counter[str]()}
    status: list[tuple[str, str]] = []
    relation: list[tuple[str, str]] = []
    standing: list[tuple[str, str]] = []
    for key, gold in gold_notes.items():
        found = found_notes.get(key, {"objections": [], "competitors": []})
        gold_types = {o["type"] for o in gold["objections"]}
        found_types = {o["type"] for o in found["objections"]}
        types["hits"].update(gold_types & found_types)
        types["found"].update(found_types)
        types["gold"].update(gold_types)
        any_counts.update(hits=bool(gold_types and found_types), found=bool(found_types), gold=bool(gold_types))
        pairs = pairs_of(gold["objections"], found["objections"], lambda a, b: a["type"] == b["type"])
        spans.update(hits=len(pairs), found=len(found["objections"]), gold=len(gold["objections"]))
        status += [(a["status"], b["status"]) for a, b in pairs]
        pairs = pairs_of(gold["competitors"], found["competitors"], same_name)
        relation += [(a["relation"], b["relation"]) for a, b in pairs]
        standing += [(a["standing"], b["standing"]) for a, b in pairs]
        _count_names(names, gold["competitors"], found["competitors"], pairs)
    per_type = {t: prf(types["hits"][t], types["found"][t], types["gold"][t]) for t in sorted(types["gold"])}
    return {
        "notes": len(gold_notes),
        "objection_note_micro": prf(*(sum(types[k].values()) for k in ("hits", "found", "gold"))),
        "objection_note_macro_f1": sum(v["f1"] for v in per_type.values()) / max(1, len(per_type)),
        "objection_any": prf(any_counts["hits"], any_counts["found"], any_counts["gold"]),
        "objection_span": prf(spans["hits"], spans["found"], spans["gold"]),
        "status_accuracy": accuracy(status),
        "competitor_known": prf(names[True]["hits"], names[True]["found"], names[True]["gold"]),
        "competitor_unknown": prf(names[False]["hits"], names[False]["found"], names[False]["gold"]),
        "relation_macro_f1": macro_f1(relation),
        "standing_accuracy": accuracy(standing),
        "per_type": per_type,
    }


def _count_names(
    names: dict[bool, Counter[str]], gold: Iterable[Any], found: Iterable[Any], pairs: Iterable[tuple[Any, Any]]
) -> None:
    """Count by what the gold side says is known; a wrong mention counts where the found side puts it."""
    matched = {id(b): a["known"] for a, b in pairs}
    for mention in gold:
        names[mention["known"]]["gold"] += 1
    for mention in found:
        if id(mention) in matched:
            names[matched[id(mention)]].update(hits=1, found=1)
        else:
            names[mention["known"]]["found"] += 1
