#include "cli/inputs/hidden_marks.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/output/outfile.h"
#include "parser/bytes.h"
#include "parser/file.h"
#include "parser/mem.h"
#include "parser/sha256.h"

/* The store's seed is random, so another one in its place has another; and it is secret, so only its hash is told. */
static enum status note_of(const struct store *store, struct text *text, struct fault *fault)
{
    const struct store_totals totals = store_totals_of(store);
    uint8_t sum[32];
    char tip[HASH256_HEX_SIZE + 1] = "", hex[65] = "";
    sha256(store_seed(store), STORE_SEED_SIZE, sum);
    hash256_hex(&totals.tip, tip);
    put_hex(hex, sum, sizeof sum);
    enum status status = text_printf(text, "hidden %u %s %s\n", (unsigned)totals.blocks - 1, tip, hex);
    return status == STATUS_OK ? STATUS_OK : fault_nomem(fault);
}

enum status hidden_marks_write(const char *folder, struct fault *fault)
{
    struct text text = {0};
    struct store *store = NULL;
    enum status status = store_open(folder, STORE_READ, NULL, &store, fault);
    if (status == STATUS_OK)
        status = note_of(store, &text, fault);
    store_close(store);
    if (status == STATUS_OK)
        status = outfile_write_of_store(folder, STORE_MARKS, &text, fault);
    text_free(&text);
    return status;
}

enum status hidden_marks_check(const struct store *store, struct fault *fault)
{
    struct text text = {0};
    struct stat info;
    char got[256], *path = outfile_join(store_path(store), STORE_MARKS);
    int fd = -1;
    enum status status = path ? note_of(store, &text, fault) : fault_nomem(fault);
    bool same = false;
    if (status == STATUS_OK && file_open(path, "the note of its marks", &fd, &info, NULL) == STATUS_OK)
        same = file_read_at(fd, got, sizeof got, 0) == (ssize_t)text.size && memcmp(got, text.bytes, text.size) == 0;
    if (fd >= 0)
        close(fd);
    if (status == STATUS_OK && !same)
        status = fault_set(fault, STATUS_REFUSED, store_path(store), FAULT_NO_OFFSET,
                           "is not a store as 'unktx hidden --dags' makes it: " HIDDEN_AGAIN);
    text_free(&text);
    mem_free(path);
    return status;
}

bool hidden_marks_are_in(const char *folder)
{
    struct stat info;
    char *path = outfile_join(folder, STORE_MARKS);
    bool are = path && stat(path, &info) == 0;
    mem_free(path);
    return are;
}
