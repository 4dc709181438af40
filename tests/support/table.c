#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/plan.h"
#include "tests/support/run.h"
#include "tests/support/table.h"

/* Ends the field that begins at `at` and returns what follows; `*last` tells whether it ended the row. */
static char *cut_field(char *at, const char **field, bool *last)
{
    char *out = at;
    *field = out;
    if (*at == '"') {
        for (at++; *at && (*at != '"' || at[1] == '"'); *out++ = *at++)
            at += *at == '"';
        at += *at == '"';
    } else {
        while (*at && *at != ',' && *at != '\n' && *at != '\r')
            at++;
        out = at;
    }
    if (*at == '\r')
        at++;
    *last = *at != ',';
    if (*at)
        at++;
    *out = '\0';
    return at;
}

struct table table_read(const char *path)
{
    size_t size, capacity = 0, count = 0;
    struct table table = {.text = read_file(path, &size)};
    if (!table.text)
        fail_msg("cannot read %s", path);
    bool last = false;
    size_t in_row = 0;
    for (char *at = table.text; *at;) {
        must_reserve(&table.fields, &capacity, count + 1, sizeof *table.fields);
        at = cut_field(at, &table.fields[count++], &last);
        in_row++;
        if (!last)
            continue;
        if (!table.columns)
            table.columns = in_row;
        if (in_row != table.columns)
            fail_msg("%s: row %zu has %zu fields, not %zu", path, count / table.columns, in_row, table.columns);
        in_row = 0;
    }
    if (!table.columns)
        fail_msg("%s: no header", path);
    table.rows = count / table.columns - 1;
    return table;
}

void table_free(struct table *table)
{
    free(table->text);
    free(table->fields);
    *table = (struct table){0};
}

size_t table_column(const struct table *table, const char *name)
{
    for (size_t c = 0; c < table->columns; c++)
        if (strcmp(table->fields[c], name) == 0)
            return c;
    fail_msg("no column %s", name);
    return 0;
}

const char *table_at(const struct table *table, size_t row, size_t column)
{
    assert_true(row < table->rows);
    return table->fields[(row + 1) * table->columns + column];
}

static uint64_t number_of(const char *text)
{
    char *end;
    uint64_t number = strtoull(text, &end, 10);
    if (*end || (*text && !isdigit((unsigned char)*text)))
        fail_msg("not a number: %s", text);
    return number;
}

uint64_t table_number(const struct table *table, size_t row, size_t column)
{
    return number_of(table_at(table, row, column));
}

const char *table_get(const struct table *table, size_t row, const char *name)
{
    return table_at(table, row, table_column(table, name));
}

uint64_t table_sum(const struct table *table, const char *name)
{
    size_t column = table_column(table, name);
    uint64_t sum = 0;
    for (size_t r = 0; r < table->rows; r++)
        sum += table_number(table, r, column);
    return sum;
}

char *table_lines(const char *path, size_t field, const char *value)
{
    size_t size, length = 0;
    char *file = read_file(path, &size), *out = malloc(size + 1);
    assert_true(file && out);
    bool is_head = true;
    for (char *line = file; *line; is_head = false) {
        size_t line_size = strcspn(line, "\n") + 1;
        char *at = line;
        for (size_t i = 0; i < field; i++)
            at = strchr(at, ',') + 1;
        if (is_head || (strncmp(at, value, strlen(value)) == 0 && strchr(",\n", at[strlen(value)]))) {
            memcpy(out + length, line, line_size);
            length += line_size;
        }
        line += line_size;
    }
    out[length] = '\0';
    free(file);
    return out;
}

struct json json_open(const char *path)
{
    size_t size;
    struct json json = {.text = read_file(path, &size)};
    if (!json.text)
        fail_msg("cannot read %s", path);
    json.at = json.text;
    return json;
}

/* Copies a quoted string without its quotes; escapes are not needed here and stay as they are. */
static const char *take_string(const char *at, char *out, size_t capacity)
{
    size_t size = 0;
    for (at++; *at && *at != '"'; at++)
        if (size + 1 < capacity)
            out[size++] = *at;
    out[size] = '\0';
    return *at ? at + 1 : at;
}

static const char *skip_space(const char *at) { return at + strspn(at, " \t\r\n"); }

bool json_next(struct json *json)
{
    for (const char *at = json->at; *at; at++) {
        if (*at != '"')
            continue;
        at = skip_space(take_string(at, json->key, sizeof json->key));
        if (*at != ':') {
            at--;
            continue;
        }
        at = skip_space(at + 1);
        if (*at == '"') {
            at = take_string(at, json->value, sizeof json->value);
        } else {
            bool opens = *at == '{' || *at == '[';
            size_t size = opens ? 1 : strcspn(at, ",]} \r\n");
            size_t copied = size < sizeof json->value ? size : sizeof json->value - 1;
            memcpy(json->value, at, copied);
            json->value[copied] = '\0';
            at += size;
        }
        json->at = at;
        return true;
    }
    json->at = "";
    return false;
}

const char *json_find(struct json *json, const char *key)
{
    while (json_next(json))
        if (strcmp(json->key, key) == 0)
            return json->value;
    fail_msg("no \"%s\" in the JSON text", key);
    return "";
}

uint64_t json_number(const struct json *json) { return number_of(json->value); }

uint64_t json_find_number(struct json *json, const char *key) { return number_of(json_find(json, key)); }

void json_close(struct json *json)
{
    free(json->text);
    *json = (struct json){0};
}
