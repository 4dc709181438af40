#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <yaml.h>

#include "cli/inputs/label_file.h"
#include "parser/mem.h"
#include "parser/stop.h"

/* The fields that are read, of the file and of each tag. */
enum field { FIELD_ADDRESS, FIELD_TX_HASH, FIELD_LABEL, FIELD_SOURCE, FIELD_CURRENCY, FIELD_NETWORK };
#define FIELDS 6u
static const char *const field_names[FIELDS] = {"address", "tx_hash", "label", "source", "currency", "network"};

/* Values that were kept; NULL: not given. */
struct fields {
    const char *values[FIELDS];
};

/* A tag as it stands in the file: what it inherits may come after it. */
struct tag {
    struct fields fields;
    struct label_place place;
};

struct anchor {
    const char *name;
    const char *text; /* NULL: of a collection */
    size_t size;
};

struct reading {
    struct address_labels *labels;
    yaml_parser_t parser;
    yaml_event_t event;
    bool has_event;
    const char *path;
    struct tag *tags;
    size_t tags_count;
    size_t tags_capacity;
    struct fields top; /* of the file, of its `header` */
    struct fields header;
    bool has_tags;
    struct anchor anchors[TAGPACK_ANCHORS];
    size_t anchors_count;
    uint64_t events;
    struct fault *fault;
};

/* ---- events ---- */

static struct label_place place_of(const struct reading *reading, const yaml_mark_t *mark)
{
    return (struct label_place){reading->path, mark->line + 1, mark->column + 1};
}

static enum status refuse(struct reading *reading, const char *why)
{
    struct label_place place = place_of(reading, &reading->event.start_mark);
    return label_refuse(&place, reading->fault, "%s", why);
}

static enum status next_event(struct reading *reading)
{
    if (reading->has_event)
        yaml_event_delete(&reading->event);
    reading->has_event = false;
    if (yaml_parser_parse(&reading->parser, &reading->event)) {
        reading->has_event = true;
        return stop_due(reading->events++) ? stop_check(reading->fault) : STATUS_OK;
    }
    if (reading->parser.error == YAML_MEMORY_ERROR)
        return fault_nomem(reading->fault);
    struct label_place place = place_of(reading, &reading->parser.problem_mark);
    return label_refuse(&place, reading->fault, "no YAML: %s", reading->parser.problem ? reading->parser.problem : "");
}

#define YAML_TAG "tag:yaml.org,2002:"

/* Null by YAML 1.1 (yaml.org/type/null.html): one of its words in no quotes, or tagged so. */
static bool is_null(const yaml_event_t *event)
{
    static const char *const words[] = {"", "~", "null", "Null", "NULL"};
    const char *tag = (const char *)event->data.scalar.tag;
    bool null = tag && strcmp(tag, YAML_TAG "null") == 0;
    for (size_t i = 0; !tag && event->data.scalar.plain_implicit && i < sizeof words / sizeof *words; i++)
        null |= strcmp((const char *)event->data.scalar.value, words[i]) == 0;
    return null;
}

/* Text, or what stands for itself without quotes; not what a tag makes of another type, such as !!binary. */
static bool is_text_scalar(const yaml_event_t *event)
{
    const char *tag = (const char *)event->data.scalar.tag;
    return !is_null(event) && (!tag || strcmp(tag, "!") == 0 || strcmp(tag, YAML_TAG "str") == 0);
}

/* Keeps what an alias may stand for later; `text` is NULL for a collection. */
static enum status keep_anchor(struct reading *reading, const yaml_char_t *name, const char *text, size_t size)
{
    if (!name)
        return STATUS_OK;
    if (reading->anchors_count == TAGPACK_ANCHORS)
        return refuse(reading, "more than 64 anchors");
    size = text && size > LABEL_SOURCE_MAX ? LABEL_SOURCE_MAX + 1 : size; /* too long for any field */
    struct anchor anchor = {label_keep(reading->labels, (const char *)name, strnlen((const char *)name, 256)),
                            text ? label_keep(reading->labels, text, size) : NULL, size};
    if (!anchor.name || (text && !anchor.text))
        return fault_nomem(reading->fault);
    reading->anchors[reading->anchors_count++] = anchor;
    return STATUS_OK;
}

static enum status note_anchor(struct reading *reading)
{
    const yaml_event_t *event = &reading->event;
    switch (event->type) {
    case YAML_SCALAR_EVENT:
        return keep_anchor(reading, event->data.scalar.anchor,
                           is_text_scalar(event) ? (const char *)event->data.scalar.value : NULL,
                           event->data.scalar.length);
    case YAML_SEQUENCE_START_EVENT: return keep_anchor(reading, event->data.sequence_start.anchor, NULL, 0);
    case YAML_MAPPING_START_EVENT: return keep_anchor(reading, event->data.mapping_start.anchor, NULL, 0);
    default: return STATUS_OK;
    }
}

static const struct anchor *anchor_of(const struct reading *reading)
{
    for (size_t i = reading->anchors_count; i-- > 0;)
        if (strcmp(reading->anchors[i].name, (const char *)reading->event.data.alias.anchor) == 0)
            return &reading->anchors[i];
    return NULL;
}

/* Steps over the value that begins with this event, at depth `depth`, to its last event. */
static enum status skip(struct reading *reading, unsigned depth)
{
    enum status status = note_anchor(reading);
    unsigned inside = 0;
    for (;;) {
        yaml_event_type_t type = reading->event.type;
        inside += type == YAML_SEQUENCE_START_EVENT || type == YAML_MAPPING_START_EVENT;
        inside -= type == YAML_SEQUENCE_END_EVENT || type == YAML_MAPPING_END_EVENT;
        if (status == STATUS_OK && depth + inside > TAGPACK_DEPTH)
            status = refuse(reading, "collections are more than 16 deep");
        if (status != STATUS_OK || inside == 0)
            return status;
        status = next_event(reading);
        if (status == STATUS_OK)
            status = note_anchor(reading);
    }
}

/* ---- fields ---- */

static enum field field_of(const struct reading *reading)
{
    unsigned f = 0;
    while (f < FIELDS && strcmp((const char *)reading->event.data.scalar.value, field_names[f]) != 0)
        f++;
    return (enum field)f;
}

/* How a field is checked. */
static enum label_field check_of(enum field field)
{
    if (field == FIELD_ADDRESS || field == FIELD_TX_HASH)
        return LABEL_ADDRESS;
    return field == FIELD_LABEL ? LABEL_LABEL : LABEL_SOURCE;
}

/* The value that this event is, a text or an alias of one. */
static enum status take_field(struct reading *reading, enum field field, struct fields *fields)
{
    struct label_place place = place_of(reading, &reading->event.start_mark);
    const char *text = NULL;
    size_t size = 0;
    if (fields->values[field])
        return label_refuse(&place, reading->fault, "a second %s", field_names[field]);
    if (reading->event.type == YAML_ALIAS_EVENT) {
        const struct anchor *anchor = anchor_of(reading);
        text = anchor ? anchor->text : NULL;
        size = anchor ? anchor->size : 0;
    } else if (reading->event.type == YAML_SCALAR_EVENT && is_null(&reading->event)) {
        return label_refuse(&place, reading->fault, "%s is null, which is no value", field_names[field]);
    } else if (reading->event.type == YAML_SCALAR_EVENT && is_text_scalar(&reading->event)) {
        text = (const char *)reading->event.data.scalar.value;
        size = reading->event.data.scalar.length;
    }
    if (!text)
        return label_refuse(&place, reading->fault, "%s is no text", field_names[field]);
    enum status status = label_check(check_of(field), text, size, &place, reading->fault);
    if (status == STATUS_OK)
        status = note_anchor(reading);
    if (status != STATUS_OK)
        return status;
    fields->values[field] = field == FIELD_ADDRESS || field == FIELD_TX_HASH
                                ? label_keep_address(reading->labels, text, size)
                                : label_keep(reading->labels, text, size);
    return fields->values[field] ? STATUS_OK : fault_nomem(reading->fault);
}

/* The key of a mapping, which is this event. */
static enum status check_key(struct reading *reading)
{
    if (reading->event.type != YAML_SCALAR_EVENT)
        return refuse(reading, "a key that is no text");
    if (strcmp((const char *)reading->event.data.scalar.value, "<<") == 0)
        return refuse(reading, "the merge key << is not read: write the fields out, or inherit them from the header");
    return note_anchor(reading);
}

/* A mapping of fields: a tag, or `header`. Its begin is this event. */
static enum status read_fields(struct reading *reading, unsigned depth, const char *what, struct fields *fields)
{
    if (reading->event.type != YAML_MAPPING_START_EVENT)
        return refuse(reading, what);
    enum status status = note_anchor(reading);
    while (status == STATUS_OK && (status = next_event(reading)) == STATUS_OK &&
           reading->event.type != YAML_MAPPING_END_EVENT) {
        if ((status = check_key(reading)) != STATUS_OK)
            break;
        enum field field = field_of(reading);
        status = next_event(reading);
        if (status == STATUS_OK)
            status = field < FIELDS ? take_field(reading, field, fields) : skip(reading, depth);
    }
    return status;
}

/* ---- the file ---- */

static enum status read_tags(struct reading *reading)
{
    if (reading->has_tags)
        return refuse(reading, "a second list of tags");
    if (reading->event.type != YAML_SEQUENCE_START_EVENT)
        return refuse(reading, "tags is no list");
    reading->has_tags = true;
    enum status status = note_anchor(reading);
    while (status == STATUS_OK && (status = next_event(reading)) == STATUS_OK &&
           reading->event.type != YAML_SEQUENCE_END_EVENT) {
        struct tag tag = {.place = place_of(reading, &reading->event.start_mark)};
        status = read_fields(reading, 3, "a tag is a mapping of fields, written out", &tag.fields);
        if (status == STATUS_OK && mem_reserve(&reading->tags, &reading->tags_capacity, reading->tags_count + 1,
                                               sizeof *reading->tags) != STATUS_OK)
            status = fault_nomem(reading->fault);
        if (status == STATUS_OK)
            reading->tags[reading->tags_count++] = tag;
    }
    return status;
}

static bool is_text(const struct reading *reading, const char *text)
{
    return strcmp((const char *)reading->event.data.scalar.value, text) == 0;
}

static enum status read_value(struct reading *reading, bool tags, bool header, enum field field)
{
    enum status status = next_event(reading);
    if (status != STATUS_OK)
        return status;
    if (tags)
        return read_tags(reading);
    if (header)
        return read_fields(reading, 2,
                           "header is a mapping of fields, written out: another file (!include) is not read",
                           &reading->header);
    return field < FIELDS ? take_field(reading, field, &reading->top) : skip(reading, 1);
}

static enum status read_top(struct reading *reading)
{
    enum status status = STATUS_OK;
    if (reading->event.type != YAML_MAPPING_START_EVENT)
        return refuse(reading, "no TagPack: it is a mapping with a list of tags");
    status = note_anchor(reading);
    while (status == STATUS_OK && (status = next_event(reading)) == STATUS_OK &&
           reading->event.type != YAML_MAPPING_END_EVENT) {
        if ((status = check_key(reading)) == STATUS_OK)
            status = read_value(reading, is_text(reading, "tags"), is_text(reading, "header"), field_of(reading));
    }
    if (status == STATUS_OK && !reading->has_tags)
        status = refuse(reading, "the file ends without a list of tags");
    return status;
}

static enum status read_document(struct reading *reading)
{
    enum status status;
    do
        status = next_event(reading);
    while (status == STATUS_OK && reading->event.type == YAML_STREAM_START_EVENT);
    if (status == STATUS_OK && reading->event.type != YAML_DOCUMENT_START_EVENT)
        return refuse(reading, "the file has no document");
    if (status == STATUS_OK)
        status = next_event(reading);
    if (status == STATUS_OK)
        status = read_top(reading);
    while (status == STATUS_OK && (status = next_event(reading)) == STATUS_OK &&
           reading->event.type != YAML_STREAM_END_EVENT) {
        if (reading->event.type == YAML_DOCUMENT_START_EVENT)
            status = refuse(reading, "a second document");
    }
    return status;
}

/* ---- tags ---- */

/* What the tag has, else the header, else the file. */
static const char *value_of(const struct reading *reading, const struct tag *tag, enum field field)
{
    if (tag->fields.values[field])
        return tag->fields.values[field];
    return reading->header.values[field] ? reading->header.values[field] : reading->top.values[field];
}

static bool is_bitcoin(const struct reading *reading, const struct tag *tag)
{
    const char *network = value_of(reading, tag, FIELD_NETWORK);
    network = network ? network : value_of(reading, tag, FIELD_CURRENCY);
    return !network || strcasecmp(network, "BTC") == 0;
}

static enum status add_tag(struct reading *reading, const struct tag *tag)
{
    const char *address = value_of(reading, tag, FIELD_ADDRESS), *txid = value_of(reading, tag, FIELD_TX_HASH);
    const char *label = value_of(reading, tag, FIELD_LABEL), *source = value_of(reading, tag, FIELD_SOURCE);
    if (!label)
        return label_refuse(&tag->place, reading->fault, "the tag has no label, nor has the header");
    if (!address && !txid)
        return label_refuse(&tag->place, reading->fault, "the tag has neither address nor tx_hash");
    reading->labels->passed_over += !is_bitcoin(reading, tag);
    if (!is_bitcoin(reading, tag))
        return STATUS_OK;
    enum status status = STATUS_OK;
    if (address)
        status = label_add(reading->labels, address, label, source, &tag->place, reading->fault);
    if (status == STATUS_OK && txid)
        status = label_add(reading->labels, txid, label, source, &tag->place, reading->fault);
    return status;
}

enum status tagpack_read(struct address_labels *labels, const char *path, const char *text, size_t size,
                         struct fault *fault)
{
    struct reading *reading = mem_alloc(1, sizeof *reading);
    if (!reading)
        return fault_nomem(fault);
    reading->labels = labels;
    reading->path = path;
    reading->fault = fault;
    enum status status = STATUS_OK;
    if (yaml_parser_initialize(&reading->parser)) {
        yaml_parser_set_encoding(&reading->parser, YAML_UTF8_ENCODING);
        yaml_parser_set_input_string(&reading->parser, (const unsigned char *)(size > 0 ? text : ""), size);
        status = read_document(reading);
        if (reading->has_event)
            yaml_event_delete(&reading->event);
        yaml_parser_delete(&reading->parser);
    } else {
        status = fault_nomem(fault);
    }
    for (size_t i = 0; i < reading->tags_count && status == STATUS_OK; i++)
        status = add_tag(reading, &reading->tags[i]);
    mem_free(reading->tags);
    mem_free(reading);
    return status;
}
