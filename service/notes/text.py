"""Bodies of notes to plain text, once, before they are stored: every offset points into the result."""

from __future__ import annotations

import html as entities
import re
from collections import Counter
from collections.abc import Iterator

from selectolax.lexbor import LexborHTMLParser, LexborNode

_BLOCKS = frozenset(
    {
        "address",
        "article",
        "aside",
        "blockquote",
        "body",
        "dd",
        "div",
        "dl",
        "dt",
        "fieldset",
        "figure",
        "footer",
        "form",
    }
    | {"h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "html", "li", "main", "nav", "ol", "p", "pre", "section"}
    | {"table", "tr", "ul"}
)
_INLINE = frozenset(
    {"a", "abbr", "b", "big", "br", "code", "del", "em", "font", "i", "img", "ins", "s", "small", "span", "strike"}
    | {"strong", "sub", "sup", "td", "th", "tt", "u"}
)
_HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
_BOLD = frozenset({"b", "strong"})
_LINES = _BLOCKS | {"td", "th"}
_DROPPED = frozenset({"head", "noscript", "script", "style", "template", "title"})
# tags of whole pages, of Word and of Outlook: none that a body is told to be HTML by, all that are no text in one
_FURTHER = frozenset(
    {"area", "audio", "base", "bdi", "bdo", "button", "canvas", "caption", "center", "cite", "col", "colgroup", "data"}
    | {"details", "dfn", "dialog", "embed", "figcaption", "hgroup", "iframe", "input", "kbd", "label", "legend", "link"}
    | {"map", "mark", "menu", "meta", "meter", "nobr", "object", "optgroup", "option", "output", "param", "picture"}
    | {"progress", "q", "samp", "select", "source", "summary", "svg", "tbody", "textarea", "tfoot", "thead", "time"}
    | {"track", "var", "video", "wbr"}
)
_NAMES = "|".join(sorted(_BLOCKS | _INLINE | _DROPPED))
_ATTRIBUTE = r"""\s+[\w:-]+\s*=\s*(?:"[^"<>]*"|'[^'<>]*'|[^\s"'<>=]+)"""
_TAG = re.compile(rf"</?(?:{_NAMES})(?:{_ATTRIBUTE})*\s*/?>", re.IGNORECASE)  # "a <b and c>" is no tag
_ANY_NAME = rf"{_NAMES}|{'|'.join(sorted(_FURTHER))}|(?:o|v|w|x|m|st1|xml):[a-z]\w*"
_NO_TAG = re.compile(rf"<(?!/?(?:{_ANY_NAME})(?=[\s/>])|[!?])", re.IGNORECASE)
_BREAKING_TAG = re.compile(rf"<(?:br|{'|'.join(sorted(_BLOCKS))})\b", re.IGNORECASE)
_LINE_ENDS = re.compile("\r\n|[\r\u2028\u2029\u0085]")
_SPACES = re.compile(r"[ \t\n\f\v]+")
MAX_NESTING = 128
"""Elements open at a time; the parser's time grows with their number for every tag that follows."""
_OPENED = re.compile(r"<(/?)([a-z][a-z0-9]*)", re.IGNORECASE)
_UNNESTED = frozenset(  # what holds nothing, or is closed by the next of its kind
    {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr"}
    | {"p", "li", "dt", "dd", "td", "th", "tr", "tbody", "thead", "tfoot", "option", "optgroup", "colgroup", "rt", "rp"}
)
_SILENT = re.compile(r"<(script|style)\b.*?(?:</\1\s*>|$)", re.IGNORECASE | re.DOTALL)
_MARKUP = re.compile(r"<!--.*?(?:-->|$)|<[/!?a-z][^<>]*>?", re.IGNORECASE | re.DOTALL)


def is_html(body: str) -> bool:
    """Tell whether a body is HTML: it holds a tag that rich-text editors write."""
    return _TAG.search(body) is not None


def plain_text(body: str) -> str:
    """Return the text of a body, plain or HTML.

    Line ends become LF. In HTML, scripts and styles are dropped, entities decoded, blocks and `<br>` start a line, list
    items a line with a dash, cells are parted by a tab. Plain text is otherwise left as it is.
    """
    text = _LINE_ENDS.sub("\n", body).removeprefix("\ufeff")
    return html_text(text) if is_html(text) else text


def html_text(html: str, *, titles: bool = False) -> str:
    """Return the text of an HTML body; `<` that opens no known tag, as in `<ann@firm.com>`, is text.

    Args:
        html: The body.
        titles: An empty line stands above each title: headings, and what is bold and has its line for itself.
    """
    if too_nested(html):
        return flat_text(html)
    html = _NO_TAG.sub("&lt;", html)
    if not _BREAKING_TAG.search(html):
        html = html.replace("\n", "<br>")  # a few inline tags in text that breaks its own lines
    parts: list[str] = []
    root = LexborHTMLParser(html).root
    if root is not None:
        _collect(root, parts, titles=titles)
    lines = (line.strip(" ") for line in "".join(parts).split("\n"))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip("\n")


def too_nested(html: str) -> bool:
    """Tell HTML that no editor writes: over 128 elements are open at a time."""
    opened: Counter[str] = Counter()
    depth = 0
    for match in _OPENED.finditer(html):
        name = match[2].lower()
        if name in _UNNESTED:
            continue
        if not match[1]:
            opened[name] += 1
            depth += 1
        elif opened[name]:
            opened[name] -= 1
            depth -= 1
        if depth > MAX_NESTING:
            return True
    return False


def flat_text(html: str) -> str:
    """Return the words of HTML without parsing it: each run of tags parts lines."""
    words = _MARKUP.sub("\n", _SILENT.sub("\n", html))
    lines = (" ".join(line.split()) for line in entities.unescape(words).split("\n"))
    return "\n".join(line for line in lines if line)


def _collect(root: LexborNode, parts: list[str], *, titles: bool) -> None:
    """Walk the tree without recursion: bodies nest as deep as a sender likes."""
    todo: list[LexborNode | str] = [root]
    while todo:
        node = todo.pop()
        if isinstance(node, str):
            _break(parts, node)
            continue
        tag = node.tag or ""
        if tag == "-text":
            parts.append(_SPACES.sub(" ", node.text(deep=False) or ""))
            continue
        if tag in _DROPPED or tag.startswith("-") or tag.startswith("_"):
            continue
        if tag == "br":
            parts.append("\n")
        if tag in _BLOCKS:
            _break(parts, "\n")
            todo.append("\n")
        if titles and parts and _is_title(node):
            _break(parts, "\n")
            parts.append("\n")
        if tag == "li":
            parts.append("- ")
        if tag in {"td", "th"} and parts and not parts[-1].endswith("\n"):
            parts.append("\t")
        todo.extend(reversed(list(_children(node))))


def _children(node: LexborNode) -> Iterator[LexborNode]:
    child = node.child
    while child is not None:
        yield child
        child = child.next


def _is_title(node: LexborNode) -> bool:
    return node.tag in _HEADINGS or (node.tag in _BOLD and _fills_line(node))


def _fills_line(node: LexborNode) -> bool:
    """Tell an element that nothing stands beside, up to the block that it is in."""
    inner: LexborNode | None = node
    while inner is not None and inner.tag not in _LINES:
        if not (_ends_line(inner.prev) and _ends_line(inner.next)):
            return False
        inner = inner.parent
    return bool(node.text(deep=True).strip())


def _ends_line(beside: LexborNode | None) -> bool:
    if beside is not None and beside.tag == "-text" and not (beside.text(deep=False) or "").strip():
        beside = None
    return beside is None or beside.tag == "br" or beside.tag in _BLOCKS


def _break(parts: list[str], mark: str) -> None:
    if parts and not parts[-1].endswith(mark):
        parts.append(mark)
