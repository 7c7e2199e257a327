#!/bin/sh
# Fetches into data/referees/clients/ (not versioned): `fhirclient`, a client library of SMART apps, which as a dependency of ours would bring
# the mobile platforms it also runs on into the lockfile; `axe-core`, which looks for barriers in pages.
set -eu
target="${1:-data/referees/clients}"
mkdir -p "$target"
printf '{"private":true}\n' > "$target/package.json"
npm install --prefix "$target" --no-audit --no-fund --ignore-scripts --omit=optional --legacy-peer-deps fhirclient@2.6.3 axe-core@4.14.1
