#include "tests/support/dump_files.h"

#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "tests/support/chaingen.h"
#include "tests/support/run.h"

const char *const dump_names[DUMP_NAMES] = {"blocks", "txs", "inputs", "outputs"};
char *dump_dir;

const char *in_dir(const char *name) { return path_of("%s/%s", dump_dir, name); }

/* Adds blocks, on the tip or on the block of that height, and indexes them. */
void grow(uint32_t fork_height, uint32_t blocks)
{
    char node[512];
    snprintf(node, sizeof node, "%s/node", dump_dir);
    struct gen_options options = {.dir = node, .seed = 31, .block_bytes = 4000, .window = 1, .spends = true};
    struct gen *gen = gen_open(&options);
    if (fork_height != UINT32_MAX)
        gen_fork(gen, fork_height);
    gen_blocks(gen, blocks, 0);
    gen_close(gen);
    unktx_ok("index --quiet --datadir %s/node --store %s/store", dump_dir, dump_dir);
}

void dump_ok(const char *folder, const char *more)
{
    unktx_ok("dump all --store %s/store -o %s/%s %s", dump_dir, dump_dir, folder, more);
}

void assert_same_folders(const char *a, const char *b)
{
    struct run run = shell("diff -r %s/%s %s/%s", dump_dir, a, dump_dir, b);
    if (run.exit_status != 0)
        fail_msg("%s and %s differ: %s", a, b, run.out);
    run_free(&run);
}

int dump_set_up(void **state)
{
    (void)state;
    temp_dir_in_memory();
    dump_dir = temp_dir();
    grow(UINT32_MAX, 90);
    return 0;
}

int dump_tear_down(void **state)
{
    (void)state;
    remove_tree(dump_dir);
    free(dump_dir);
    return 0;
}

/* ---- what is in the files ---- */

static void append(struct bytes *bytes, const char *more, size_t size)
{
    bytes->at = realloc(bytes->at, bytes->size + size + 1);
    assert_non_null(bytes->at);
    memcpy(bytes->at + bytes->size, more, size);
    bytes->size += size;
    bytes->at[bytes->size] = '\0';
}

static bool is_packed(const char *path) { return strcmp(path + strlen(path) - 4, ".zst") == 0; }

/* What the file has, as libzstd reads it; a frame must end where the file does. */
static struct bytes content_of(const char *path)
{
    struct bytes content = {0};
    char piece[65536];
    size_t size, left = 1;
    char *file = read_file(path, &size);
    assert_non_null(file);
    if (!is_packed(path))
        return (struct bytes){file, size};
    ZSTD_DCtx *context = ZSTD_createDCtx();
    ZSTD_inBuffer in = {file, size, 0};
    while (left > 0) {
        ZSTD_outBuffer out = {piece, sizeof piece, 0};
        left = ZSTD_decompressStream(context, &out, &in);
        if (ZSTD_isError(left) || (left > 0 && out.pos < sizeof piece && in.pos == size))
            fail_msg("%s is no whole zstd file", path);
        append(&content, piece, out.pos);
    }
    assert_int_equal(in.pos, size);
    ZSTD_freeDCtx(context);
    free(file);
    return content;
}

/* The paths of a table's files, in order of their names. */
glob_t files_of(const char *folder, const char *table)
{
    glob_t files;
    int found = glob(path_of("%s/%s/%s/height=*/part.csv*", dump_dir, folder, table), 0, NULL, &files);
    assert_true(found == 0 || found == GLOB_NOMATCH);
    return files;
}

/* All files of a table, with the header of the first alone. */
struct bytes joined(const char *folder, const char *table)
{
    struct bytes all = {0};
    glob_t files = files_of(folder, table);
    for (size_t i = 0; i < files.gl_pathc; i++) {
        struct bytes content = content_of(files.gl_pathv[i]);
        const char *rows = strchr(content.at, '\n');
        assert_non_null(rows);
        size_t skipped = i > 0 ? (size_t)(rows + 1 - content.at) : 0;
        assert_true(i == 0 || strncmp(content.at, all.at, skipped) == 0); /* each has the header */
        append(&all, content.at + skipped, content.size - skipped);
        free(content.at);
    }
    globfree(&files);
    return all;
}

/* The manifest has every file, with its size, its hash by another program and, where that can be counted, its rows; and
 * says that it is complete. */
void assert_manifest(const char *folder)
{
    struct run run = shell(
        "cd %s/%s && tr '{}' '\\n\\n' <datapackage.json | grep '^\"path\"' | tr -d '\" ' | tr ':,' '  ' >../files; "
        "awk '{ print $14 \"  \" $2 }' ../files | sha256sum -c --quiet; "
        "awk '{ print $12, $2 }' ../files | sort >../sizes; "
        "find . -name 'part.csv*' -printf '%%s %%P\\n' | sort | diff - ../sizes; "
        "awk '$2 ~ /csv$/ { print $10 + 1, $2 }' ../files | sort >../rows; "
        "find . -name part.csv -exec wc -l {} + | awk '$2 != \"total\" { print $1, substr($2, 3) }' | sort | diff - "
        "../rows; "
        "grep -c '\"complete\": true' datapackage.json; rm ../files ../sizes ../rows",
        dump_dir, folder);
    if (strcmp(run.out, "1\n") != 0)
        fail_msg("the manifest of %s: %s%s", folder, run.out, run.err);
    run_free(&run);
}

size_t look(const char *folder, struct seen **seen)
{
    size_t count = 0;
    *seen = NULL;
    for (size_t t = 0; t < DUMP_NAMES; t++) {
        glob_t files = files_of(folder, dump_names[t]);
        *seen = realloc(*seen, (count + files.gl_pathc + 1) * sizeof **seen);
        assert_non_null(*seen);
        for (size_t i = 0; i < files.gl_pathc; i++) {
            struct seen *one = &(*seen)[count++];
            snprintf(one->path, sizeof one->path, "%s", files.gl_pathv[i]);
            one->bytes.at = read_file(one->path, &one->bytes.size);
            assert_int_equal(stat(one->path, &one->st), 0);
        }
        globfree(&files);
    }
    return count;
}
