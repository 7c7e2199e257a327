#!/bin/sh
# Fetches `fhirclient`, a client library of SMART apps, into data/referees/clients/ (not versioned): as a dependency of ours it would bring the
# mobile platforms it also runs on into the lockfile.
set -eu
target="${1:-data/referees/clients}"
mkdir -p "$target"
printf '{"private":true}\n' > "$target/package.json"
npm install --prefix "$target" --no-audit --no-fund --ignore-scripts --omit=optional --legacy-peer-deps fhirclient@2.6.3
