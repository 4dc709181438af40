#include "graph/scripts/selector.h"

#include <string.h>

#include "graph/scripts/output_protocol.h"
#include "graph/scripts/pattern.h"
#include "parser/mem.h"

struct selector {
    struct selector_query query;
    const struct catalogue *catalogue;
    size_t known; /* number of the entry */
    struct matcher *matcher;
    regex_t regex;
    bool has_regex;
    char *assembly; /* of the script at hand */
};

static enum status compile(struct selector *selector, struct fault *fault)
{
    char why[PATTERN_WHY];
    enum status status = pattern_compile(selector->query.script, &selector->regex, why);
    selector->has_regex = status == STATUS_OK;
    if (status == STATUS_NOMEM)
        return fault_nomem(fault);
    if (status != STATUS_OK)
        return fault_set(fault, STATUS_REFUSED, NULL, FAULT_NO_OFFSET, "--script: '%s': %s", selector->query.script,
                         why);
    selector->assembly = mem_alloc(script_asm_bound(SCRIPT_SIZE_MAX), 1);
    return selector->assembly ? STATUS_OK : fault_nomem(fault);
}

static enum status find_known(struct selector *selector, const struct catalogue *catalogue, struct fault *fault)
{
    selector->known = catalogue_find(catalogue, selector->query.known);
    if (selector->known == CATALOGUE_MAX)
        return fault_set(fault, STATUS_REFUSED, NULL, FAULT_NO_OFFSET, "--known: no known script is called '%s'",
                         selector->query.known);
    return STATUS_OK;
}

/* A word of a template, as script_template writes them: 16, -1, <33>, OP_SIZE, and what stands for the end of a cut or
 * a broken one. */
static bool is_template_word(const char *word, size_t size)
{
    static const char capitals[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789", *const digits = capitals + 27;
    static const char *const others[] = {"-1", "[error]", "...", "more"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (strlen(others[i]) == size && memcmp(others[i], word, size) == 0)
            return true;
    if (size > 3 && memcmp(word, "OP_", 3) == 0)
        return strspn(word, capitals) == size;
    if (size > 2 && *word == '<')
        return strspn(word + 1, digits) == size - 2 && word[size - 1] == '>';
    if (size > 1 && *word == '#')
        return strspn(word + 1, "0123456789abcdef") == size - 1;
    return size > 0 && strspn(word, digits) == size;
}

static enum status check_template(const char *template, struct fault *fault)
{
    for (const char *word = template; *word;) {
        size_t size = strcspn(word, " ");
        if (!is_template_word(word, size))
            return fault_set(fault, STATUS_REFUSED, NULL, FAULT_NO_OFFSET,
                             "--template: '%s' is no template, as 'unktx templates' lists them", template);
        word += size + (word[size] == ' ');
    }
    return STATUS_OK;
}

enum status selector_new(const struct catalogue *catalogue, const uint8_t seed[16], const struct selector_query *query,
                         struct selector **selector, struct fault *fault)
{
    enum status status = STATUS_OK;
    *selector = mem_alloc(1, sizeof **selector);
    if (!*selector)
        return fault_nomem(fault);
    (*selector)->query = *query;
    (*selector)->catalogue = catalogue;
    if (query->template)
        status = check_template(query->template, fault);
    if (status == STATUS_OK && query->script)
        status = compile(*selector, fault);
    if (status == STATUS_OK && query->known)
        status = find_known(*selector, catalogue, fault);
    if (status == STATUS_OK && query->protocol && strcmp(query->protocol, SELECTOR_NO_PROTOCOL) != 0 &&
        !output_protocol_exists(catalogue, query->protocol))
        status = fault_set(fault, STATUS_REFUSED, NULL, FAULT_NO_OFFSET, "--protocol: no protocol is called '%s'",
                           query->protocol);
    if (status == STATUS_OK && (query->known || query->protocol))
        status = matcher_new(catalogue, seed, &(*selector)->matcher, fault);
    if (status != STATUS_OK) {
        selector_free(*selector);
        *selector = NULL;
    }
    return status;
}

void selector_free(struct selector *selector)
{
    if (!selector)
        return;
    if (selector->has_regex)
        regfree(&selector->regex);
    matcher_free(selector->matcher);
    mem_free(selector->assembly);
    mem_free(selector);
}

static bool has_protocol(struct selector *selector, const struct output_record *output)
{
    struct output_protocol protocol = output_protocol_of(selector->matcher, selector->catalogue, output);
    const char *name = output_protocol_name(selector->catalogue, &protocol);
    return strcmp(name[0] ? name : SELECTOR_NO_PROTOCOL, selector->query.protocol) == 0;
}

static bool has_template(const struct output_record *output, const char *wanted)
{
    char template[SCRIPT_TEMPLATE_MAX];
    script_template(output->script, output->script_size, template);
    return strcmp(template, wanted) == 0;
}

enum status selector_takes(struct selector *selector, const struct output_record *output)
{
    const struct selector_query *query = &selector->query;
    if (query->kinds && !(query->kinds >> output->kind & 1))
        return STATUS_NOT_FOUND;
    if (output->value_sat < query->min_value_sat)
        return STATUS_NOT_FOUND;
    if (query->template && !has_template(output, query->template))
        return STATUS_NOT_FOUND;
    if (query->protocol && !has_protocol(selector, output))
        return STATUS_NOT_FOUND;
    if (query->script) {
        size_t size = output->script_size < SCRIPT_SIZE_MAX ? output->script_size : SCRIPT_SIZE_MAX;
        script_asm(output->script, size, selector->assembly);
        int found = regexec(&selector->regex, selector->assembly, 0, NULL, 0);
        if (found != 0)
            return found == REG_ESPACE ? STATUS_NOMEM : STATUS_NOT_FOUND;
    }
    if (query->known) {
        struct name_set found = {{0}};
        matcher_match(selector->matcher, output->kind, output->script, output->script_size, &found);
        if (!name_set_has(&found, selector->known))
            return STATUS_NOT_FOUND;
    }
    return STATUS_OK;
}
