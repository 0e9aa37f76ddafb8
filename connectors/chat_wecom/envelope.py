"""The vendor's XML, read without DTDs, entities or depth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from xml.parsers import expat

MOST_BYTES = 1024 * 1024
_DEEPEST = 16

Tree = Mapping[str, "Sequence[str | Tree]"]


class NotAnEnvelope(Exception):
    """The bytes are not XML of the vendor's kind; the message says why and repeats nothing of them."""


def read(body: bytes) -> Tree:
    """The root's children by name, each with its values in order: texts, or trees where there are elements inside."""
    if len(body) > MOST_BYTES:
        raise NotAnEnvelope(f"it is larger than {MOST_BYTES} bytes")
    reader = _Reader()
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.text
    # No message of the vendor has a document type; it is how entities and outside files would come in.
    parser.StartDoctypeDeclHandler = reader.doctype
    try:
        parser.Parse(body, True)
    except expat.ExpatError as error:
        raise NotAnEnvelope(f"it is not XML (line {error.lineno}, column {error.offset})") from None
    except (ValueError, LookupError):  # an encoding that does not exist or does not fit
        raise NotAnEnvelope("its encoding cannot be read") from None
    if isinstance(reader.root, str):
        raise NotAnEnvelope("its root holds no elements")
    return reader.root


def text(tree: Tree, *path: str) -> str:
    """The text at a path of names, empty where there is none."""
    for name in path[:-1]:
        inner = tree.get(name, ("",))[0]
        if isinstance(inner, str):
            return ""
        tree = inner
    found = tree.get(path[-1], ("",))[0]
    return found.strip() if isinstance(found, str) else ""


def trees(tree: Tree, name: str) -> list[Tree]:
    """The elements of this name that hold elements."""
    return [value for value in tree.get(name, ()) if not isinstance(value, str)]


def texts(tree: Tree, name: str) -> list[str]:
    """The texts of this name."""
    return [value.strip() for value in tree.get(name, ()) if isinstance(value, str)]


class _Reader:
    def __init__(self) -> None:
        self._open: list[tuple[str, dict[str, list[str | Tree]], list[str]]] = []
        self.root: str | Tree = ""

    def start(self, name: str, _attributes: object) -> None:
        if len(self._open) >= _DEEPEST:
            raise NotAnEnvelope("it is nested too deeply")
        self._open.append((name, {}, []))

    def end(self, _name: str) -> None:
        name, children, words = self._open.pop()
        value: str | Tree = children or "".join(words)
        if not self._open:
            self.root = value
            return
        self._open[-1][1].setdefault(name, []).append(value)

    def text(self, words: str) -> None:
        self._open[-1][2].append(words)

    def doctype(self, *_: object) -> None:
        raise NotAnEnvelope("it has a document type")
