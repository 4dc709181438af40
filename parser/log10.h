/* log10: decimal logarithms with the same bits on every machine. Those of libm may differ in their last digit from one
 * machine or release to another, and with it what is printed; these need no more than the four operations that IEEE
 * 754 rounds in one way (compiled without fused ones: -ffp-contract=off). Thread rule: any thread, no state. */
#ifndef UNKTX_PARSER_LOG10_H
#define UNKTX_PARSER_LOG10_H

#include <stdint.h>

/* log10(x) for a finite x >= 1, with an error below 4 units in the last place. O(1). */
double log10_of(double x);

/* log10(n!), as exact relative to n log10(n). O(1). */
double log10_of_factorial(uint64_t n);

#endif
