/* library: shared libraries that few commands need, loaded when the first of them asks. igraph alone brings some twenty
 * other libraries, which take the dynamic linker 15 ms at the start of a program, and of every one that never calls it.
 *
 * Who uses one keeps a struct of pointers to the functions that it calls, made by these macros from one list:
 *
 *     #define FUNCTIONS(F) F(create, igraph_create) F(destroy, igraph_destroy)
 *     static struct { FUNCTIONS(LIBRARY_MEMBER) } igraph;
 *     static const char *const names[] = {FUNCTIONS(LIBRARY_NAME)};
 *
 * The types are those of the library's header, so the compiler checks each call. */
#ifndef UNKTX_PARSER_LIBRARY_H
#define UNKTX_PARSER_LIBRARY_H

#include "parser/status.h"

#define LIBRARY_MEMBER(member, function) __typeof__(function) *member;
#define LIBRARY_NAME(member, function) #function,

struct library {
    const char *name;         /* for the user: "igraph" */
    const char *file;         /* its soname, as the linker finds it */
    const char *const *names; /* of the functions; a variable's pointer is got in the same way */
    size_t count;
};

/* Loads the library and fills `functions`: `count` pointers, in the order of the names. It stays loaded. The same
 * call again gives the same pointers. STATUS_RESOURCES: it cannot be loaded, or lacks one of the functions; the text
 * says why, and which Debian package brings it. Thread rule: of one thread at a time for the same `functions`.
 * Source: dlopen(3). */
enum status library_load(const struct library *library, void *functions, struct fault *fault) MUST_CHECK;

#endif
