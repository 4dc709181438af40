/* judgement: which protocol wrote an output and whether it can be spent, as the tables tell it. */
#ifndef UNKTX_CLI_VIEWS_JUDGEMENT_H
#define UNKTX_CLI_VIEWS_JUDGEMENT_H

#include "graph/scripts/output_protocol.h"
#include "parser/spendable.h"

struct judgement {
    struct output_protocol protocol;
    enum spendable_reason reason;
};

/* As output_protocol_of; `spent`: it has a spender. */
struct judgement judgement_of(struct matcher *matcher, const struct catalogue *catalogue,
                              const struct output_record *output, bool spent);

/* A protocol, a word and a reason, with the commas between. */
#define JUDGEMENT_TEXT 96u
/* At most JUDGEMENT_TEXT bytes. */
char *judgement_put(char *out, const struct catalogue *catalogue, const struct judgement *judgement);

/* Those of several outputs. Zero-initialise. */
struct judgements {
    unsigned protocols;      /* mask of enum protocol */
    struct name_set entries; /* of the catalogue, for nulldata */
    unsigned reasons;        /* mask of enum spendable_reason */
};
void judgements_add(struct judgements *judgements, const struct judgement *judgement);
void judgements_join(struct judgements *judgements, const struct judgements *other);
/* Three columns: each name that at least one of them has, in alphabetical order with a space between two. At most
 * judgements_size bytes. */
char *judgements_put(char *out, const struct catalogue *catalogue, const struct judgements *judgements);
size_t judgements_size(const struct catalogue *catalogue);

#endif
