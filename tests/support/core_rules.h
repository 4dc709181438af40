/* core_rules: whether an input spends a script, by Core's EvalScript and VerifyScript with the consensus rules of
 * today, read a second time in the plainest way: items are copied, nothing is followed. For scripts that are no P2SH
 * and no witness program. */
#ifndef UNKTX_TESTS_SUPPORT_CORE_RULES_H
#define UNKTX_TESTS_SUPPORT_CORE_RULES_H

#include <stddef.h>
#include <stdint.h>

/* NULL if `shown`, then the script end true, `shown` has pushes alone, and neither a signature nor a time is needed,
 * nor a preimage (bytes shown whose hash the script pushes); else what is wrong. Static string. One thread. */
const char *core_refuses(const uint8_t *shown, size_t shown_size, const uint8_t *script, size_t size);

#endif
