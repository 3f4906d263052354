"""Mistakes that show when the program starts."""

from typing import Final

from tests.bench.command import Timed
from tests.bench.mistakes.mistake import Chapter, Mistake, Place, Run, of_file, web
from tests.e2e.objects import Json, limit_range, quota

_CRASH: Final = '"--print", "FATAL: DATABASE_URL is not set", "--no-listen", "--exit-after"'


def _command(*arguments: str) -> str:
    quoted = ", ".join(f'"{each}"' for each in ("/web", *arguments))
    return web(f"command = [{quoted}]")


def _deployed(text: str) -> Run:
    """Return the deploy of a file, with what a terminal would show."""
    return of_file(text, "--verbose")


def _among(text: str, *objects: Json) -> Run:
    """Return the deploy of a file to a namespace with these objects."""

    def run(place: Place) -> Timed:
        place.have(*objects)
        return _deployed(text)(place)

    return run


def _image(image: str) -> str:
    return web().replace("REGISTRY/web:1", image)


PROGRAMS: Final = Chapter(
    "Images, programs and resources",
    "Each file is deployed for the first time by `mill deploy --verbose`, which prints the suggestions that a terminal "
    "shows. *Answer* is the first line that names the cause, which may be a notice before the verdict: `waiting: … "
    "(fails in …)`. The verdict is at the end.",
    (
        Mistake("the tag does not exist", _deployed(web(tag="no-such-tag")), 1, "tag not found"),
        Mistake("the registry does not exist", _deployed(_image("registry.invalid/web:1")), 1, "registry"),
        Mistake("the command does not exist", _deployed(web('command = ["/nope"]')), 1, "command not found"),
        Mistake("it listens on another port", _deployed(_command("--port", "9090")), 1, "nothing listens on port 8080"),
        Mistake("it listens nowhere", _deployed(_command("--no-listen")), 1, "nothing listens on port 8080"),
        Mistake(
            "it needs 60 s to start", _deployed(_command("--start-after", "60s")), 1, "nothing listens on port 8080"
        ),
        Mistake("it crashes 4 s after it is ready", _deployed(_command("--exit-after", "4s")), 1, "exited with code 1"),
        Mistake(
            "it crashes at once", _deployed(web(f'command = ["/web", {_CRASH}, "500ms"]')), 1, "exited with code 1"
        ),
        Mistake(
            "it ends with exit code 0",
            _deployed(_command("--no-listen", "--exit-after", "500ms", "--exit-code", "0")),
            1,
            "exited with code 0",
        ),
        Mistake("a secret is missing", _deployed(web("env { PASSWORD = secret(db.password) }")), 1, "not found"),
        Mistake('`memory = "1M"`', _deployed(web(memory="1M")), 1, "out of memory"),
        Mistake('`memory = "900G"`', _deployed(web(memory="900G")), 1, "insufficient memory"),
        Mistake(
            "more memory than the quota",
            _among(web(memory="2G"), quota("small", {"requests.memory": "1G"})),
            1,
            "quota exceeded",
        ),
        Mistake("more memory than the LimitRange", _among(web(), limit_range("10M")), 1, "maximum memory usage"),
    ),
)
