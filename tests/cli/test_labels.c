/* The files of --labels: what they say, against the examples of the TagPack documentation (README_tagpacks.md of
 * graphsense-tagpack-tool) and RFC 4180, and what is wrong with broken ones. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "cli/inputs/address_labels.h"
#include "parser/mem.h"
#include "tests/support/dir.h"
#include "tests/support/run.h"

#define ARCHIVE "1Archive1n2C579dMsAu3iC6tWzuQJz8dN"
#define EXAMPLE "1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2"

static struct settings settings_of(const char *name, const char *text, size_t size)
{
    struct settings settings = {0};
    const char *path = path_of("%s/%s", dir, name);
    write_file(path, text, size);
    settings.labels.items[settings.labels.count++] = path;
    return settings;
}

static struct address_labels read_text(const char *name, const char *text)
{
    struct settings settings = settings_of(name, text, strlen(text));
    struct address_labels labels = {0};
    struct fault fault = {0};
    if (address_labels_read(&settings, &labels, &fault) != STATUS_OK)
        fail_msg("%s: %s", name, fault.text);
    return labels;
}

/* The labels of an address as one field. */
static const char *labels_of(const struct address_labels *labels, const char *address)
{
    static char field[65536];
    struct label_span span = address_labels_of(labels, address, strlen(address));
    assert_true(address_labels_size(labels, &span) < sizeof field);
    *address_labels_put(labels, &span, field) = '\0';
    return field;
}

/* The file is refused, and what is said begins with `begin` and has `part` in it. */
static void refuse_bytes(const char *name, const char *text, size_t size, const char *begin, const char *part)
{
    struct settings settings = settings_of(name, text, size);
    struct address_labels labels = {0};
    struct fault fault = {0};
    assert_int_equal(address_labels_read(&settings, &labels, &fault), STATUS_FORMAT);
    assert_string_equal(fault.path, settings.labels.items[0]);
    if (strncmp(fault.text, begin, strlen(begin)) != 0 || !strstr(fault.text, part))
        fail_msg("'%s' instead of '%s ... %s'", fault.text, begin, part);
    address_labels_free(&labels);
}

static void refuse(const char *name, const char *text, const char *begin, const char *part)
{
    refuse_bytes(name, text, strlen(text), begin, part);
}

struct broken {
    const char *text;
    const char *begin;
    const char *part;
};

static void refuse_each(const char *name, const struct broken *cases, size_t count)
{
    for (size_t i = 0; i < count; i++)
        refuse(name, cases[i].text, cases[i].begin, cases[i].part);
}

/* ---- CSV ---- */

static void test_csv(void **state)
{
    (void)state;
    struct address_labels labels = read_text("a.csv", "\xef\xbb\xbf"
                                                      "address,label,source\r\n"
                                                      "addr1,\"Smith, John\",\"he \"\"said\"\" so\"\r\n"
                                                      "addr1,Exchange,\r\n"
                                                      "\r\n"
                                                      "addr2,\"say \"\"x\"\"\",s\n"
                                                      "addr1,Exchange,again\n"
                                                      "BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4,Bech,\n"
                                                      "addr3,\xc3\xa9t\xc3\xa9,");
    assert_string_equal(labels_of(&labels, "addr1"), "\"Exchange; Smith, John\"");
    assert_string_equal(labels_of(&labels, "addr2"), "\"say \"\"x\"\"\"");
    assert_string_equal(labels_of(&labels, "addr3"), "\xc3\xa9t\xc3\xa9");
    assert_string_equal(labels_of(&labels, "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4"), "Bech");
    assert_string_equal(labels_of(&labels, "addr"), "");
    assert_string_equal(labels_of(&labels, "addr11"), "");
    assert_int_equal(labels.count, 5);
    assert_int_equal(labels.names_count, 5);
    struct label_span span = address_labels_of(&labels, "addr1", 5);
    assert_null(labels.entries[span.first].source); /* the first that was read */
    assert_string_equal(labels.entries[span.first + 1].source, "he \"said\" so");
    uint32_t id;
    assert_true(address_labels_id(&labels, "Exchange", &id));
    assert_string_equal(labels.names[id], "Exchange");
    assert_false(address_labels_id(&labels, "exchange", &id));
    address_labels_free(&labels);
    /* any order, other columns, no source */
    labels = read_text("b.csv", "x,label,address\n1,L,A\n2,M,A\n");
    assert_string_equal(labels_of(&labels, "A"), "L; M");
    address_labels_free(&labels);
    labels = read_text("c.csv", "address,label\n");
    assert_int_equal(labels.count, 0);
    assert_string_equal(labels_of(&labels, "A"), "");
    address_labels_free(&labels);
}

static void test_broken_csv(void **state)
{
    (void)state;
    static const struct broken cases[] = {
        {"", "line 1, column 1: ", "empty"},
        {"\n\n", "line 1, column 1: ", "empty"},
        {"address,name\nA,B\n", "line 1, column 1: ", "no column label"},
        {"label\nA\n", "line 1, column 1: ", "no column address"},
        {"address,label,address\n", "line 1, column 15: ", "a second column address"},
        {"address,label\nA\n", "line 2, column 1: ", "1 fields"},
        {"address,label\nA,B,C\n", "line 2, column 5: ", "3 fields"},
        {"address,label\nA,\n", "line 2, column 3: ", "label is empty"},
        {"address,label\n,B\n", "line 2, column 1: ", "address is empty"},
        {"address,label\nA B,C\n", "line 2, column 1: ", "space"},
        {"address,label\nA,\"B\n\"\n", "line 2, column 3: ", "not closed"},
        {"address,label\nA,\"B\"C\n", "line 2, column 6: ", "follows the quote"},
        {"address,label\nA,B\"\n", "line 2, column 4: ", "a quote in a field"},
        {"address,label\nA,\xc3\xa9\xc3\xa9\x1b[2J\n", "line 2, column 5: ", "0x1b"},
        {"address,label\nA,B\rC\n", "line 2, column 4: ", "0x0d"},
        {"address,label\nA,\xff\n", "line 2, column 3: ", "0xff"},
        {"address,label\nA,\xe2\x80\xae\n", "line 2, column 3: ", "0xe2"},
        {"address,label\nA\tB,C\n", "line 2, column 1: ", "0x09"},
    };
    refuse_each("broken.csv", cases, sizeof cases / sizeof *cases);
    refuse_bytes("nul.csv", "address,label\nA,B\0C\n", 20, "line 2, column 4: ", "0x00");
}

/* Every beginning of a file is read or refused with a place. */
static void test_cut(void **state)
{
    (void)state;
    static const char *const names[] = {"cut.csv", "cut.yaml"};
    static const char *const texts[] = {"address,label,source\nA,\"B \"\"C\",D\nE,F,\n",
                                        "label: &l x\ntags:\n- {address: A, source: \"s\\n\"}\n- address: *l\n"};
    for (size_t f = 0; f < 2; f++) {
        for (size_t size = 0; size < strlen(texts[f]); size++) {
            struct settings settings = settings_of(names[f], texts[f], size);
            struct address_labels labels = {0};
            struct fault fault = {0};
            enum status status = address_labels_read(&settings, &labels, &fault);
            assert_true(status == STATUS_OK || (status == STATUS_FORMAT && strncmp(fault.text, "line ", 5) == 0));
            address_labels_free(&labels);
        }
    }
}

static void test_long_fields(void **state)
{
    (void)state;
    static const struct {
        size_t address;
        size_t label;
        size_t source;
        bool good;
    } cases[] = {{LABEL_ADDRESS_MAX, LABEL_TEXT_MAX, LABEL_SOURCE_MAX, true},
                 {LABEL_ADDRESS_MAX + 1, 1, 1, false},
                 {1, LABEL_TEXT_MAX + 1, 1, false},
                 {1, 1, LABEL_SOURCE_MAX + 1, false}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[8192], *at = text;
        at += sprintf(at, "address,label,source\n");
        memset(at, 'a', cases[i].address);
        at += cases[i].address;
        *at++ = ',';
        memset(at, 'b', cases[i].label);
        at += cases[i].label;
        *at++ = ',';
        memset(at, 'c', cases[i].source);
        at += cases[i].source;
        *at = '\0';
        if (!cases[i].good) {
            refuse("long.csv", text, "line 2, column ", "longer than");
            continue;
        }
        struct address_labels labels = read_text("long.csv", text);
        assert_int_equal(labels.count, 1);
        address_labels_free(&labels);
    }
}

/* One address with more labels than a field takes. */
static void test_many_labels(void **state)
{
    (void)state;
    char text[8192], expected[8192], *at = text, *to = expected;
    at += sprintf(at, "address,label\n");
    for (unsigned i = 0; i < LABELS_SHOWN + 3; i++) {
        at += sprintf(at, "A,L%02u\n", i);
        to += i < LABELS_SHOWN ? sprintf(to, "%sL%02u", i > 0 ? "; " : "", i) : 0;
    }
    sprintf(to, "; and more: 3");
    struct address_labels labels = read_text("many.csv", text);
    assert_string_equal(labels_of(&labels, "A"), expected);
    address_labels_free(&labels);
}

/* ---- TagPacks ---- */

/* The examples of the documentation: minimal, with fields in the header, with fields that a tag overrides. */
static void test_tagpack_examples(void **state)
{
    (void)state;
    struct address_labels labels = read_text("first.yaml",
                                             "title: First Address Tag Example\ncreator: John Doe\ntags:\n"
                                             "    - address: " ARCHIVE "\n      label: Internet Archive\n"
                                             "      source: https://archive.org/donate/cryptocurrency/\n"
                                             "      lastmod: 2019-03-15\n      currency: BTC\n"
                                             "    - address: " EXAMPLE "\n      label: Example\n"
                                             "      source: https://example.com\n      lastmod: 2019-03-15\n"
                                             "      currency: BTC\n");
    assert_string_equal(labels_of(&labels, ARCHIVE), "Internet Archive");
    assert_string_equal(labels_of(&labels, EXAMPLE), "Example");
    struct label_span span = address_labels_of(&labels, EXAMPLE, strlen(EXAMPLE));
    assert_string_equal(labels.entries[span.first].source, "https://example.com");
    address_labels_free(&labels);
    labels = read_text("second.yml", "---\ntitle: Second TagPack Example\ncreator: John Doe\nlastmod: 2019-03-15\n"
                                     "currency: BTC\ntags:\n"
                                     "    - label: Internet Archive\n      address: " ARCHIVE "\n"
                                     "      source: https://archive.org/donate/cryptocurrency/\n"
                                     "    - label: Example\n      address: " EXAMPLE "\n"
                                     "      source: https://example.com\n");
    assert_string_equal(labels_of(&labels, ARCHIVE), "Internet Archive");
    assert_string_equal(labels_of(&labels, EXAMPLE), "Example");
    address_labels_free(&labels);
    labels = read_text("third.yaml",
                       "---\ntitle: Third TagPack Example\ncreator: John Doe\n"
                       "description: A collection of tags commonly used for demonstrating GraphSense features\n"
                       "lastmod: 2019-03-15\nlabel: Internet Archive\n"
                       "source: https://archive.org/donate/cryptocurrency\ncategory: organization\ntags:\n"
                       "    - address: " ARCHIVE "\n      currency: BTC\n"
                       "    - address: 1K1rgZ1dz9w7dsR1HGS1drmzfUHMtqx1Tc\n      currency: BCH\n"
                       "    - address: \"0xFA8E3920daF271daB92Be9B87d9998DDd94FEF08\"\n      currency: ETH\n"
                       "    - address: rGeyCsqc6vKXuyTGF39WJxmTRemoV3c97h\n      currency: XRP\n"
                       "    - address: t1ZmpK4QFcvyQZ3ghTgSboBW8b4HgiZHQF9\n      currency: ZEC\n"
                       "      lastmod: 2019-04-16\n");
    assert_string_equal(labels_of(&labels, ARCHIVE), "Internet Archive");
    assert_string_equal(labels_of(&labels, "1K1rgZ1dz9w7dsR1HGS1drmzfUHMtqx1Tc"), "");
    assert_int_equal(labels.count, 1);
    assert_int_equal(labels.passed_over, 4);
    assert_string_equal(labels.entries[0].source, "https://archive.org/donate/cryptocurrency");
    address_labels_free(&labels);
}

static void test_tagpack_fields(void **state)
{
    (void)state;
    /* what is inherited may come after the tags; a tag's own label, and its network, come first; context, concepts
     * and the like are passed over, collections among them; a `header` counts as the fields of the file */
    struct address_labels labels = read_text(
        "fields.yaml", "tags:\n- address: A\n  label: own\n  context: '{\"count\": 42}'\n  concepts: [a, [b, {c: d}]]\n"
                       "- {address: B, network: ETH}\n- {address: C, network: btc, currency: USDT}\n"
                       "- {tx_hash: ABCDEF0123456789abcdef0123456789abcdef0123456789abcdef0123456789}\n"
                       "header: {label: &name inherited, actor: x}\ncurrency: BTC\nother: {tags: [x, *name]}\n");
    assert_string_equal(labels_of(&labels, "A"), "own");
    assert_string_equal(labels_of(&labels, "B"), "");
    assert_string_equal(labels_of(&labels, "C"), "inherited");
    assert_string_equal(labels_of(&labels, "abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789"),
                        "inherited");
    address_labels_free(&labels);
    labels = read_text("alias.yaml", "x: &l \"a, b\"\ntags:\n- address: A\n  label: *l\n- address: B\n  label: *l\n");
    assert_string_equal(labels_of(&labels, "B"), "\"a, b\"");
    address_labels_free(&labels);
    labels = read_text("null.yaml", "tags:\n- {address: A, label: '~'}\n- {address: B, label: !!str null}\n");
    assert_int_equal(labels.count, 2);
    address_labels_free(&labels);
    labels = read_text("none.yaml", "title: x\ntags: []\n");
    assert_int_equal(labels.count, 0);
    address_labels_free(&labels);
}

static void test_broken_tagpack(void **state)
{
    (void)state;
    static const struct broken cases[] = {
        {"", "line 1, column 1: ", "no document"},
        {"- a\n", "line 1, column 1: ", "no TagPack"},
        {"title: x\n", "line 2, column 1: ", "without a list of tags"},
        {"tags: x\n", "line 1, column 7: ", "no list"},
        {"tags:\n- x\n", "line 2, column 3: ", "a tag is a mapping"},
        {"tags:\n- {address: A}\n", "line 2, column 3: ", "no label"},
        {"tags:\n- {label: A}\n", "line 2, column 3: ", "neither address nor tx_hash"},
        {"tags:\n- {label: A, label: B}\n", "line 2, column 21: ", "a second label"},
        {"label: a\nlabel: b\ntags: []\n", "line 2, column 8: ", "a second label"},
        {"tags: []\ntags: []\n", "line 2, column 7: ", "a second list"},
        {"tags:\n- {label: [A]}\n", "line 2, column 11: ", "label is no text"},
        /* YAML's null, which the TagPack tool refuses as any value (its tagpack.py), and other types */
        {"tags:\n- {address: A, label: ~}\n", "line 2, column 23: ", "label is null"},
        {"label: l\ntags:\n- {address: A, label: null}\n", "line 3, column 23: ", "label is null"},
        {"tags:\n- address: A\n  label:\n", "line 3, column 9: ", "label is null"},
        {"tags:\n- {address: !!null x, label: a}\n", "line 2, column 13: ", "address is null"},
        {"tags:\n- {address: A, label: !!binary QUJD}\n", "line 2, column 23: ", "label is no text"},
        {"a: &x ~\ntags:\n- {address: A, label: *x}\n", "line 3, column 23: ", "label is no text"},
        {"tags:\n- {label: *x}\n", "line 2, column 11: ", "label is no text"},
        {"a: &x [1]\ntags:\n- {label: *x}\n", "line 3, column 11: ", "label is no text"},
        {"a: &x {label: b}\ntags:\n- {<<: *x, address: A}\n", "line 3, column 4: ", "merge key"},
        {"a: &x {label: b}\ntags:\n- *x\n", "line 3, column 3: ", "written out"},
        {"header: !include header.yaml\ntags: []\n", "line 1, column 9: ", "!include"},
        {"tags: []\n---\ntags: []\n", "line 2, column 1: ", "second document"},
        {"? [a]\n: b\n", "line 1, column 3: ", "no text"},
        {"tags:\n- {address: A, label: \"\\e[2J\"}\n", "line 2, column 23: ", "0x1b"},
        {"tags:\n- {address: A, label: \"a\\nb\"}\n", "line 2, column 23: ", "0x0a"},
        {"tags:\n- {address: 'A B', label: c}\n", "line 2, column 13: ", "space"},
        {"tags:\n- {address: A, label: b\n", "line ", "no YAML"},
        {"tags:\n\t- a\n", "line 2, column 1: ", "no YAML"},
        {"a: \"\x01\"\n", "line 1, column 5: ", "0x01"},
        {"x: [[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]\ntags: []\n", "line 1, column 19: ", "16 deep"},
    };
    refuse_each("broken.yaml", cases, sizeof cases / sizeof *cases);
}

/* Aliases of aliases: nine levels of nine would be 387 million texts. */
static void test_laughs(void **state)
{
    (void)state;
    char text[4096], *at = text;
    at += sprintf(at, "a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol]\n");
    for (unsigned level = 1; level < 9; level++) {
        at += sprintf(at, "a%u: &a%u [", level, level);
        for (unsigned i = 0; i < 9; i++)
            at += sprintf(at, "%s*a%u", i > 0 ? "," : "", level - 1);
        at += sprintf(at, "]\n");
    }
    sprintf(at, "tags:\n- address: A\n  label: *a8\n");
    long before = mem_count();
    refuse("laughs.yaml", text, "line 12, column 10: ", "label is no text");
    assert_true(mem_count() - before < 100);
    sprintf(at, "tags:\n- address: A\n  label: b\n  context: *a8\n");
    struct address_labels labels = read_text("laughs.yaml", text);
    assert_string_equal(labels_of(&labels, "A"), "b");
    address_labels_free(&labels);
}

static void test_anchors(void **state)
{
    (void)state;
    char text[8192], *at = text;
    for (unsigned i = 0; i < 65; i++)
        at += sprintf(at, "k%u: &n%u x\n", i, i);
    sprintf(at, "tags: []\n");
    refuse("anchors.yaml", text, "line 65, column 6: ", "anchors");
}

/* A million labels of both forms: each is found. */
static void test_million(void **state)
{
    (void)state;
    enum { COUNT = 1000000, ROW = 64 };
    for (unsigned yaml = 0; yaml < 2; yaml++) {
        char *text = mem_alloc(COUNT + 1, ROW), *at = text;
        assert_non_null(text);
        at += sprintf(at, yaml ? "tags:\n" : "address,label\n");
        for (unsigned i = 0; i < COUNT; i++) /* in no order: 7919 has no factor in common with a million */
            at += sprintf(at, yaml ? "- {address: a%06u, label: l%03u}\n" : "a%06u,l%03u\n",
                          (unsigned)(i * UINT64_C(7919) % COUNT), i % 1000);
        struct address_labels labels = read_text(yaml ? "million.yaml" : "million.csv", text);
        assert_int_equal(labels.count, COUNT);
        assert_int_equal(labels.names_count, 1000);
        for (unsigned i = 0; i < COUNT; i += 9973) {
            char address[16], label[16];
            sprintf(address, "a%06u", (unsigned)(i * UINT64_C(7919) % COUNT));
            sprintf(label, "l%03u", i % 1000);
            assert_string_equal(labels_of(&labels, address), label);
        }
        address_labels_free(&labels);
        mem_free(text);
    }
}

/* Each allocation fails once: told, and nothing leaks (as the sanitizers see). */
static void test_no_memory(void **state)
{
    (void)state;
    static const char csv[] = "address,label,source\nA,\"B\",C\n",
                      yaml[] = "x: &l y\ntags:\n- {address: A, label: *l}\n";
    struct settings settings = settings_of("a.csv", csv, strlen(csv));
    write_file(path_of("%s/b.yaml", dir), yaml, strlen(yaml));
    settings.labels.items[settings.labels.count++] = path_of("%s/b.yaml", dir);
    for (long allowed = 0;; allowed++) {
        struct address_labels labels = {0};
        struct fault fault = {0};
        mem_fail_after(allowed);
        enum status status = address_labels_read(&settings, &labels, &fault);
        mem_fail_after(-1);
        address_labels_free(&labels);
        assert_true(status == STATUS_OK || status == STATUS_NOMEM);
        if (status == STATUS_OK) {
            assert_true(allowed > 5);
            break;
        }
    }
}

static void test_no_file(void **state)
{
    (void)state;
    struct settings settings = {.labels = {{path_of("%s/absent", dir)}, 1}};
    struct address_labels labels = {0};
    struct fault fault = {0};
    assert_int_equal(address_labels_read(&settings, &labels, &fault), STATUS_IO);
    address_labels_free(&labels);
    struct run run = unktx_expect(2, "dags --labels%s",
                                  " a --labels a --labels a --labels a --labels a --labels a "
                                  "--labels a --labels a --labels a --labels a --labels a "
                                  "--labels a --labels a --labels a --labels a --labels a "
                                  "--labels a");
    assert_non_null(strstr(run.err, "more than 16"));
    run_free(&run);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_csv),
        cmocka_unit_test(test_broken_csv),
        cmocka_unit_test(test_cut),
        cmocka_unit_test(test_long_fields),
        cmocka_unit_test(test_many_labels),
        cmocka_unit_test(test_tagpack_examples),
        cmocka_unit_test(test_tagpack_fields),
        cmocka_unit_test(test_broken_tagpack),
        cmocka_unit_test(test_laughs),
        cmocka_unit_test(test_anchors),
        cmocka_unit_test(test_million),
        cmocka_unit_test(test_no_memory),
        cmocka_unit_test(test_no_file),
    };
    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
