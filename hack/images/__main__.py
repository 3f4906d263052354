"""Build an image and push it: `python -m hack.images mill`, `python -m hack.images web 1 2`."""

import argparse
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from hack.commands import CommandFailed
from hack.images import push_busybox, push_mill, push_sample, push_standin
from hack.images.mill import build_mill, write_mill
from hack.images.mill.debian import NoDebian
from hack.images.mill.interpreter import LibraryMissing
from hack.images.mill.layout import ARCHITECTURES
from hack.toolchain.go import ARCHITECTURE

_SAMPLES: Final[Mapping[str, Callable[[str, str], str]]] = {
    "web": push_sample,
    "standin": push_standin,
    "busybox": push_busybox,
}


def main() -> None:
    """Parse the command line, push, and print the references."""
    parser = argparse.ArgumentParser(prog="python -m hack.images", description=__doc__)
    parser.add_argument("image", choices=("mill", *_SAMPLES))
    parser.add_argument("tags", nargs="*", metavar="TAG", help="mill has its version unless another is given")
    parser.add_argument("--registry", default=os.environ.get("MILL_REGISTRY", "127.0.0.1:5050"))
    parser.add_argument("--fresh", action="store_true", help="mill: look for newer packages of Debian")
    parser.add_argument("--architecture", choices=("all", *ARCHITECTURES), default="all", help="mill: all of them")
    parser.add_argument("--into", type=Path, metavar="FOLDER", help="mill: write its layers there, push nothing")
    arguments = parser.parse_args()
    if arguments.image == "mill":
        try:
            _mill(arguments)
        except (NoDebian, LibraryMissing, CommandFailed) as error:
            parser.exit(1, f"error: {error}\n")
        return
    if not arguments.tags:
        parser.error(f"a tag of {arguments.image} is needed")
    push = _SAMPLES[arguments.image]
    for tag in arguments.tags:
        print(push(arguments.registry, tag))


def _mill(arguments: argparse.Namespace) -> None:
    if arguments.into:
        write_mill(arguments.into)
        return
    chosen = ARCHITECTURES if arguments.architecture == "all" else (arguments.architecture,)
    for architecture in sorted(chosen, key=lambda each: each != ARCHITECTURE):  # its Python compiles for the others
        build_mill(architecture, fresh=arguments.fresh)
    for tag in arguments.tags or (None,):
        print(push_mill(arguments.registry, tag, architectures=chosen))


if __name__ == "__main__":
    main()
