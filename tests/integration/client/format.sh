#!/usr/bin/env bash
# `eos config fmt` changes no meaning.
. "$(dirname "$0")/checks.sh"
[ -x "$BIN/eos-config" ] || exit 77
cd "$DIR" || exit 1
fmt() { eos config fmt "$@"; }
# becomes NAME INPUT OUTPUT
becomes() {
    printf '%b\n' "$2" > in.aurora
    printf '%b\n' "$3" > expected
    says "$1" 0 '' bash -c "'$BIN/eos' config fmt - < in.aurora > got; diff expected got"
}
becomes "operators" 'x=a+ -b*2**3' 'x = a + -b * 2 ** 3'
becomes "keywords have none" 'x = f( a = 1,* b,** c )' 'x = f(a=1, *b, **c)'
becomes "annotations" 'def f( a,b : int=3,*,c = 1 )->int : return x [1 : -1]' 'def f(a, b: int = 3, *, c=1) -> int: return x[1:-1]'
becomes "lambda" 'f = lambda  x=1 ,*y:x' 'f = lambda x=1, *y: x'
becomes "dicts and lists" "x = {'a' :1 , 'b' : [ ] , }" "x = {'a': 1, 'b': [],}"
becomes "blocks" 'if x :\n        y=1\nelse :\n\tz=2' 'if x:\n  y = 1\nelse:\n  z = 2'
becomes "comments of blocks" 'if x:\n    # in\n    y = 1\n    # in\n# out\nz = 1' 'if x:\n  # in\n  y = 1\n  # in\n# out\nz = 1'
becomes "comments in a row" 'x = 1     # a\nlong = 2  # b\ny = 1 # c' 'x = 1     # a\nlong = 2  # b\ny = 1  # c'
becomes "what hangs in brackets" 'x = f( a,\n       b )\ny = [\n    1,\n]' 'x = f(a,\n      b)\ny = [\n    1,\n]'
becomes "texts of several lines" 'x  =  """a  b\n   c"""' 'x = """a  b\n   c"""'
becomes "backslashes" "x = 'a' \\\\\n    'b'" "x = 'a' \\\\\n    'b'"
becomes "empty lines" '\n\nx = 1\n\n\n\n\ny = 2\n\n' 'x = 1\n\n\ny = 2'
becomes "line ends" 'x = 1\r\ny = 2\r' 'x = 1\ny = 2'
becomes "Python 2" "print  'a' ,b" "print 'a', b"
printf 'x=1\n' > a.aurora
printf 'x = 1\n' > b.aurora
printf 'x = (\n' > c.aurora
chmod 640 a.aurora
ln -s a.aurora link.aurora
says "--check names what would change" 4 '^a.aurora$' fmt --check a.aurora b.aurora
holds "and nothing else" test "$(wc -l < out)" -eq 1
holds "and changes nothing" grep -q '^x=1$' a.aurora
says "what does not parse" 3 "c.aurora:1:5: '\(' was never closed" fmt c.aurora link.aurora
holds "stays" grep -q '^x = ($' c.aurora
holds "the others are laid out" grep -q '^x = 1$' a.aurora
holds "links stay links" test -L link.aurora
holds "modes stay" test "$(stat -c %a a.aurora)" = 640
holds "no file is left over" test -z "$(find . -name '*.aurora.*')"
says "a second time changes nothing" 0 '' fmt a.aurora b.aurora
holds "at all" test ! -s out
refused "a file that is not there" 3 'No such file' fmt none.aurora
export EOS_SOURCE=${EOS_SOURCE:-$(cd "$(dirname "$0")/../../.." && pwd)}
holds "every configuration" test 0 -eq "$(python3 "$EOS_SOURCE/tests/integration/client/format.py" > every 2>&1; echo $?)"
tail -n 20 every
