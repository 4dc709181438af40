/* store_place: which store a command means by the folder that it is given, or by none. The same for those that make a
 * store and those that read one, so that what one makes the other finds.
 *
 * A folder of analyze has its store in it, under the name store; any other folder with a data.mdb is a store. */
#ifndef UNKTX_CLI_INPUTS_STORE_PLACE_H
#define UNKTX_CLI_INPUTS_STORE_PLACE_H

#include "parser/status.h"

/* The store of `given`: of an output folder the one in it, which need not be there yet; else `given` itself. `given`
 * NULL: that of unktx-out if there is one in it, else unktx-store. *folder is the output folder that the store lies in,
 * NULL for none. Both are of mem_alloc, in any case.
 *
 * STATUS_REFUSED: the folder has a store in it and is one. STATUS_NOT_FOUND: none is given, none is there by these
 * names, and the working folder has one. */
enum status store_place_find(const char *given, char **store, char **folder, struct fault *fault) MUST_CHECK;

/* The store that analyze keeps in its folder, which need not be there yet; of mem_alloc. STATUS_REFUSED: the folder is
 * a store itself. */
enum status store_place_in(const char *folder, char **store, struct fault *fault) MUST_CHECK;

#endif
