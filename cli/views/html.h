/* html: the pieces that sections of the page of `unktx report` are made of. Texts are HTML unless said otherwise. */
#ifndef UNKTX_CLI_VIEWS_HTML_H
#define UNKTX_CLI_VIEWS_HTML_H

#include "cli/output/printer.h"

/* Plain text, such as one from a file of the user's, as text or as a value of an attribute in double quotes. What would
 * do something rather than be seen is written as \xHH (put_quoted). */
void html_escaped(struct printer *printer, const char *string, size_t size);

/* The same, cut where it takes more than `most` bytes of HTML; what is left out is an ellipsis. */
void html_cut(struct printer *printer, const char *string, size_t size, size_t most);

/* A Content-Security-Policy under which a browser takes nothing into the page but this one style, given in parts up to
 * a NULL, this one script, and images that are in the page itself. */
void html_allow_only(struct printer *printer, const char *const *style, const char *script);

/* A section with its heading; the caller ends it with </section>. */
void html_begin_section(struct printer *printer, const char *id, const char *title);

/* `heads`: titles of the columns with a | between two; one that begins with a dash cannot be sorted by. */
void html_begin_table(struct printer *printer, const char *caption, const char *heads);
void html_end_table(struct printer *printer);
/* A cell with 1,234. */
void html_number(struct printer *printer, uint64_t number);

/* A line of a <dl>: a number, or an amount in bitcoins. */
void html_fact(struct printer *printer, const char *name, uint64_t number);
void html_value(struct printer *printer, const char *name, uint64_t value_sat);

/* A paragraph on what a page of a partial store cannot tell, from block `first_height` on; nothing where that is 0. Of
 * `roots` roots `maybe_roots` may not be roots. */
void html_partial(struct printer *printer, uint32_t first_height, uint64_t roots, uint64_t maybe_roots);

#endif
