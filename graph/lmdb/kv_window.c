#include "graph/lmdb/kv_parts.h"

#include <errno.h>

#include "graph/lmdb/page.h"
#include "graph/lmdb/pages.h"
#include "parser/file.h"
#include "parser/mem.h"

#define WINDOW_BYTES (64u << 10)
#define NEAR_BYTES (16u << 10) /* to copy what is between costs less than another read */

struct kv_window {
    const struct kv *kv;
    const uint8_t *map; /* where LMDB has the file; NULL: not known yet */
    size_t page_size;
    int fd;
    uint64_t at; /* in the file */
    size_t size; /* of `bytes` that are read; 0 at first */
    uint8_t bytes[WINDOW_BYTES];
    uint8_t *large; /* a value that has no room there; NULL: there was none */
    size_t large_capacity;
};

enum status kv_window_open(const struct kv_view *view, struct kv_window **out, struct fault *fault)
{
    MDB_stat info;
    struct kv_window *window = mem_alloc(1, sizeof *window);
    *out = window;
    if (!window)
        return fault_nomem(fault);
    window->kv = view->kv;
    int code = mdb_env_stat(view->kv->env, &info);
    if (code == MDB_SUCCESS)
        code = mdb_env_get_fd(view->kv->env, &window->fd);
    window->page_size = info.ms_psize;
    if (code != MDB_SUCCESS) {
        kv_window_close(window);
        *out = NULL;
    }
    return kv_fault(view->kv, code, "read", 0, fault);
}

void kv_window_close(struct kv_window *window)
{
    if (window)
        mem_free(window->large);
    mem_free(window);
}

/* LMDB does not tell where it has the file: the page of a value has its number. The file must have the same bytes
 * there. */
static enum status find_map(struct kv_window *window, const uint8_t *value, size_t size, struct fault *fault)
{
    const uint8_t *page = value - PAGE_HEADER;
    bool sound;
    int code = pages_check_value(window->fd, (uint32_t)window->page_size, 0, value, size, &sound);
    if (code != 0)
        return kv_fault(window->kv, code, "read", 0, fault);
    if (!sound)
        return kv_damaged(window->kv, "a page is malformed", fault);
    window->map = page - load_le64(page + PAGE_NUMBER) * window->page_size;
    return STATUS_OK;
}

/* How much to read from there on, `need` at least: twice as much as before where that is near what was read before. */
static size_t size_to_read(const struct kv_window *window, uint64_t at, size_t need)
{
    uint64_t end = window->at + window->size;
    bool is_near = window->size > 0 && at >= end && at - end <= NEAR_BYTES;
    size_t size = is_near ? 2 * window->size : need;
    return size < need ? need : size > WINDOW_BYTES ? WINDOW_BYTES : size;
}

/* What a window has no room for, and only that. */
static enum status read_large(struct kv_window *window, uint64_t at, size_t size, const uint8_t **copy,
                              struct fault *fault)
{
    if (mem_renew_buffer(&window->large, &window->large_capacity, size) != STATUS_OK)
        return fault_nomem(fault);
    ssize_t got = file_read_at(window->fd, window->large, size, at);
    if (got < 0)
        return kv_fault(window->kv, errno, "read", 0, fault);
    *copy = window->large;
    return (size_t)got == size ? STATUS_OK : kv_damaged(window->kv, "its file is cut short", fault);
}

enum status kv_window_look(struct kv_window *window, const uint8_t *value, size_t size, const uint8_t **copy,
                           struct fault *fault)
{
    *copy = value;
    if (size <= window->page_size / 2) /* beside its key */
        return STATUS_OK;
    enum status status = window->map ? STATUS_OK : find_map(window, value, size, fault);
    if (status != STATUS_OK)
        return status;
    uint64_t at = (uint64_t)(value - window->map) - PAGE_HEADER;
    if (PAGE_HEADER + size > WINDOW_BYTES)
        return read_large(window, at + PAGE_HEADER, size, copy, fault);
    if (at < window->at || at + PAGE_HEADER + size > window->at + window->size) {
        ssize_t got = file_read_at(window->fd, window->bytes, size_to_read(window, at, PAGE_HEADER + size), at);
        window->at = at;
        window->size = got > 0 ? (size_t)got : 0;
        if (got < 0)
            return kv_fault(window->kv, errno, "read", 0, fault);
        if (window->size < PAGE_HEADER + size)
            return kv_damaged(window->kv, "its file is cut short", fault);
    }
    *copy = window->bytes + (at - window->at) + PAGE_HEADER;
    return STATUS_OK;
}
