#include "cli/views/explore_survey.h"

#include <stdlib.h>

#include "cli/views/explore_job.h"
#include "parser/mem.h"
#include "parser/money.h"

struct explore_survey_work {
    struct explore_job job; /* first */
    enum rules rules;
    struct explore_survey survey;
};

const enum kind explore_kinds[EXPLORE_KINDS] = {
    KIND_NONSTANDARD, KIND_PUBKEY, KIND_MULTISIG, KIND_SCRIPTHASH, KIND_WITNESS_V0_SCRIPTHASH, KIND_WITNESS_V1_TAPROOT};

const char *explore_template_name(const struct template_row *row) { return row->template[0] ? row->template : "\"\""; }

enum protocol explore_protocol_find(const char *name)
{
    unsigned protocol = PROTOCOL_NONE + 1;
    while (protocol < PROTOCOLS && strcmp(protocol_name((enum protocol)protocol), name) != 0)
        protocol++;
    return protocol < PROTOCOLS ? (enum protocol)protocol : PROTOCOL_NONE;
}

/* ---- outputs by trait ---- */

static void traits_free(struct explore_traits *traits)
{
    mem_free(traits->first);
    mem_free(traits->outputs);
    mem_free(traits->sums);
}

/* trait_of has the trait + 1 of each output, 0 for none. */
static void place_outputs(struct explore_traits *traits, const uint32_t *trait_of, uint32_t outputs)
{
    for (uint32_t o = 0; o < outputs; o++) {
        if (trait_of[o])
            traits->outputs[traits->first[trait_of[o] - 1]++] = o;
    }
    for (uint32_t i = traits->count; i > 0; i--)
        traits->first[i] = traits->first[i - 1];
    traits->first[0] = 0;
}

static void add_up(struct explore_traits *traits, const struct forest *forest, const struct tdags *tdags,
                   uint32_t *seen)
{
    for (uint32_t i = 0; i < traits->count; i++) {
        struct explore_trait_sums *sums = &traits->sums[i];
        for (uint64_t at = traits->first[i]; at < traits->first[i + 1]; at++) {
            const struct forest_output *output = &forest->outputs[traits->outputs[at]];
            uint32_t dag = tdags->tx_dag[output->tx];
            sums->spent += output->spender != FOREST_NONE;
            sums->value_sat = add_saturating(sums->value_sat, output->value_sat);
            sums->dags += dag > 0 && seen[dag] != i + 1;
            seen[dag] = i + 1;
        }
    }
}

static enum status traits_make(const struct forest *forest, const struct tdags *tdags, const uint32_t *trait_of,
                               uint32_t count, struct explore_traits *traits)
{
    uint64_t sum = 0;
    uint32_t *seen = mem_alloc((size_t)tdags->count + 1, sizeof *seen);
    traits->count = count;
    traits->first = mem_alloc((size_t)count + 1, sizeof *traits->first);
    traits->sums = mem_alloc(count, sizeof *traits->sums);
    for (uint32_t o = 0; traits->first && o < forest->outputs_count; o++) {
        if (trait_of[o])
            traits->first[trait_of[o]]++;
    }
    for (uint32_t i = 0; traits->first && i <= count; i++)
        sum = traits->first[i] += sum;
    traits->outputs = mem_alloc(sum, sizeof *traits->outputs);
    bool enough = seen && traits->first && traits->sums && traits->outputs;
    if (enough) {
        place_outputs(traits, trait_of, forest->outputs_count);
        add_up(traits, forest, tdags, seen);
    }
    mem_free(seen);
    return enough ? STATUS_OK : STATUS_NOMEM;
}

/* ---- to make one ---- */

struct ranked {
    const struct template_row *row;
    uint32_t number;
};

/* Most common first, then by template and kind, which no two rows share. */
static int compare_ranked(const void *a, const void *b)
{
    const struct template_row *x = ((const struct ranked *)a)->row, *y = ((const struct ranked *)b)->row;
    if (x->outputs != y->outputs)
        return x->outputs > y->outputs ? -1 : 1;
    int order = strcmp(x->template, y->template);
    return order ? order : (int)x->kind - (int)y->kind;
}

/* The rows in their order, and the outputs' rows numbered by it. */
static enum status rank(const struct templates *templates, struct explore_survey *survey)
{
    uint32_t count = (uint32_t)templates->total.count;
    struct ranked *ranked = mem_alloc(count, sizeof *ranked);
    uint32_t *ranks = mem_alloc((size_t)count + 1, sizeof *ranks); /* by row + 1: its new number + 1 */
    survey->rows = mem_alloc(count, sizeof *survey->rows);
    bool enough = ranked && ranks && survey->rows;
    for (uint32_t i = 0; enough && i < count; i++)
        ranked[i] = (struct ranked){&templates->total.rows[i], i};
    if (enough && count > 0)
        qsort(ranked, count, sizeof *ranked, compare_ranked);
    for (uint32_t i = 0; enough && i < count; i++) {
        survey->rows[i] = *ranked[i].row;
        ranks[ranked[i].number + 1] = i + 1;
    }
    for (uint32_t o = 0; enough && o < templates->forest->outputs_count; o++)
        templates->row_of[o] = ranks[templates->row_of[o]];
    mem_free(ranked);
    mem_free(ranks);
    return enough ? STATUS_OK : STATUS_NOMEM;
}

static enum status sort_outputs(const struct templates *templates, const struct tdags *tdags,
                                struct explore_survey *survey, struct fault *fault)
{
    const struct forest *forest = templates->forest;
    enum status status = rank(templates, survey);
    if (status == STATUS_OK)
        status = traits_make(forest, tdags, templates->row_of, (uint32_t)templates->total.count, &survey->templates);
    for (uint32_t o = 0; o < forest->outputs_count; o++) {
        bool has = templates->row_of[o] && templates->protocol_of[o] != PROTOCOL_NONE;
        templates->row_of[o] = has ? templates->protocol_of[o] + 1u : 0;
    }
    if (status == STATUS_OK)
        status = traits_make(forest, tdags, templates->row_of, PROTOCOLS, &survey->protocols);
    return status == STATUS_OK ? STATUS_OK : fault_nomem(fault);
}

static enum status survey_make(const struct explore *explore, enum rules rules, struct explore_survey *survey,
                               struct fault *fault)
{
    const struct forest *forest = &explore->opened.forest;
    struct templates templates = {.store = explore->opened.store,
                                  .forest = forest,
                                  .catalogue = &explore->opened.catalogue,
                                  .rules = rules,
                                  .threads = (unsigned)explore->settings->threads,
                                  .row_of = mem_alloc(forest->outputs_count, sizeof *templates.row_of),
                                  .protocol_of = mem_alloc(forest->outputs_count, 1)};
    enum status status = templates.row_of && templates.protocol_of ? templates_count(&templates, fault)
                                                                   : fault_nomem(fault);
    if (status == STATUS_OK)
        status = sort_outputs(&templates, &explore->rules[rules].tdags, survey, fault);
    mem_free(templates.row_of);
    mem_free(templates.protocol_of);
    templates_free(&templates);
    return status;
}

/* ---- when it is asked for ---- */

static enum status work(struct explore_job *job)
{
    struct explore_survey_work *work = (struct explore_survey_work *)job;
    struct fault none = {0};
    return survey_make(job->explore, work->rules, &work->survey, &none);
}

/* With explore->lock held. */
static enum status begin(struct explore *explore, enum rules rules)
{
    struct explore_survey_work *new = mem_alloc(1, sizeof *new);
    if (!new)
        return STATUS_NOMEM;
    new->job.explore = explore;
    new->job.work = work;
    new->job.alone = true;
    new->rules = rules;
    if (explore_job_begin(&new->job) != STATUS_OK) {
        mem_free(new);
        return STATUS_NOMEM;
    }
    explore->surveys[rules] = new;
    return STATUS_OK;
}

static void end(struct explore_survey_work *work)
{
    explore_job_end(&work->job);
    mem_free(work->survey.rows);
    traits_free(&work->survey.templates);
    traits_free(&work->survey.protocols);
    mem_free(work);
}

/* With explore->lock held. One that failed is begun again, since memory may be there now. */
static struct explore_survey_work *find_or_begin(struct explore *explore, enum rules rules, enum status *status)
{
    struct explore_survey_work *work = explore->surveys[rules];
    if (work && explore_job_failed(&work->job)) {
        explore->surveys[rules] = NULL;
        end(work);
    }
    *status = explore->surveys[rules] ? STATUS_OK : begin(explore, rules);
    return explore->surveys[rules];
}

enum status explore_survey_get(struct explore *explore, enum rules rules, const struct explore_survey **survey,
                               struct fault *fault)
{
    enum status status;
    pthread_mutex_lock(&explore->lock);
    struct explore_survey_work *work = find_or_begin(explore, rules, &status);
    if (work)
        status = explore_job_wait(&work->job);
    *survey = status == STATUS_OK ? &work->survey : NULL;
    pthread_mutex_unlock(&explore->lock);
    if (status == STATUS_OK)
        return STATUS_OK;
    return fault_set(fault, status, NULL, FAULT_NO_OFFSET,
                     status == STATUS_BUSY
                         ? "The unknown outputs of %s are being looked through: ask again in a moment."
                         : "The unknown outputs of %s could not be looked through.",
                     rules_name(rules));
}

void explore_surveys_free(struct explore *explore)
{
    for (unsigned r = 0; r < RULES_WITH_HIDDEN; r++) {
        if (explore->surveys[r])
            end(explore->surveys[r]);
    }
}
