#!/bin/sh
# Whether a program was built with what makes an error in memory hard to exploit: `sh tests/hardened.sh PROGRAM`. Prints what is
# missing; exit status 1 if something is.
set -u
lacks=0
lack() { echo "$1: not built with $2"; lacks=1; }
elf=$(readelf -hldW "$1") || exit 1
symbols=$(readelf --dyn-syms -W "$1")
marks() { objdump -d --no-show-raw-insn "$1" | grep -cE "$2"; } # each function begins with one; the C runtime has some itself
echo "$elf" | grep -q 'Type:.*DYN' || lack "$1" "a position of its own in memory (-pie)"
echo "$elf" | grep -q GNU_RELRO || lack "$1" "read-only relocations (-z relro)"
echo "$elf" | grep -q 'FLAGS.*BIND_NOW' || lack "$1" "all relocations at the start (-z now)"
echo "$elf" | grep -q 'GNU_STACK.*RW ' || lack "$1" "a stack without code"
echo "$symbols" | grep -q __stack_chk_fail || lack "$1" "a stack protector"
echo "$symbols" | grep -q '_chk@' || lack "$1" "FORTIFY_SOURCE"
case $(echo "$elf" | sed -n 's/.*Machine: *//p') in
*X86-64) [ "$(marks "$1" endbr64)" -gt 100 ] || lack "$1" "marked targets of jumps (CET)" ;;
AArch64) [ "$(marks "$1" 'paciasp|bti')" -gt 100 ] || lack "$1" "protected branches" ;;
esac
exit $lacks
