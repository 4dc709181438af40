#include "graph/dag/shape.h"

#include <igraph.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libraries.h"
#include "parser/library.h"
#include "parser/log10.h"
#include "parser/stop.h"
#include "parser/timings.h"

/* How much a call may work: BLISS asks once or twice in each node of its search tree whether to go on, and a node costs
 * up to as much as the graph is large (measured on multipedes: 8 ns for each vertex and arc at 3,000 of them, 42 ns at
 * 90,000, where it leaves the caches). Counting these questions, and not seconds, keeps the answer the same on every
 * machine. A budget of work proportional to the size is so many questions for any size; an added constant lets
 * small graphs have more. All graphs of a chain together then cost time linear in their sizes.
 *
 * Most questions asked by a graph that BLISS decides (igraph 0.10.2; size: vertices and arcs together):
 *
 *                                                   size       questions
 *     T-DAGs of the fixtures                           -               0 (classify/ decides them without BLISS)
 *     400,000 T-DAGs of the benchmark, 6 giants  12 - 22              13 (all rule sets, with and without --compress)
 *     random graphs of the tests                  2 - 63             108
 *     strongly regular graphs of the tests            90             133
 *     the hardest of the tests' giants             3,456             180
 *     100 disjoint pairs into one sink               401          10,098 (a test of this file; none in classify/)
 *     multipedes of 10, 20, 30, 40 pairs       180 - 720             66, 129, 626, 1,818
 *     multipedes of 45, 50, 60, 70 pairs     810 - 1,260             7,074, 8,266, 19,058, 35,584
 *
 * The last row is beyond the budget, the others are not. */
#define QUESTIONS_ANY_SIZE UINT64_C(1024)
#define WORK_ANY_SIZE (UINT64_C(1) << 22)
#define QUESTIONS_NO_LIMIT UINT64_MAX

/* Rounds of moving vertices within their layers to cross fewer arcs: igraph's own proposal. */
#define LAYOUT_ROUNDS 100

/* igraph keeps state for the whole process, so this may be for the whole process too, under the same lock. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static enum timing_scope scope_before; /* of the thread that holds the lock */
static uint64_t questions_left, questions_asked;
static bool gave_up;

static bool out_of_questions(void)
{
    if (questions_left == QUESTIONS_NO_LIMIT) /* not BLISS: see shape_components */
        return false;
    if (questions_left == 0 || stop_requested())
        gave_up = true;
    else
        questions_left--;
    questions_asked++;
    return gave_up;
}

/* What is called of igraph, which is loaded with the first graph: most commands have none for it, and most T-DAGs need
 * no BLISS. */
#define FUNCTIONS(F)                                                                                                   \
    F(connected_components, igraph_connected_components)                                                               \
    F(create, igraph_create)                                                                                           \
    F(destroy, igraph_destroy)                                                                                         \
    F(finally_free, IGRAPH_FINALLY_FREE)                                                                               \
    F(release, igraph_free)                                                                                            \
    F(isomorphic_bliss, igraph_isomorphic_bliss)                                                                       \
    F(layout_sugiyama, igraph_layout_sugiyama)                                                                         \
    F(matrix_destroy, igraph_matrix_destroy)                                                                           \
    F(matrix_init, igraph_matrix_init)                                                                                 \
    F(set_error_handler, igraph_set_error_handler)                                                                     \
    F(set_interruption_handler, igraph_set_interruption_handler)                                                       \
    F(set_warning_handler, igraph_set_warning_handler)                                                                 \
    F(strerror, igraph_strerror)                                                                                       \
    F(vcount, igraph_vcount)                                                                                           \
    F(vector_int_destroy, igraph_vector_int_destroy)                                                                   \
    F(vector_int_init, igraph_vector_int_init)                                                                         \
    F(version, igraph_version)                                                                                         \
    FUNCTIONS_OF_RELEASE(F)

#if IGRAPH_VERSION_MAJOR >= 1
#define FUNCTIONS_OF_RELEASE(F) F(canonical_permutation, igraph_canonical_permutation_bliss) F(setup, igraph_setup)
#define layout_in_layers(graph, places, layers)                                                                        \
    igraph.layout_sugiyama(graph, places, NULL, layers, 1, 1, LAYOUT_ROUNDS, NULL)
static igraph_bool_t on_question(void) { return out_of_questions(); }
#else
#define FUNCTIONS_OF_RELEASE(F) F(canonical_permutation, igraph_canonical_permutation)
#define layout_in_layers(graph, places, layers)                                                                        \
    igraph.layout_sugiyama(graph, places, NULL, NULL, layers, 1, 1, LAYOUT_ROUNDS, NULL)
/* Must not free anything: BLISS is still at work on what is on igraph's stack of things to free. */
static igraph_error_t on_question(void *data)
{
    (void)data;
    return out_of_questions() ? IGRAPH_INTERRUPTED : IGRAPH_SUCCESS;
}
#endif

static struct {
    FUNCTIONS(LIBRARY_MEMBER)
} igraph;

static void on_error(const char *reason, const char *file, int line, igraph_error_t error)
{
    (void)reason, (void)file, (void)line, (void)error;
    igraph.finally_free();
}

static void on_warning(const char *reason, const char *file, int line) { (void)reason, (void)file, (void)line; }

/* With the lock held. */
static enum status load(struct fault *fault)
{
    static const char *const names[] = {FUNCTIONS(LIBRARY_NAME)};
    static const struct library library = {
        .name = "igraph", .file = IGRAPH_FILE, .names = names, .count = sizeof names / sizeof *names};
    static bool is_loaded;
    enum status status = is_loaded ? STATUS_OK : library_load(&library, &igraph, fault);
#if IGRAPH_VERSION_MAJOR >= 1
    if (status == STATUS_OK && !is_loaded)
        igraph.setup();
#endif
    is_loaded = status == STATUS_OK;
    return status;
}

uint64_t shape_budget(uint64_t size) { return QUESTIONS_ANY_SIZE + WORK_ANY_SIZE / (size + 1); }

enum status shape_load(struct fault *fault)
{
    timings_lock(&lock);
    enum status status = load(fault);
    pthread_mutex_unlock(&lock);
    return status;
}

enum status shape_method(char text[SHAPE_METHOD_SIZE], struct fault *fault)
{
    const char *version;
    enum status status = shape_load(fault);
    if (status != STATUS_OK)
        return status;
    igraph.version(&version, NULL, NULL, NULL);
    snprintf(text, SHAPE_METHOD_SIZE, "igraph %.32s, %" PRIu64 " questions, work %" PRIu64, version, QUESTIONS_ANY_SIZE,
             WORK_ANY_SIZE);
    return STATUS_OK;
}

uint64_t shape_questions(void)
{
    pthread_mutex_lock(&lock);
    uint64_t asked = questions_asked;
    pthread_mutex_unlock(&lock);
    return asked;
}

/* Takes the lock, unless igraph cannot be loaded. The handlers are set each time, since a thread-safe igraph has them
 * for each thread. */
static enum status enter(uint64_t questions, struct fault *fault)
{
    timings_lock(&lock);
    enum status status = load(fault);
    if (status != STATUS_OK) {
        pthread_mutex_unlock(&lock);
        return status;
    }
    scope_before = timings_scope(TIMING_IN_TURN);
    igraph.set_error_handler(on_error);
    igraph.set_warning_handler(on_warning);
    igraph.set_interruption_handler(on_question);
    questions_left = questions;
    gave_up = false;
    return STATUS_OK;
}

/* Releases the lock and says what igraph's answer means. After an interruption 0.10 returns success with a labelling
 * cut short (its callback is copied, and the copy notes the interruption), so our own flag decides. Where it returns
 * IGRAPH_INTERRUPTED, it leaves BLISS's graph on the stack of things to free. */
static enum status leave(igraph_error_t error, struct fault *fault)
{
    bool limit = gave_up, stopped = gave_up && stop_requested();
    if (error != IGRAPH_SUCCESS)
        igraph.finally_free();
    timings_scope(scope_before);
    pthread_mutex_unlock(&lock);
    if (stopped) /* never taken for a graph that is too hard */
        return stop_check(fault);
    if (limit)
        return fault_set(fault, STATUS_LIMIT, NULL, FAULT_NO_OFFSET, "BLISS gave up on a graph");
    if (error == IGRAPH_ENOMEM)
        return fault_nomem(fault);
    if (error != IGRAPH_SUCCESS)
        return fault_set(fault, STATUS_LIMIT, NULL, FAULT_NO_OFFSET, "igraph: %s", igraph.strerror(error));
    return STATUS_OK;
}

/* An igraph with its colours; `colour` is valid whenever `graph` is. */
struct coloured {
    igraph_t graph;
    igraph_vector_int_t colour;
    bool made;
};

static igraph_error_t coloured_make(const struct shape_graph *from, struct coloured *made)
{
    igraph_vector_int_t ends;
    igraph_error_t error = igraph.vector_int_init(&ends, 2 * (igraph_integer_t)from->arcs);
    if (error != IGRAPH_SUCCESS)
        return error;
    for (uint32_t i = 0; i < from->arcs; i++) {
        VECTOR(ends)[2 * (size_t)i] = from->from[i];
        VECTOR(ends)[2 * (size_t)i + 1] = from->to[i];
    }
    error = igraph.vector_int_init(&made->colour, from->vertices);
    if (error == IGRAPH_SUCCESS) {
        for (uint32_t v = 0; v < from->vertices; v++)
            VECTOR(made->colour)[v] = from->colour[v];
        error = igraph.create(&made->graph, &ends, from->vertices, IGRAPH_DIRECTED);
        made->made = error == IGRAPH_SUCCESS;
        if (!made->made)
            igraph.vector_int_destroy(&made->colour);
    }
    igraph.vector_int_destroy(&ends);
    return error;
}

static void coloured_free(struct coloured *made)
{
    if (!made->made)
        return;
    igraph.destroy(&made->graph);
    igraph.vector_int_destroy(&made->colour);
}

/* log10 of a decimal number of any length. */
static double decimal_log10(const char *digits)
{
    char head[18];
    size_t length = strlen(digits), taken = length < sizeof head - 1 ? length : sizeof head - 1;
    memcpy(head, digits, taken);
    head[taken] = '\0';
    return log10_of(strtod(head, NULL)) + (double)(length - taken);
}

/* `labels` is the place of each vertex; since igraph 1.0 it is the vertex at each place. */
static void positions_of(const igraph_vector_int_t *labels, uint32_t vertices, uint32_t *position)
{
    for (uint32_t v = 0; v < vertices; v++) {
        uint32_t label = (uint32_t)VECTOR(*labels)[v];
#if IGRAPH_VERSION_MAJOR >= 1
        position[label] = v;
#else
        position[v] = label;
#endif
    }
}

enum status shape_canonical(const struct shape_graph *graph, uint32_t *position, double *automorphisms_log10,
                            struct fault *fault)
{
    struct coloured made = {.made = false};
    igraph_vector_int_t labels;
    bool labels_made = false;
    igraph_bliss_info_t info = {.group_size = NULL};

    *automorphisms_log10 = 0;
    if (graph->vertices == 0)
        return STATUS_OK;
    enum status status = enter(shape_budget((uint64_t)graph->vertices + graph->arcs), fault);
    if (status != STATUS_OK)
        return status;
    igraph_error_t error = coloured_make(graph, &made);
    if (error == IGRAPH_SUCCESS)
        error = igraph.vector_int_init(&labels, graph->vertices);
    labels_made = made.made && error == IGRAPH_SUCCESS;
    if (error == IGRAPH_SUCCESS)
        error = igraph.canonical_permutation(&made.graph, &made.colour, &labels, IGRAPH_BLISS_FL, &info);
    if (error == IGRAPH_SUCCESS && !gave_up) {
        positions_of(&labels, graph->vertices, position);
        *automorphisms_log10 = decimal_log10(info.group_size);
    }
    igraph.release(info.group_size);
    if (labels_made)
        igraph.vector_int_destroy(&labels);
    coloured_free(&made);
    return leave(error, fault);
}

enum status shape_isomorphic(const struct shape_graph *a, const struct shape_graph *b, bool *isomorphic,
                             struct fault *fault)
{
    struct coloured left = {.made = false}, right = {.made = false};
    igraph_bool_t answer = false;

    enum status status = enter(shape_budget((uint64_t)a->vertices + a->arcs + b->vertices + b->arcs), fault);
    if (status != STATUS_OK)
        return status;
    igraph_error_t error = coloured_make(a, &left);
    if (error == IGRAPH_SUCCESS)
        error = coloured_make(b, &right);
    if (error == IGRAPH_SUCCESS)
        error = igraph.isomorphic_bliss(&left.graph, &right.graph, &left.colour, &right.colour, &answer, NULL, NULL,
                                        IGRAPH_BLISS_FL, NULL, NULL);
    *isomorphic = answer;
    coloured_free(&left);
    coloured_free(&right);
    return leave(error, fault);
}

enum status shape_components(const struct shape_graph *graph, uint32_t *component, uint32_t *count, struct fault *fault)
{
    struct coloured made = {.made = false};
    igraph_vector_int_t membership;
    bool membership_made = false;
    igraph_integer_t components = 0;

    /* Linear, so it needs no limit; and an interruption here would leave objects of functions that have returned on
     * igraph's stack of things to free. */
    enum status status = enter(QUESTIONS_NO_LIMIT, fault);
    if (status != STATUS_OK)
        return status;
    igraph_error_t error = coloured_make(graph, &made);
    if (error == IGRAPH_SUCCESS)
        error = igraph.vector_int_init(&membership, 0);
    membership_made = made.made && error == IGRAPH_SUCCESS;
    if (error == IGRAPH_SUCCESS)
        error = igraph.connected_components(&made.graph, &membership, NULL, &components, IGRAPH_WEAK);
    if (error == IGRAPH_SUCCESS) {
        /* igraph starts each component at the smallest vertex that is still free: already in the order promised. */
        for (uint32_t v = 0; v < graph->vertices; v++)
            component[v] = (uint32_t)VECTOR(membership)[v];
        *count = (uint32_t)components;
    }
    if (membership_made)
        igraph.vector_int_destroy(&membership);
    coloured_free(&made);
    return leave(error, fault);
}

/* The layout in `places` (a row for each vertex, and after them rows of others) from igraph's own types. */
static igraph_error_t layout_of(const struct coloured *made, const uint32_t *layer, igraph_matrix_t *places)
{
    igraph_vector_int_t layers;
    igraph_integer_t vertices = igraph.vcount(&made->graph);
    igraph_error_t error = igraph.vector_int_init(&layers, vertices);
    if (error != IGRAPH_SUCCESS)
        return error;
    for (igraph_integer_t v = 0; v < vertices; v++)
        VECTOR(layers)[v] = layer[v];
    error = layout_in_layers(&made->graph, places, &layers);
    igraph.vector_int_destroy(&layers);
    return error;
}

enum status shape_layout(const struct shape_graph *graph, const uint32_t *layer, double *x, struct fault *fault)
{
    struct coloured made = {.made = false};
    igraph_matrix_t places;
    bool places_made = false;
    double least = 0;

    enum status status = enter(QUESTIONS_NO_LIMIT, fault); /* as for shape_components */
    if (status != STATUS_OK)
        return status;
    igraph_error_t error = coloured_make(graph, &made);
    if (error == IGRAPH_SUCCESS)
        error = igraph.matrix_init(&places, 0, 0);
    places_made = made.made && error == IGRAPH_SUCCESS;
    if (error == IGRAPH_SUCCESS)
        error = layout_of(&made, layer, &places);
    if (error == IGRAPH_SUCCESS) {
        for (uint32_t v = 0; v < graph->vertices; v++) {
            x[v] = MATRIX(places, v, 0);
            least = v == 0 || x[v] < least ? x[v] : least;
        }
        for (uint32_t v = 0; v < graph->vertices; v++)
            x[v] -= least;
    }
    if (places_made)
        igraph.matrix_destroy(&places);
    coloured_free(&made);
    return leave(error, fault);
}
