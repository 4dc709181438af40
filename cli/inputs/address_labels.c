#include "cli/inputs/address_labels.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "cli/inputs/label_file.h"
#include "cli/output/message.h"
#include "parser/address.h"
#include "graph/scripts/textfile.h"
#include "parser/mem.h"
#include "parser/printable.h"
#include "parser/search.h"
#include "parser/stop.h"

#define CHUNK_SIZE ((size_t)64 << 10)
#define BETWEEN "; "
#define MORE "; and more: "

struct label_chunk {
    struct label_chunk *next;
    size_t used;
    char bytes[CHUNK_SIZE];
};

_Static_assert(LABEL_SOURCE_MAX < CHUNK_SIZE, "every field fits into a chunk");

/* ---- what the readers use ---- */

enum status label_refuse(const struct label_place *place, struct fault *fault, const char *format, ...)
{
    char what[320];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(what, sizeof what, format, arguments);
    va_end(arguments);
    fault_set(fault, STATUS_FORMAT, place->path, FAULT_NO_OFFSET, "line %zu, column %zu: %s", place->line,
              place->column, what);
    return STATUS_FORMAT;
}

enum status label_check(enum label_field field, const char *text, size_t size, const struct label_place *place,
                        struct fault *fault)
{
    static const struct {
        const char *name;
        size_t most;
    } fields[] = {{"address", LABEL_ADDRESS_MAX}, {"label", LABEL_TEXT_MAX}, {"source", LABEL_SOURCE_MAX}};
    if (size == 0 && field != LABEL_SOURCE)
        return label_refuse(place, fault, "the %s is empty", fields[field].name);
    if (size > fields[field].most)
        return label_refuse(place, fault, "the %s is longer than %zu bytes", fields[field].name, fields[field].most);
    for (size_t shown, i = 0; i < size; i += shown) {
        shown = printable_size(text + i, size - i);
        if (shown == 0)
            return label_refuse(place, fault, "the %s has the byte 0x%02x, which is no printable text",
                                fields[field].name, (unsigned)(unsigned char)text[i]);
        if (field == LABEL_ADDRESS && text[i] == ' ')
            return label_refuse(place, fault, "the address has a space");
    }
    return STATUS_OK;
}

static char *keep(struct address_labels *labels, const char *text, size_t size)
{
    struct label_chunk *chunk = labels->chunks;
    if (!chunk || CHUNK_SIZE - chunk->used <= size) {
        chunk = mem_alloc(1, sizeof *chunk);
        if (!chunk)
            return NULL;
        chunk->next = labels->chunks;
        labels->chunks = chunk;
    }
    char *kept = chunk->bytes + chunk->used;
    memcpy(kept, text, size);
    kept[size] = '\0';
    chunk->used += size + 1;
    return kept;
}

/* Bech32 in capitals is the same address (BIP 173); hexadecimal digits are kept in lower case. */
static void make_uniform(char *address, size_t size)
{
    static const char *const networks[] = {"BC1", "TB1", "BCRT1"};
    bool lower = size >= LABEL_DIGITS_MIN && size <= HASH256_HEX_SIZE &&
                 strspn(address, "0123456789abcdefABCDEF") == size;
    for (size_t i = 0; i < sizeof networks / sizeof *networks && !lower; i++)
        lower = strncmp(address, networks[i], strlen(networks[i])) == 0 &&
                strspn(address, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ") == size;
    for (size_t i = 0; i < size && lower; i++)
        address[i] = address[i] >= 'A' && address[i] <= 'Z' ? (char)(address[i] - 'A' + 'a') : address[i];
}

const char *label_keep_address(struct address_labels *labels, const char *text, size_t size)
{
    const char *last = labels->last_address;
    if (last && strncmp(last, text, size) == 0 && last[size] == '\0')
        return last;
    char *kept = keep(labels, text, size);
    if (kept)
        make_uniform(kept, size);
    return labels->last_address = kept;
}

const char *label_keep(struct address_labels *labels, const char *text, size_t size)
{
    return keep(labels, text, size);
}

/* Counts the entry that comes next by the networks of its address; names of T-DAGs are of none and of all. */
static void note_networks(struct address_labels *labels, const char *address, const struct label_place *place)
{
    size_t size = strlen(address), n = 0;
    if (size >= LABEL_DIGITS_MIN && size <= HASH256_HEX_SIZE && strspn(address, "0123456789abcdef") == size)
        return;
    unsigned networks = labels->count > 0 && labels->entries[labels->count - 1].address == address
                            ? labels->last_networks
                            : address_networks(address, size);
    labels->last_networks = networks;
    while (n + 1 < LABEL_NETWORKS && labels->networks[n].count > 0 && labels->networks[n].networks != networks)
        n++;
    struct label_networks *noted = &labels->networks[n];
    noted->networks = networks;
    if (noted->count < LABEL_PLACES) {
        noted->places[noted->count] = *place;
        noted->addresses[noted->count] = address;
        noted->orders[noted->count] = (uint32_t)labels->count;
    }
    noted->count++;
}

enum status label_add(struct address_labels *labels, const char *address, const char *label, const char *source,
                      const struct label_place *place, struct fault *fault)
{
    if (labels->count >= UINT32_MAX - 1)
        return fault_set(fault, STATUS_LIMIT, NULL, FAULT_NO_OFFSET, "--labels: more than 2^32 labels");
    if (mem_reserve(&labels->entries, &labels->capacity, labels->count + 1, sizeof *labels->entries) != STATUS_OK)
        return fault_nomem(fault);
    if (place)
        note_networks(labels, address, place);
    labels->entries[labels->count] = (struct address_label){address, label, source, (uint32_t)labels->count, 0};
    labels->count++;
    return STATUS_OK;
}

/* ---- order ---- */

static int compare_entries(const void *a, const void *b)
{
    const struct address_label *x = a, *y = b;
    int by = x->address != y->address ? strcmp(x->address, y->address) : 0;
    by = by != 0 ? by : strcmp(x->label, y->label);
    return by != 0 ? by : (x->order > y->order) - (x->order < y->order);
}

static int compare_labels(const void *a, const void *b)
{
    struct address_label *const *x = a, *const *y = b;
    return strcmp((*x)->label, (*y)->label);
}

/* Of entries with equal address and label the first that was read stays. */
static void join_equal(struct address_labels *labels)
{
    size_t kept = 0;
    for (size_t i = 0; i < labels->count; i++) {
        const struct address_label *last = kept > 0 ? &labels->entries[kept - 1] : NULL;
        const struct address_label *entry = &labels->entries[i];
        if (!last || strcmp(last->address, entry->address) != 0 || strcmp(last->label, entry->label) != 0)
            labels->entries[kept++] = *entry;
    }
    labels->count = kept;
}

static enum status give_ids(struct address_labels *labels, struct fault *fault)
{
    struct address_label **by_label = mem_alloc(labels->count, sizeof *by_label);
    labels->names = mem_alloc(labels->count, sizeof *labels->names);
    if (!by_label || !labels->names) {
        mem_free(by_label);
        return fault_nomem(fault);
    }
    for (size_t i = 0; i < labels->count; i++)
        by_label[i] = &labels->entries[i];
    qsort(by_label, labels->count, sizeof *by_label, compare_labels);
    for (size_t i = 0; i < labels->count; i++) {
        if (i == 0 || strcmp(by_label[i]->label, by_label[i - 1]->label) != 0)
            labels->names[labels->names_count++] = by_label[i]->label;
        by_label[i]->id = (uint32_t)labels->names_count - 1;
    }
    mem_free(by_label);
    return STATUS_OK;
}

enum status address_labels_settle(struct address_labels *labels, struct fault *fault)
{
    if (labels->count == 0)
        return STATUS_OK;
    qsort(labels->entries, labels->count, sizeof *labels->entries, compare_entries);
    join_equal(labels);
    return give_ids(labels, fault);
}

/* ---- files ---- */

/* The whole file, lines that a reader passes over too. */
static enum status check_characters(const char *path, const char *text, size_t size, struct fault *fault)
{
    struct textline line = {.number = 0};
    enum status status = STATUS_OK;
    for (size_t at = 0; at < size && status == STATUS_OK; at += line.size + 1) {
        const char *newline = memchr(text + at, '\n', size - at);
        size_t bytes = newline ? (size_t)(newline - text) - at : size - at;
        line.text = text + at;
        line.number++;
        line.size = bytes > 0 && line.text[bytes - 1] == '\r' ? bytes - 1 : bytes;
        status = textfile_check(&line, path, fault);
        if (status == STATUS_OK && stop_due(line.number))
            status = stop_check(fault);
        line.size = bytes;
    }
    return status;
}

static bool ends_in(const char *path, const char *ending)
{
    size_t size = strlen(path), end = strlen(ending);
    return size > end && strcasecmp(path + size - end, ending) == 0;
}

static enum status read_one(struct address_labels *labels, const char *path, struct fault *fault)
{
    static const char mark[] = "\xef\xbb\xbf"; /* that it is UTF-8, as some programs begin a file */
    char *text = NULL;
    size_t size = 0;
    bool is_yaml = ends_in(path, ".yaml") || ends_in(path, ".yml");
    enum status status = textfile_read(path, "labels", LABELS_FILE_MAX, &text, &size, fault);
    size_t skipped = size >= sizeof mark - 1 && memcmp(text, mark, sizeof mark - 1) == 0 ? sizeof mark - 1 : 0;
    if (status == STATUS_OK)
        status = check_characters(path, text + skipped, size - skipped, fault);
    if (status == STATUS_OK)
        status = is_yaml ? tagpack_read(labels, path, text + skipped, size - skipped, fault)
                         : label_csv_read(labels, path, text + skipped, size - skipped, fault);
    mem_free(text);
    return status;
}

enum status address_labels_read(const struct settings *settings, struct address_labels *labels, struct fault *fault)
{
    enum status status = STATUS_OK;
    for (size_t i = 0; i < settings->labels.count && status == STATUS_OK; i++)
        status = read_one(labels, settings->labels.items[i], fault);
    if (status == STATUS_OK)
        status = address_labels_settle(labels, fault);
    if (status == STATUS_OK && labels->passed_over > 0 && message_first(MESSAGE_PASSED_OVER))
        message("--labels: %llu tag%s of other currencies than BTC %s passed over", ULL(labels->passed_over),
                labels->passed_over == 1 ? "" : "s", labels->passed_over == 1 ? "is" : "are");
    return status == STATUS_OK ? stop_check(fault) : status;
}

static unsigned bit_of(const struct network *network)
{
    unsigned i = 0;
    while (network && network_at(i) && network_at(i) != network)
        i++;
    return 1u << i;
}

void address_labels_tell(const struct address_labels *labels, const struct network *network)
{
    const char *name = network ? network->name : "main";
    unsigned bit = bit_of(network), next[LABEL_NETWORKS] = {0};
    uint64_t count = 0;
    for (size_t n = 0; n < LABEL_NETWORKS; n++)
        count += labels->networks[n].networks & bit ? 0 : labels->networks[n].count;
    if (count == 0 || !message_first(MESSAGE_OTHER_ADDRESSES))
        return;
    for (unsigned shown = 0; shown < LABEL_PLACES && shown < count; shown++) { /* the next one in order of reading */
        size_t first = LABEL_NETWORKS;
        for (size_t n = 0; n < LABEL_NETWORKS; n++) {
            const struct label_networks *noted = &labels->networks[n];
            if (!(noted->networks & bit) && next[n] < LABEL_PLACES && next[n] < noted->count &&
                (first == LABEL_NETWORKS || noted->orders[next[n]] < labels->networks[first].orders[next[first]]))
                first = n;
        }
        const struct label_networks *noted = &labels->networks[first];
        const struct label_place *place = &noted->places[next[first]];
        message("%s: line %zu, column %zu: '%s' is %s", place->path, place->line, place->column,
                noted->addresses[next[first]++],
                noted->networks == 0 ? "no address, or its checksum is wrong" : "an address of another network");
    }
    message("--labels: labels of addresses that no output of %s can have: %llu", name, ULL(count));
}

void address_labels_free(struct address_labels *labels)
{
    while (labels->chunks) {
        struct label_chunk *next = labels->chunks->next;
        mem_free(labels->chunks);
        labels->chunks = next;
    }
    mem_free(labels->entries);
    mem_free(labels->names);
    *labels = (struct address_labels){0};
}

/* ---- look-up ---- */

static int compare_address(const char *entry, const char *address, size_t size)
{
    int by = strncmp(entry, address, size);
    return by != 0 ? by : entry[size] != '\0';
}

struct label_span address_labels_of(const struct address_labels *labels, const char *address, size_t size)
{
    struct label_span span = {0};
    span.first = LOWER_BOUND(i, 0, labels->count, compare_address(labels->entries[i].address, address, size) < 0);
    size_t end = LOWER_BOUND(i, span.first, labels->count,
                             compare_address(labels->entries[i].address, address, size) <= 0);
    span.count = end - span.first;
    return span;
}

void address_labels_begin(const struct address_labels *labels, const char *beginning, size_t size, size_t *first,
                          size_t *end)
{
    char word[LABEL_ADDRESS_MAX + 1] = "";
    *first = *end = 0;
    if (size > LABEL_ADDRESS_MAX)
        return;
    memcpy(word, beginning, size);
    make_uniform(word, size);
    *first = LOWER_BOUND(i, 0, labels->count, strncmp(labels->entries[i].address, word, size) < 0);
    *end = LOWER_BOUND(i, *first, labels->count, strncmp(labels->entries[i].address, word, size) <= 0);
}

enum status address_labels_of_txid(const struct address_labels *labels, const struct hash256 *txid,
                                   address_labels_take *take, void *context)
{
    char hex[HASH256_HEX_SIZE + 1] = "";
    enum status status = STATUS_OK;
    hash256_hex(txid, hex);
    size_t i = LOWER_BOUND(e, 0, labels->count, strncmp(labels->entries[e].address, hex, LABEL_DIGITS_MIN) < 0);
    while (i < labels->count && status == STATUS_OK) {
        const char *digits = labels->entries[i].address;
        if (strncmp(digits, hex, LABEL_DIGITS_MIN) != 0)
            break;
        size_t end = LOWER_BOUND(e, i, labels->count, strcmp(labels->entries[e].address, digits) <= 0);
        const struct label_span span = {NULL, i, end - i};
        if (strncmp(digits, hex, strlen(digits)) == 0)
            status = take(context, &span);
        i = end;
    }
    return status;
}

bool address_labels_id(const struct address_labels *labels, const char *label, uint32_t *id)
{
    size_t at = LOWER_BOUND(i, 0, labels->names_count, strcmp(labels->names[i], label) < 0);
    *id = (uint32_t)at;
    return at < labels->names_count && strcmp(labels->names[at], label) == 0;
}

const char *address_labels_other_case(const struct address_labels *labels, const char *label)
{
    for (size_t i = 0; i < labels->names_count; i++)
        if (strcasecmp(labels->names[i], label) == 0)
            return labels->names[i];
    return NULL;
}

/* ---- fields ---- */

static const char *label_at(const struct address_labels *labels, const struct label_span *span, size_t i)
{
    return labels->names[address_labels_id_at(labels, span, i)];
}

static size_t shown_of(const struct label_span *span)
{
    return span->count < LABELS_SHOWN ? span->count : LABELS_SHOWN;
}

size_t address_labels_size(const struct address_labels *labels, const struct label_span *span)
{
    size_t size = 2 + sizeof MORE + PUT_U64_MAX;
    for (size_t i = 0; i < shown_of(span); i++)
        size += 2 * strlen(label_at(labels, span, i)) + sizeof BETWEEN; /* each byte may be a quote */
    return size;
}

char *address_labels_put_text(const struct address_labels *labels, const struct label_span *span, char *out)
{
    size_t shown = shown_of(span);
    for (size_t i = 0; i < shown; i++)
        out = put_text(i > 0 ? put_text(out, BETWEEN) : out, label_at(labels, span, i));
    return shown < span->count ? put_u64(put_text(out, MORE), span->count - shown) : out;
}

char *address_labels_put(const struct address_labels *labels, const struct label_span *span, char *out)
{
    size_t shown = shown_of(span);
    bool quoted = false;
    for (size_t i = 0; i < shown && !quoted; i++)
        quoted = label_at(labels, span, i)[strcspn(label_at(labels, span, i), ",\"")] != '\0';
    if (!quoted)
        return address_labels_put_text(labels, span, out);
    *out++ = '"';
    for (size_t i = 0; i < shown; i++) {
        out = i > 0 ? put_text(out, BETWEEN) : out;
        for (const char *at = label_at(labels, span, i); *at; at++) {
            if (*at == '"')
                *out++ = '"';
            *out++ = *at;
        }
    }
    out = shown < span->count ? put_u64(put_text(out, MORE), span->count - shown) : out;
    *out++ = '"';
    return out;
}

enum status address_labels_print(const struct address_labels *labels, const struct label_span *span, bool json,
                                 const char *indent, struct text *text)
{
    static const char key[] = ",\"labels\":[", title[] = "labels: ";
    size_t size = sizeof key + 1;
    if (!json && span->count == 0)
        return STATUS_OK;
    for (size_t i = 0; json && i < span->count; i++)
        size += 6 * strlen(label_at(labels, span, i)) + 3;
    char *p = text_room(text, json ? size : strlen(indent) + sizeof title + address_labels_size(labels, span));
    if (!p)
        return STATUS_NOMEM;
    if (!json) {
        p = address_labels_put_text(labels, span, put_text(put_text(p, indent), title));
        *p++ = '\n';
    } else {
        p = put_text(p, key);
        for (size_t i = 0; i < span->count; i++)
            p = put_json(put_text(p, i > 0 ? "," : ""), label_at(labels, span, i));
        *p++ = ']';
    }
    text_end(text, p);
    return STATUS_OK;
}

/* ---- of several ---- */

enum status label_union_add(struct label_union *all, const struct address_labels *labels, const struct label_span *span)
{
    size_t count = all->count + span->count;
    if (mem_reserve(&all->ids, &all->capacity, count, sizeof *all->ids) != STATUS_OK)
        return STATUS_NOMEM;
    for (size_t i = 0; i < span->count; i++)
        all->ids[all->count++] = address_labels_id_at(labels, span, i);
    return STATUS_OK;
}

static int compare_ids(const void *a, const void *b)
{
    const uint32_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

struct label_span label_union_span(struct label_union *all)
{
    size_t kept = 0;
    if (all->count > 0)
        qsort(all->ids, all->count, sizeof *all->ids, compare_ids);
    for (size_t i = 0; i < all->count; i++)
        if (kept == 0 || all->ids[kept - 1] != all->ids[i])
            all->ids[kept++] = all->ids[i];
    all->count = kept;
    return (struct label_span){all->ids, 0, kept};
}

void label_union_free(struct label_union *all)
{
    mem_free(all->ids);
    *all = (struct label_union){0};
}
