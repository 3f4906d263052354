"""The command line: `python -m hack.cluster up|down|status|env`."""

import argparse
import subprocess
import sys

from hack.cluster.choose import backend
from hack.cluster.packages import NotSupported
from hack.cluster.processes import DaemonFailed
from hack.commands import CommandFailed
from hack.progress import say

_COMMANDS = {
    "up": "start the cluster unless it runs",
    "down": "stop it and remove every trace of it but the cache",
    "status": "show what runs; exit code 1 unless the cluster can be used",
    "env": 'print shell lines that select it: eval "$(python -m hack.cluster env)"',
}


def main() -> int:
    """Run one command; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m hack.cluster", description="A local Kubernetes cluster.")
    commands = parser.add_subparsers(dest="command", required=True)
    for name, purpose in _COMMANDS.items():
        commands.add_parser(name, help=purpose)
    command = parser.parse_args().command
    try:
        return _run(command)
    except (NotSupported, DaemonFailed, CommandFailed, subprocess.CalledProcessError) as error:
        say(f"error: {error}")
        return 1
    except KeyboardInterrupt:
        say("interrupted")
        return 130


def _run(command: str) -> int:
    chosen = backend()
    if command == "up":
        cluster = chosen.up()
        say(f'Ready. Select it with: eval "$({sys.executable} -m hack.cluster env)"')
        say(f"kubeconfig: {cluster.kubeconfig}")
    elif command == "down":
        chosen.down()
    elif command == "env":
        print(chosen.describe().exports())
    else:
        print(chosen.status())
        return 0 if chosen.is_running() else 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
