#!/usr/bin/env bash
# Files that want more time or memory than there is; a busy machine may take twice as long as a quiet one.
export EOS_BIN=${EOS_BIN:?} EOS_HOSTILE_SECONDS=${EOS_HOSTILE_SECONDS:-2}
exec python3 "$(dirname "$0")/hostile.py"
