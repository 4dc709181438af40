/* jacobi: whether a number of curve_field.h is a square modulo p, without the root: by the Jacobi symbol (a/p), which
 * of a prime p is 1 for the squares but 0, and -1 for what is no square. It takes a quarter of the time of a root.
 *
 * The steps are those of Bernstein and Yang (Fast constant-time gcd computation and modular inversion, 2019), with
 * positive numbers only, so that the symbol can be followed (Hamburg, Computing the Jacobi symbol using
 * Bernstein-Yang, 2021; in this form, "posdivsteps", in doc/safegcd_implementation.md of libsecp256k1). Nobody has
 * proved how many of them are enough at most, and so there is a third answer. Their time depends on the number: no
 * secret must be given to it. Pure function; any thread. */
#ifndef UNKTX_PARSER_JACOBI_H
#define UNKTX_PARSER_JACOBI_H

#include "parser/curve_field.h"

/* Of 62 steps each. Of 200,000 random numbers one took 15 of them, 3,260 took 14, and the others fewer. */
#define JACOBI_ROUNDS 25u

/* 1: `a`, which is below p, is a square; -1: it is none; 0: so many rounds do not tell, as none do of a = 0.
 * O(rounds). */
int jacobi_symbol(const struct field *a, unsigned rounds);

#endif
