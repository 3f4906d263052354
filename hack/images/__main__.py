"""Build a sample image and push it: `python -m hack.images web 1 2`."""

import argparse
import os

from hack.images import push_busybox, push_sample


def main() -> None:
    """Parse the command line, push, and print the references."""
    parser = argparse.ArgumentParser(prog="python -m hack.images", description=__doc__)
    parser.add_argument("image", choices=("web", "busybox"))
    parser.add_argument("tags", nargs="+", metavar="TAG")
    parser.add_argument("--registry", default=os.environ.get("MILL_REGISTRY", "127.0.0.1:5050"))
    arguments = parser.parse_args()
    push = push_sample if arguments.image == "web" else push_busybox
    for tag in arguments.tags:
        print(push(arguments.registry, tag))


if __name__ == "__main__":
    main()
