#!/usr/bin/env bash
# docs/config-language.md says what is true.
[ -x "${EOS_BIN:?}/eos-config" ] || exit 77
export EOS_SOURCE=${EOS_SOURCE:-$(cd "$(dirname "$0")/../../.." && pwd)}
exec python3 "$(dirname "$0")/language.py"
