#!/bin/bash
# Fails on anything that clang warns about, in the whole tree.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/../.."
build=build-clang
[ -f $build/build.ninja ] ||
	CC=clang-14 meson setup -Dwerror=true -Db_ndebug=false -Dbuildtype=plain $build
ninja -C $build
