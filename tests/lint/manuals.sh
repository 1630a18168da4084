#!/bin/bash
# Fails on a manual page that mandoc would warn about.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")"
pages=$(python3 -c 'import tree; print(*tree.files(".1", ".3", ".5", ".8"), sep="\n")')
cd ../..
[ -n "$pages" ] || { echo "the tree has no manual page"; exit 77; }
# shellcheck disable=SC2086
mandoc -T lint -W warning $pages
