#!/bin/sh
# Makes sure that what the browser tests need is there: Node, npm and Chromium,
# and for pictures (setup.sh fonts) the typefaces that the styles ask for first.
# As root on Debian it installs what is missing.
set -eu
missing=
command -v node >/dev/null || missing="$missing nodejs"
command -v npm >/dev/null || missing="$missing npm"
if [ -z "${CHROMIUM:-}" ] && ! command -v chromium >/dev/null && ! command -v chromium-browser >/dev/null && ! command -v google-chrome >/dev/null; then
  missing="$missing chromium"
fi
if [ "${1:-}" = fonts ]; then
  for font in inter jetbrains-mono; do
    [ -e "/usr/share/doc/fonts-$font" ] || missing="$missing fonts-$font"
  done
fi
[ -n "$missing" ] || exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  apt-get update -qq
  # shellcheck disable=SC2086 # a list of words
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null
else
  echo "please install:$missing" >&2
  exit 1
fi
