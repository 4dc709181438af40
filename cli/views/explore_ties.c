#include "cli/views/explore_ties.h"

#include <stdio.h>
#include <strings.h>

#include "cli/views/explore_names.h"
#include "cli/views/explore_page.h"
#include "cli/views/html.h"
#include "cli/views/ties.h"
#include "graph/dag/names.h"
#include "parser/address.h"
#include "parser/digits.h"
#include "parser/network.h"
#include "parser/pubkey.h"

#define ADDRESS_HEX_MAX 1200u /* of an address, which TARGET_MAX bounds */

/* ---- things ---- */

bool explore_thing_address(const struct explore_shown *shown, uint32_t thing, char out[EXPLORE_ADDRESS_SIZE])
{
    char text[EXPLORE_THING_SIZE];
    const struct evidence *piece = explore_thing_piece(shown, thing);
    explore_thing_text(shown, thing, text);
    snprintf(out, EXPLORE_ADDRESS_SIZE, "%s/%s", evidence_kind_name((enum evidence_kind)piece->kind), text);
    return piece->size > 0 && strlen(text) <= ADDRESS_HEX_MAX;
}

static void put_thing(struct explore_request *request, const struct explore_shown *shown, uint32_t thing)
{
    struct printer *page = &request->page;
    char address[EXPLORE_ADDRESS_SIZE], text[EXPLORE_THING_SIZE];
    const char *kind = evidence_kind_name((enum evidence_kind)explore_thing_piece(shown, thing)->kind);
    explore_thing_text(shown, thing, text);
    if (explore_thing_address(shown, thing, address))
        PRINT(page, "%s <a class=\"id\" href=\"/%s/%s\">%.70s%s</a>", kind, rules_name(request->rules), address, text,
              strlen(text) > 70 ? "..." : "");
    else
        PRINT(page, "%s <code>%.70s%s</code>", kind, *text ? text : "(empty)", strlen(text) > 70 ? "..." : "");
}

void explore_put_things(struct explore_request *request, const struct explore_shown *shown, const uint32_t *things,
                        uint64_t count)
{
    struct printer *page = &request->page;
    for (uint64_t i = 0; i < count; i++) {
        const struct evidence_thing thing = evidence_thing_of(&shown->evidence, explore_thing_piece(shown, things[i]));
        PRINT(page, "<tr><th scope=\"row\" class=\"script\">");
        put_thing(request, shown, things[i]);
        PRINT(page, "</th>");
        html_number(page, thing.members);
        html_number(page, thing.dags);
        PRINT(page, "<td class=\"n\">");
        explore_put_block(request, thing.first_height);
        PRINT(page, "</td><td class=\"n\">");
        explore_put_block(request, thing.last_height);
        PRINT(page, "</td></tr>\n");
    }
}

const char *explore_group_address(const struct explore_request *request, const struct explore_shown *shown,
                                  uint32_t group, char out[EXPLORE_GROUP_SIZE])
{
    char *p = put_text(out, "group/");
    p = explore_group_is_named(shown, group)
            ? tdag_put_name(&request->explore->opened.forest, &shown->groups.names, group, p)
            : put_u64(p, group);
    *p = '\0';
    return out;
}

void explore_put_group(struct explore_request *request, const struct explore_shown *shown, uint32_t group)
{
    char address[EXPLORE_GROUP_SIZE], name[TDAG_NAME_MAX + 1];
    *tdag_put_name(&request->explore->opened.forest, &shown->groups.names, group, name) = '\0';
    PRINT(&request->page, "<a class=\"id\" href=\"/%s/%s\">%s</a>", rules_name(request->rules),
          explore_group_address(request, shown, group, address), name);
}

void explore_put_left_out(struct explore_request *request, const struct explore_shown *shown)
{
    char number[GROUPED_SIZE];
    if (!shown->unlocked_first)
        PRINT(&request->page, " The blk files are not there: what spenders showed is left out.");
    else if (shown->unread > 0)
        PRINT(&request->page, " Inputs that could not be read, and what they showed is left out: %s.",
              grouped(number, shown->unread));
}

/* ---- one of them ---- */

struct found {
    const struct explore_shown *shown;
    const char *whole; /* what is asked for, if that is all of a thing */
    uint32_t things[2];
    uint32_t count;
    bool is_whole; /* things[0] */
};

/* A whole one ends where another one may go on: what is asked for letter by letter is meant. */
static void take(void *context, uint32_t thing)
{
    struct found *found = context;
    char text[EXPLORE_THING_SIZE];
    explore_thing_text(found->shown, thing, text);
    if (strcasecmp(text, found->whole) == 0)
        *found = (struct found){
            .shown = found->shown, .whole = found->whole, .things = {thing}, .count = 1, .is_whole = true};
    else if (!found->is_whole && found->count < 2)
        found->things[found->count++] = thing;
}

/* Puts a whole key as the pages have it: one that is a point in its compressed form. False if it is none. */
static bool put_key(const char *digits, char out[2 * 65 + 1])
{
    uint8_t bytes[65], key[65];
    size_t size = strlen(digits);
    bool whole = (size == 66 || size == 130) && digits_bytes(digits, size / 2, bytes);
    if (whole)
        *put_hex(out, key, evidence_key_form(bytes, size / 2, key)) = '\0';
    return whole;
}

static enum status find_thing(struct explore_request *request, const struct explore_shown *shown, uint32_t *thing,
                              struct fault *fault)
{
    const char *digits = strchr(request->rest, '/') + 1;
    size_t size = strlen(digits);
    char key[2 * 65 + 1];
    struct found found = {.shown = shown, .whole = digits};
    enum evidence_kind kind = EVIDENCE_KEY;
    while (kind < EVIDENCE_PREIMAGE &&
           strncmp(request->rest, evidence_kind_name(kind), strlen(evidence_kind_name(kind))) != 0)
        kind++;
    if (size >= EXPLORE_DIGITS_MIN && size < EXPLORE_THING_SIZE && digits_are_hex(digits, size)) {
        bool whole_key = kind == EVIDENCE_KEY && put_key(digits, key);
        found.whole = whole_key ? key : digits;
        explore_things_find(shown, kind, found.whole, whole_key ? EXPLORE_LOOKED_AT_MAX : 2, take, &found);
        if (whole_key && !found.is_whole) /* keys with one x are others if they are no points */
            found.count = 0;
    }
    *thing = found.things[0];
    if (found.count == 1)
        return STATUS_OK;
    return fault_set(fault, found.count ? STATUS_REFUSED : STATUS_NOT_FOUND, NULL, FAULT_NO_OFFSET,
                     found.count ? "Several begin with %.80s: give more digits."
                                 : "No unknown output of %s and no spender of one shows a key, hash or preimage that "
                                   "begins so: at least 8 hexadecimal digits are asked for.",
                     found.count ? digits : rules_name(request->rules));
}

/* Those of one form of a key, with a word before them. */
static void put_addresses_of(struct explore_request *request, const char *word, const uint8_t *key, size_t size)
{
    const struct network *network = network_by_genesis(&store_identity_of(request->explore->opened.store)->genesis);
    struct printer *page = &request->page;
    bool any = false;
    for (unsigned a = 0; a < KEY_ADDRESSES; a++) {
        char address[ADDRESS_SIZE_MAX + 1];
        *address_put_of_key(address, network, key, size, (enum key_address)a) = '\0';
        if (*address)
            PRINT(page, "%s<code class=\"hash\">%s</code>", any ? ", " : word, address);
        any |= *address != '\0';
    }
}

/* Who has the key may have coins at the addresses of each of its forms, whichever is shown here. */
static void put_addresses(struct explore_request *request, const uint8_t *key, size_t size)
{
    uint8_t whole[PUBKEY_UNCOMPRESSED_SIZE], compressed[PUBKEY_UNCOMPRESSED_SIZE];
    if (!pubkey_uncompressed(key, size, whole))
        return;
    size_t compressed_size = evidence_key_form(whole, sizeof whole, compressed);
    put_addresses_of(request, "<p>Its addresses, as views: ", compressed, compressed_size);
    put_addresses_of(request, "; of its uncompressed form: ", whole, sizeof whole);
    if (size == sizeof whole && key[0] != whole[0])
        put_addresses_of(request, "; of its hybrid form: ", key, size);
    PRINT(&request->page, ".</p>\n");
}

static void put_facts(struct explore_request *request, const struct explore_shown *shown, uint32_t number,
                      const struct evidence_thing *thing)
{
    struct printer *page = &request->page;
    const struct evidence *piece = explore_thing_piece(shown, number);
    bool tying = evidence_ties(thing, TIES_MAX_DEGREE);
    if (piece->kind == EVIDENCE_KEY)
        put_addresses(request, shown->evidence.bytes.at + piece->at, piece->size);
    PRINT(page, "<p>Shared by T-DAGs: %u, by single unknown outputs: %u.", (unsigned)thing->dags,
          (unsigned)(thing->members - thing->dags));
    if (tying) {
        PRINT(page, " Group ");
        explore_put_group(request, shown, shown->groups.of_member[evidence_member(&shown->evidence, piece)]);
        PRINT(page, ".</p>\n");
        return;
    }
    PRINT(page, " It ties nothing%s.</p>\n",
          thing->marker                      ? ": nobody has it, since it is a burn or marker key or hash"
          : thing->members > TIES_MAX_DEGREE ? ": too many have it"
          : thing->members > 1               ? ": it is no point of the curve"
                                             : ": no other T-DAG or single output has it");
}

static void put_piece(struct explore_request *request, const struct evidence *piece)
{
    struct printer *page = &request->page;
    const struct forest *forest = &request->explore->opened.forest;
    const struct forest_output *output = &forest->outputs[piece->ordinal];
    uint32_t dag = request->tdags->tdags.tx_dag[piece->tx];
    PRINT(page, "<tr><th scope=\"row\">");
    explore_put_output(request, &forest->txs[output->tx].txid, output->vout, 16);
    PRINT(page, "</th><td>%s</td><td>", evidence_role_name((enum evidence_role)piece->role));
    explore_put_tx(request, &forest->txs[piece->tx].txid, 16);
    PRINT(page, "</td><td class=\"n\">");
    explore_put_block(request, forest->txs[piece->tx].height);
    PRINT(page, "</td><td>");
    if (dag > 0)
        explore_put_tdag(request, dag);
    PRINT(page, "</td>");
    explore_put_labels_cell(request, dag);
    PRINT(page, "</tr>\n");
}

#define PIECE_HEADS "output|role|shown by transaction|block|T-DAG"

/* `unktx find` is of keys and hashes that are written in full. Of a preimage the table of hashes has those that it
 * hashes to. */
static void put_thing_commands(struct explore_request *request, const struct explore_shown *shown, uint32_t number)
{
    const unsigned takes = TAKES_RULES | TAKES_CHAIN | TAKES_LABELS;
    char text[EXPLORE_THING_SIZE];
    const struct evidence *piece = explore_thing_piece(shown, number);
    explore_thing_text(shown, number, text);
    if (piece->kind == EVIDENCE_PREIMAGE) {
        explore_put_command(request, takes | OF_HASHES_TOO, "keys --hashes");
        return;
    }
    explore_put_command(request, takes | OF_ALL_PLACES, piece->kind == EVIDENCE_HASH ? "keys --hashes" : "keys");
    explore_put_command(request, takes | OF_EACH_OUTPUT, "find %s", text);
}

enum status explore_thing(struct explore_request *request, struct fault *fault)
{
    const struct explore_shown *shown;
    char title[EXPLORE_ADDRESS_SIZE];
    uint32_t number = 0;
    request->by_shown = true;
    enum status status = explore_shown_get(request, &shown, fault);
    if (status == STATUS_OK)
        status = find_thing(request, shown, &number, fault);
    if (status != STATUS_OK)
        return status;
    const struct evidence *piece = explore_thing_piece(shown, number);
    const struct evidence_thing thing = evidence_thing_of(&shown->evidence, piece);
    const uint32_t *pieces = piece->thing == EVIDENCE_ALONE
                                 ? &number
                                 : shown->evidence.by_thing + shown->evidence.begins[piece->thing];
    explore_thing_address(shown, number, title);
    *strchr(title, '/') = ' ';
    title[0] = (char)(title[0] - 'a' + 'A');
    explore_begin_page(request, title);
    put_facts(request, shown, number, &thing);
    uint64_t page = explore_page_number(request, "page", thing.members);
    explore_begin_table(request, "Where it is shown first in each T-DAG and single output",
                        request->explore->opened.labels.count > 0 ? PIECE_HEADS "|labels" : PIECE_HEADS);
    for (uint64_t i = (page - 1) * EXPLORE_ROWS; i < page * EXPLORE_ROWS && i < thing.members; i++)
        put_piece(request, &shown->evidence.pieces.at[pieces[i]]);
    explore_end_table(request);
    explore_put_pager(request, "page", page, thing.members);
    put_thing_commands(request, shown, number);
    explore_end_page(request);
    return STATUS_OK;
}

/* ---- on the page of a T-DAG ---- */

static void put_unlocks(struct explore_request *request, const struct explore_shown *shown, uint32_t dag)
{
    struct printer *page = &request->page;
    struct unlock_counts counts = {.unread = true};
    uint64_t sum = 0;
    if (shown->unlocked_first)
        counts = explore_shown_unlocks(shown, dag);
    for (unsigned u = 0; u < UNLOCKS; u++)
        sum += counts.of[u];
    if (sum == 0 && counts.unread) {
        PRINT(page, "<p>This is not known: the blk files are not there.</p>\n");
        return;
    }
    explore_begin_table(request, "Spent unknown outputs by what their spenders showed", "unlocked by|outputs|share");
    for (unsigned u = 0; u < UNLOCKS; u++) {
        if (counts.of[u] == 0)
            continue;
        PRINT(page, "<tr><th scope=\"row\">%s</th>", unlock_name((enum unlock_by)u));
        html_number(page, counts.of[u]);
        PRINT(page, "<td class=\"n\">%.4f</td></tr>\n", (double)counts.of[u] / (double)sum);
    }
    explore_end_table(request);
    if (counts.unread)
        PRINT(page, "<p>Not all spenders could be read.</p>\n");
    char address[EXPLORE_TDAG_SIZE];
    explore_put_command(request, TAKES_RULES | TAKES_CHAIN | TAKES_LABELS, "unlocks --dag %s",
                        explore_tdag_address(request, dag, address) + strlen("tdag/"));
}

static void put_ties(struct explore_request *request, const struct explore_shown *shown, uint32_t dag)
{
    struct printer *page = &request->page;
    uint32_t group = shown->groups.of_member[dag];
    struct explore_span span = explore_shown_of_tdag(shown, dag);
    char number[3][GROUPED_SIZE];
    if (group == 0) {
        PRINT(page, "<p>It shares no key, hash or preimage with another T-DAG or single unknown output.");
        explore_put_left_out(request, shown);
        PRINT(page, "</p>\n");
        return;
    }
    const struct explore_group *row = &shown->rows[group - 1];
    uint64_t count = explore_page_number(request, "shared", span.count);
    PRINT(page, "<p>Group ");
    explore_put_group(request, shown, group);
    PRINT(page, ": T-DAGs %s, single unknown outputs %s.", grouped(number[0], row->tdags),
          grouped(number[1], row->outputs));
    explore_put_left_out(request, shown);
    PRINT(page, " What it shares, %s in all:</p>\n", grouped(number[2], span.count));
    uint64_t first = (count - 1) * EXPLORE_ROWS, left = span.count - first;
    explore_begin_table(request, "What ties it to others, in the order of the chain", EXPLORE_THING_HEADS);
    explore_put_things(request, shown, span.things + first, left < EXPLORE_ROWS ? left : EXPLORE_ROWS);
    explore_end_table(request);
    explore_put_pager(request, "shared", count, span.count);
    explore_put_command(request, TAKES_ALL | OF_ALL_TDAGS, "ties -o FOLDER");
}

void explore_put_shown(struct explore_request *request, uint32_t dag)
{
    struct printer *page = &request->page;
    const struct explore_shown *shown = explore_shown_at_once(request);
    html_begin_section(page, "unlocks", "How its outputs were unlocked");
    if (shown)
        put_unlocks(request, shown, dag);
    else if (request->rules == RULES_HIDDEN)
        PRINT(page, "<p>" EXPLORE_SHOWN_NOT_HIDDEN "</p>\n");
    else
        PRINT(page,
              "<p>This and what ties it to others is in the blocks of the spenders. <a href=\"/%s/groups\">The page of "
              "groups</a> has them read; once that is done, it is here too.</p>\n",
              rules_name(request->rules));
    PRINT(page, "</section>\n");
    if (!shown)
        return;
    html_begin_section(page, "ties", "Ties to others");
    put_ties(request, shown, dag);
    PRINT(page, "</section>\n");
}
