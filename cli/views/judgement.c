#include "cli/views/judgement.h"

#include "cli/output/text.h"

struct judgement judgement_of(struct matcher *matcher, const struct catalogue *catalogue,
                              const struct output_record *output, bool spent)
{
    struct judgement found = {.protocol = output_protocol_of(matcher, catalogue, output)};
    found.reason = spendable_judge(output->kind, output->script, output->script_size, found.protocol.protocol, spent);
    return found;
}

char *judgement_put(char *out, const struct catalogue *catalogue, const struct judgement *judgement)
{
    out = put_text(out, output_protocol_name(catalogue, &judgement->protocol));
    *out++ = ',';
    out = put_text(out, spendable_name(spendable_of(judgement->reason)));
    *out++ = ',';
    return put_text(out, spendable_reason_name(judgement->reason));
}

void judgements_add(struct judgements *judgements, const struct judgement *judgement)
{
    judgements->protocols |= 1u << judgement->protocol.protocol;
    if (judgement->protocol.entry < CATALOGUE_MAX)
        name_set_add(&judgements->entries, judgement->protocol.entry);
    judgements->reasons |= 1u << judgement->reason;
}

void judgements_join(struct judgements *judgements, const struct judgements *other)
{
    judgements->protocols |= other->protocols;
    name_set_join(&judgements->entries, &other->entries);
    judgements->reasons |= other->reasons;
}

/* The least of the names that come after `after`; NULL if there is none. */
static const char *next_name(const char *const *names, size_t count, const char *after)
{
    const char *least = NULL;
    for (size_t i = 0; i < count; i++)
        if (strcmp(names[i], after) > 0 && (!least || strcmp(names[i], least) < 0))
            least = names[i];
    return least;
}

static char *put_names(char *out, const char *const *names, size_t count)
{
    const char *name = "";
    for (char *begin = out; (name = next_name(names, count, name)) != NULL;) {
        if (out > begin)
            *out++ = ' ';
        out = put_text(out, name);
    }
    return out;
}

char *judgements_put(char *out, const struct catalogue *catalogue, const struct judgements *judgements)
{
    const char *protocols[PROTOCOLS], *words[REASONS], *reasons[REASONS];
    size_t protocols_count = 0, reasons_count = 0;
    for (unsigned p = 0; p < PROTOCOLS; p++)
        if (judgements->protocols >> p & 1)
            protocols[protocols_count++] = protocol_name((enum protocol)p);
    for (unsigned r = 0; r < REASONS; r++) {
        if (!(judgements->reasons >> r & 1))
            continue;
        words[reasons_count] = spendable_name(spendable_of((enum spendable_reason)r));
        reasons[reasons_count++] = spendable_reason_name((enum spendable_reason)r);
    }
    out = put_names(out, protocols, protocols_count); /* of nulldata: nothing */
    out = catalogue_put_names(catalogue, &judgements->entries, out);
    *out++ = ',';
    out = put_names(out, words, reasons_count);
    *out++ = ',';
    return put_names(out, reasons, reasons_count);
}

size_t judgements_size(const struct catalogue *catalogue)
{
    return catalogue_names_size(catalogue) + (PROTOCOLS + 2 * REASONS) * 20;
}
