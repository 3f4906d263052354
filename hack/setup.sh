#!/bin/sh
# Put everything that development needs into .venv, from a machine that has only Python and make.
set -eu
cd "$(dirname "$0")/.."

python="${PYTHON:-python3}"

if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
  echo "error: $python is older than Python 3.11; install a newer one, or name it: make setup PYTHON=python3.12" >&2
  exit 1
fi

if [ ! -x .venv/bin/pip ]; then
  rm -rf .venv
  # Debian keeps a part of Python's own venv module in a package of its own.
  if ! "$python" -c 'import ensurepip' 2>/dev/null; then
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
      apt-get update -qq
      DEBIAN_FRONTEND=noninteractive apt-get install -qq --no-install-recommends python3-venv
    else
      echo "error: $python lacks the module ensurepip; install it first (Debian: apt-get install python3-venv)" >&2
      exit 1
    fi
  fi
  "$python" -m venv .venv
fi

[ -x .venv/bin/uv ] || .venv/bin/pip install --quiet --disable-pip-version-check --require-hashes --requirement hack/locked/uv.txt
.venv/bin/uv sync --quiet --locked --all-extras
touch .venv/.complete
