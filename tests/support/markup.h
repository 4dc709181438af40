/* markup: SVG and HTML written as XML, for tests. */
#ifndef UNKTX_TESTS_SUPPORT_MARKUP_H
#define UNKTX_TESTS_SUPPORT_MARKUP_H

#include <stddef.h>

/* Fails the running test unless every tag is closed in its turn, attributes are quoted and none is given twice, and no
 * stray < or & is in the text. Void elements of HTML and a doctype are let pass; the inside of script and style is not
 * looked at. */
void assert_well_formed(const char *text);

/* How often `part` is in the text. */
size_t count_of(const char *text, const char *part);

#endif
