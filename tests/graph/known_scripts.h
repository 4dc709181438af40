/* The shipped list of known scripts, and the names that it gives a script. */
#ifndef UNKTX_TESTS_GRAPH_KNOWN_SCRIPTS_H
#define UNKTX_TESTS_GRAPH_KNOWN_SCRIPTS_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "graph/scripts/matcher.h"

static const uint8_t seed[16] = "sixteen bytes ok";

static struct catalogue built_in_catalogue(void)
{
    struct catalogue catalogue = {0};
    struct fault fault = {0};
    if (catalogue_read_built_in(&catalogue, &fault) != STATUS_OK)
        fail_msg("%s: %s", fault.path, fault.text);
    return catalogue;
}

static struct matcher *matcher_of(const struct catalogue *catalogue)
{
    struct matcher *matcher = NULL;
    assert_int_equal(matcher_new(catalogue, seed, &matcher, NULL), STATUS_OK);
    return matcher;
}

static const char *names_of(struct matcher *matcher, const struct catalogue *catalogue, const uint8_t *script,
                            size_t size)
{
    static char names[CATALOGUE_MAX * 50];
    struct name_set found = {0};
    matcher_match(matcher, script_kind(script, size), script, size, &found);
    *catalogue_put_names(catalogue, &found, names) = '\0';
    assert_true(strlen(names) <= catalogue_names_size(catalogue));
    return names;
}

#endif
