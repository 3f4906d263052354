"""The texts of files that stand beside a `.mill` file: `from` of a `file` block becomes its content."""

from collections.abc import Iterator
from typing import Any, Final

from mill_api.validation import MAX_TEXT_BYTES
from mill_language.decode import Decoded
from mill_language.inputs import Inputs, InvalidInput

_UNREADABLE: Final = "`mill deploy` reads it; for anything else send the output of `mill render -o mill`"


class FileContents:
    """The contents of the files of all services and tasks. Each file beside is read once."""

    def __init__(self, decoded: Decoded, inputs: Inputs) -> None:
        self._decoded = decoded
        self._read = inputs.read_file
        self._texts: dict[str, str] = {}
        self._characters = 0

    def resolve(self) -> bool:
        """Replace each `from` by a content. Return whether there was any."""
        is_needed = False
        for where, file in self._files():
            name = file.pop("from", None)
            if name is None:
                continue
            is_needed = True
            place = f"{where}.from"
            if "content" in file:
                self._report(place, "a file has either a content or a `from`", "remove one of them")
                continue
            self._decoded.places[f"{where}.content"] = self._decoded.places[place]
            file["content"] = self._text(name, place)
        return is_needed

    def _files(self) -> Iterator[tuple[str, Any]]:
        for kind in ("service", "task"):
            programs: Any = self._decoded.fields.get(f"{kind}s", [])
            for program in programs:
                for file in program.get("files", []):
                    yield f"{kind}.{program['name']}.file.{file['path']}", file

    def _text(self, name: str, place: str) -> str:
        if self._read is None:
            self._report(place, "a file beside the .mill file cannot be read here", _UNREADABLE)
            return ""
        if name not in self._texts:
            self._texts[name] = ""
            try:
                self._texts[name] = self._read(name)
            except InvalidInput as error:
                self._report(place, str(error), error.advice)
        text = self._texts[name]
        self._characters += len(text)
        if self._characters > MAX_TEXT_BYTES:
            if self._characters - len(text) <= MAX_TEXT_BYTES:
                message = f"the files that `from` names have more than {MAX_TEXT_BYTES:,} bytes together"
                self._report(place, message, "put large files into the image or a volume")
            return ""
        return text

    def _report(self, path: str, message: str, advice: str | None) -> None:
        self._decoded.report(self._decoded.places[path], message, path=path, advice=advice, parse_error=False)
