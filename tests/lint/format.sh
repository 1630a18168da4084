#!/bin/bash
# Fails on a C file that clang-format 14 would write otherwise.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")"
python3 -c 'import tree; print(*tree.files(".c", ".h"), sep="\n")' |
	(cd ../.. && xargs -P 2 -n 25 clang-format-14 --dry-run -Werror --ferror-limit=3)
