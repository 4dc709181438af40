#include "graph/store/forms.h"

#include <fcntl.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "parser/bytes.h"
#include "parser/mem.h"
#include "parser/sha256.h"
#include "parser/timings.h"

#define FILE_NEW FORMS_FILE ".new"

enum { HEAD_SIZE = 16, ENTRY_SIZE = 48, SUM_SIZE = 32 };

/* A slot is searched for over so many places, a run that honest keys (digests) do not reach in a table that is half
 * empty; a file made of keys that collide costs no more. */
#define PLACES_MAX 64u

static const uint8_t magic[4] = {'u', 'X', 'T', 'F'};

struct kept {
    uint8_t key[FORMS_KEY_SIZE];
    struct form form;
    bool used; /* found or added by this process */
};

struct forms {
    pthread_mutex_t lock;
    char *folder;
    bool read;    /* the file was looked at */
    bool changed; /* something is not in the file */
    bool leave_file;
    struct kept *kept;
    size_t count;
    size_t capacity;
    uint32_t *slots; /* [slots_count], a power of two: place in `kept` plus 1, or 0 */
    size_t slots_count;
};

enum status forms_new(const char *folder, struct forms **forms, struct fault *fault)
{
    size_t size = strlen(folder) + 1;
    *forms = mem_alloc(1, sizeof **forms);
    char *copy = mem_alloc(size, 1);
    if (!*forms || !copy) {
        mem_free(*forms);
        mem_free(copy);
        *forms = NULL;
        return fault_nomem(fault);
    }
    memcpy(copy, folder, size);
    (*forms)->folder = copy;
    pthread_mutex_init(&(*forms)->lock, NULL);
    return STATUS_OK;
}

/* ---- the table ---- */

/* The slot of that key, or the empty one where it would be; NULL: the table is empty, or the run too long. */
static uint32_t *slot_of(const struct forms *forms, const uint8_t key[FORMS_KEY_SIZE])
{
    size_t mask = forms->slots_count - 1, at = (size_t)load_le64(key);
    for (size_t i = 0; forms->slots_count > 0 && i < PLACES_MAX; i++) {
        uint32_t *slot = &forms->slots[(at + i) & mask];
        if (*slot == 0 || memcmp(forms->kept[*slot - 1].key, key, FORMS_KEY_SIZE) == 0)
            return slot;
    }
    return NULL;
}

/* Twice as many slots. */
static bool grow(struct forms *forms)
{
    size_t count = forms->slots_count > 0 ? 2 * forms->slots_count : 64;
    uint32_t *slots = mem_alloc(count, sizeof *slots);
    if (!slots)
        return false;
    mem_free(forms->slots);
    forms->slots = slots;
    forms->slots_count = count;
    for (size_t i = 0; i < forms->count; i++) {
        uint32_t *slot = slot_of(forms, forms->kept[i].key);
        if (slot)
            *slot = (uint32_t)i + 1;
    }
    return true;
}

/* Is it new? */
static bool add(struct forms *forms, const uint8_t key[FORMS_KEY_SIZE], const struct form *form, bool used)
{
    if (forms->count >= 2 * (size_t)FORMS_MAX)
        return false;
    if (2 * (forms->count + 1) > forms->slots_count && !grow(forms))
        return false;
    uint32_t *slot = slot_of(forms, key);
    if (!slot || *slot > 0 ||
        mem_reserve(&forms->kept, &forms->capacity, forms->count + 1, sizeof *forms->kept) != STATUS_OK)
        return false;
    struct kept *kept = &forms->kept[forms->count++];
    *kept = (struct kept){.form = *form, .used = used};
    memcpy(kept->key, key, FORMS_KEY_SIZE);
    *slot = (uint32_t)forms->count;
    return true;
}

/* ---- the file ---- */

/* The whole file (the caller frees it with mem_free), or NULL if there is none that could be of forms. */
static uint8_t *read_file(const char *folder, size_t *size)
{
    struct stat info;
    uint8_t *bytes = NULL;
    int folder_fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder_fd < 0)
        return NULL;
    int fd = openat(folder_fd, FORMS_FILE, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
    close(folder_fd);
    if (fd < 0)
        return NULL;
    if (fstat(fd, &info) == 0 && S_ISREG(info.st_mode) && info.st_size >= HEAD_SIZE + SUM_SIZE &&
        info.st_size <= HEAD_SIZE + (off_t)FORMS_MAX * ENTRY_SIZE + SUM_SIZE) {
        *size = (size_t)info.st_size;
        bytes = mem_alloc(*size, 1);
    }
    if (bytes && read(fd, bytes, *size) != (ssize_t)*size) {
        mem_free(bytes);
        bytes = NULL;
    }
    close(fd);
    return bytes;
}

static bool is_whole(const uint8_t *bytes, size_t size)
{
    uint8_t sum[SUM_SIZE];
    sha256(bytes, size - SUM_SIZE, sum);
    return memcmp(bytes, magic, sizeof magic) == 0 && load_le32(bytes + 4) == FORMS_VERSION &&
           size == HEAD_SIZE + (size_t)load_le32(bytes + 8) * ENTRY_SIZE + SUM_SIZE &&
           memcmp(bytes + size - SUM_SIZE, sum, SUM_SIZE) == 0;
}

static void take_entry(struct forms *forms, const uint8_t *entry)
{
    struct form form = {.decided = load_le32(entry + 40) == 1};
    memcpy(form.digest, entry + 16, FORMS_DIGEST_SIZE);
    memcpy(&form.automorphisms_log10, entry + 32, sizeof form.automorphisms_log10);
    if (isfinite(form.automorphisms_log10))
        add(forms, entry, &form, false);
}

static void read_once(struct forms *forms)
{
    size_t size = 0;
    if (forms->read)
        return;
    forms->read = true;
    uint8_t *bytes = read_file(forms->folder, &size);
    if (bytes && is_whole(bytes, size))
        for (size_t at = HEAD_SIZE; at < size - SUM_SIZE; at += ENTRY_SIZE)
            take_entry(forms, bytes + at);
    mem_free(bytes);
}

static size_t put_entries(const struct forms *forms, bool used, size_t count, uint8_t *bytes)
{
    for (size_t i = 0; i < forms->count && count < FORMS_MAX; i++) {
        const struct kept *kept = &forms->kept[i];
        if (kept->used != used)
            continue;
        uint8_t *entry = bytes + HEAD_SIZE + count++ * ENTRY_SIZE;
        memcpy(entry, kept->key, FORMS_KEY_SIZE);
        memcpy(entry + 16, kept->form.digest, FORMS_DIGEST_SIZE);
        memcpy(entry + 32, &kept->form.automorphisms_log10, sizeof kept->form.automorphisms_log10);
        store_le32(entry + 40, kept->form.decided);
    }
    return count;
}

/* Writes the file under another name and puts it in place. Not synced: what a crash leaves torn fails its checksum. */
static void put_in_place(int folder, const uint8_t *bytes, size_t size)
{
    unlinkat(folder, FILE_NEW, 0); /* of a process that was killed: the lock says that none is writing it */
    int fd = openat(folder, FILE_NEW, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
    if (fd < 0)
        return;
    bool ok = write(fd, bytes, size) == (ssize_t)size;
    ok = close(fd) == 0 && ok;
    if (!ok || renameat(folder, FILE_NEW, folder, FORMS_FILE) != 0)
        unlinkat(folder, FILE_NEW, 0);
}

static void write_file(const struct forms *forms)
{
    size_t count = forms->count < FORMS_MAX ? forms->count : FORMS_MAX,
           size = HEAD_SIZE + count * ENTRY_SIZE + SUM_SIZE;
    uint8_t *bytes = mem_alloc(size, 1);
    if (!bytes)
        return;
    memcpy(bytes, magic, sizeof magic);
    store_le32(bytes + 4, FORMS_VERSION);
    store_le32(bytes + 8, (uint32_t)count);
    put_entries(forms, false, put_entries(forms, true, 0, bytes), bytes);
    sha256(bytes, size - SUM_SIZE, bytes + size - SUM_SIZE);
    int folder = open(forms->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder >= 0) {
        if (flock(folder, LOCK_EX | LOCK_NB) == 0)
            put_in_place(folder, bytes, size);
        close(folder);
    }
    mem_free(bytes);
}

void forms_leave_file(struct forms *forms) { forms->leave_file = true; }

void forms_close(struct forms *forms)
{
    if (!forms)
        return;
    if (forms->changed && !forms->leave_file)
        write_file(forms);
    pthread_mutex_destroy(&forms->lock);
    mem_free(forms->folder);
    mem_free(forms->kept);
    mem_free(forms->slots);
    mem_free(forms);
}

/* ---- from any thread ---- */

bool forms_find(struct forms *forms, const uint8_t key[FORMS_KEY_SIZE], struct form *form)
{
    timings_lock(&forms->lock);
    read_once(forms);
    const uint32_t *slot = slot_of(forms, key);
    bool found = slot && *slot > 0;
    if (found) {
        forms->kept[*slot - 1].used = true;
        *form = forms->kept[*slot - 1].form;
    }
    pthread_mutex_unlock(&forms->lock);
    return found;
}

void forms_add(struct forms *forms, const uint8_t key[FORMS_KEY_SIZE], const struct form *form)
{
    timings_lock(&forms->lock);
    read_once(forms);
    if (add(forms, key, form, true))
        forms->changed = true;
    pthread_mutex_unlock(&forms->lock);
}
