#include "tests/support/index_builds.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "graph/test_hooks.h"
#include "parser/stop.h"

unsigned index_damages;
char index_damage_text[512];
unsigned index_went_on;
unsigned index_joined_again;
unsigned index_made_room;
int index_stop_at = -1;

static void on_damage(void *context, const struct fault *what)
{
    (void)context;
    index_damages++;
    snprintf(index_damage_text, sizeof index_damage_text, "%s", what->text);
}

static void on_message(void *context, const char *text)
{
    (void)context;
    index_went_on += strncmp(text, "going on", 8) == 0;
    index_joined_again += strncmp(text, "joining again", 13) == 0;
    index_made_room += strstr(text, "is deleted: with --tmp") != NULL;
}

static void on_progress(void *context, const struct index_progress *progress)
{
    (void)context;
    if ((int)progress->stage == index_stop_at)
        stop_request();
}

struct index_options index_options_for(const char *datadir, const char *store)
{
    return (struct index_options){.datadir = datadir,
                                  .store = store,
                                  .memory = UINT64_C(256) << 20,
                                  .threads = 2,
                                  .to_height = UINT32_MAX,
                                  .damage = on_damage,
                                  .progress = on_progress,
                                  .message = on_message};
}

struct index_result index_built_with(const struct index_options *options)
{
    struct index_result result;
    struct fault fault = {0};
    index_damages = 0;
    if (index_build(options, &result, &fault) != STATUS_OK)
        fail_msg("%s: %s", fault.path, fault.text);
    return result;
}

struct index_result index_built(const char *datadir, const char *store)
{
    struct index_options options = index_options_for(datadir, store);
    return index_built_with(&options);
}

struct tx_index *index_opened(const char *store)
{
    struct tx_index *index;
    struct fault fault = {0};
    if (index_open(store, &index, &fault) != STATUS_OK)
        fail_msg("%s: %s", fault.path, fault.text);
    return index;
}

/* The digest of an index that must be sound, as text. */
const char *index_checked(const char *store, unsigned threads, char text[65])
{
    uint8_t digest[32];
    struct fault fault = {0};
    if (index_check(store, threads, digest, &fault) != STATUS_OK)
        fail_msg("%s: %s", fault.path, fault.text);
    for (int i = 0; i < 32; i++)
        snprintf(text + 2 * i, 3, "%02x", digest[i]);
    return text;
}

void assert_same_index(const char *a, const char *b)
{
    char one[65], two[65];
    assert_string_equal(index_checked(a, 2, one), index_checked(b, 1, two));
}

void hash_text(const struct hash256 *hash, char text[65]) { *hash256_hex(hash, text) = 0; }

struct gen_options index_chain(const char *dir)
{
    return (struct gen_options){.dir = dir,
                                .seed = 11,
                                .xored = true,
                                .block_bytes = 40000,
                                .file_bytes = 1 << 20,
                                .window = 16,
                                .planted_per_10k = 300,
                                .stale_every = 20,
                                .spends = true};
}

int index_whole_hashes(void **state)
{
    (void)state;
    index_hash_mask = UINT64_MAX;
    return 0;
}
