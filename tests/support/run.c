#define _GNU_SOURCE
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "parser/bytes.h"
#include "tests/support/plan.h"
#include "tests/support/run.h"
#include "tests/support/trouble.h"

enum { WORDS = 64 };

const char *unktx_path(void)
{
    const char *path = getenv("UNKTX");
    return path ? path : "build/unktx";
}

/* cli/main.c's main. */
int unktx_main(int argc, char **argv);

static bool starts_anew = SANITIZED;

void unktx_starts_anew(void) { starts_anew = true; }

/* Threads of libgomp are not there in a fork, which would wait for them without end. */
static bool has_one_thread(void)
{
    DIR *tasks = opendir("/proc/self/task");
    unsigned count = 0;
    if (!tasks)
        return false;
    for (const struct dirent *entry; (entry = readdir(tasks));)
        count += entry->d_name[0] != '.';
    closedir(tasks);
    return count == 1;
}

/* What exec does to a process, but for loading the program: handlers go (cmocka's would go on with the next test), and
 * so do descriptors that are not for it. */
static void be_as_executed(void)
{
    struct sigaction action;
    for (int s = 1; s < SIGRTMIN; s++)
        if (sigaction(s, NULL, &action) == 0 && action.sa_handler != SIG_IGN)
            signal(s, SIG_DFL);
    for (int fd = 3; fd < 256; fd++)
        if (fcntl(fd, F_GETFD) == FD_CLOEXEC)
            close(fd);
}

static int count_words(char **words)
{
    int count = 0;
    while (words[count])
        count++;
    return count;
}

/* Forks and runs; out and err go to the two descriptors. */
static pid_t start_words(char **words, int out, int err)
{
    bool forked = !starts_anew && words[0] == unktx_path() && has_one_thread();
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        dup2(out, 1);
        dup2(err, 2);
        if (forked) {
            be_as_executed();
            int status = unktx_main(count_words(words), words);
            fflush(NULL);
            _exit(status); /* for exit() forty shared libraries take down what the parent set up */
        }
        execv(words[0], words);
        perror(words[0]);
        _exit(127);
    }
    assert_true(child > 0);
    return child;
}

static pid_t start(const char *format, va_list arguments, int out, int err)
{
    char line[8192];
    char *words[WORDS] = {(char *)(uintptr_t)unktx_path()};
    vsnprintf(line, sizeof line, format, arguments);
    size_t count = 1;
    for (char *rest, *word = strtok_r(line, " ", &rest); word && count + 1 < WORDS; word = strtok_r(NULL, " ", &rest))
        words[count++] = word;
    return start_words(words, out, err);
}

static int wait_for(pid_t child)
{
    int status;
    while (waitpid(child, &status, 0) < 0)
        assert_int_equal(errno, EINTR);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* Everything in an unlinked file. */
static char *read_back(FILE *file, size_t *size)
{
    fseek(file, 0, SEEK_END);
    *size = (size_t)ftell(file);
    rewind(file);
    char *text = must_alloc(*size + 1, 1);
    assert_int_equal(fread(text, 1, *size, file), *size);
    fclose(file);
    return text;
}

/* Waits, and takes in what was written to the two files. */
static struct run finish(pid_t child, FILE *out, FILE *err)
{
    struct run run = {.exit_status = wait_for(child)};
    size_t err_size;
    run.out = read_back(out, &run.out_size);
    run.err = read_back(err, &err_size);
    return run;
}

/* Not on a disk: a full one would swallow the very message that says so. */
static FILE *memory_file(void)
{
    int fd = memfd_create("printed", MFD_CLOEXEC);
    FILE *file = fd >= 0 ? fdopen(fd, "w+") : NULL;
    assert_non_null(file);
    return file;
}

static struct run run_line(const char *format, va_list arguments)
{
    FILE *out = memory_file(), *err = memory_file();
    return finish(start(format, arguments, fileno(out), fileno(err)), out, err);
}

static struct run run_expect(int status, const char *format, va_list arguments)
{
    struct run run = run_line(format, arguments);
    if (run.exit_status != status)
        fail_msg("unktx %s: exit status %d, not %d: %s%.500s", format, run.exit_status, status, run.err, run.out);
    return run;
}

struct run unktx(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    struct run run = run_line(format, arguments);
    va_end(arguments);
    return run;
}

struct run unktx_expect(int status, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    struct run run = run_expect(status, format, arguments);
    va_end(arguments);
    return run;
}

void unktx_ok(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    struct run run = run_expect(0, format, arguments);
    va_end(arguments);
    run_free(&run);
}

pid_t unktx_start(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int null = open("/dev/null", O_WRONLY);
    assert_true(null >= 0);
    pid_t child = start(format, arguments, null, null);
    close(null);
    va_end(arguments);
    return child;
}

struct run shell(const char *format, ...)
{
    char line[8192];
    char *words[] = {(char[]){"/bin/sh"}, (char[]){"-c"}, line, NULL};
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    setenv("UNKTX", unktx_path(), 1);
    FILE *out = memory_file(), *err = memory_file();
    return finish(start_words(words, fileno(out), fileno(err)), out, err);
}

void run_free(struct run *run)
{
    free(run->out);
    free(run->err);
    *run = (struct run){0};
}

/* ---- files ---- */

void temp_dir_in_memory(void)
{
    if (!getenv("TMPDIR") && access("/dev/shm", W_OK) == 0)
        setenv("TMPDIR", "/dev/shm", 1);
}

char *temp_dir(void)
{
    const char *base = getenv("TMPDIR");
    char *path = NULL;
    assert_true(asprintf(&path, "%s/unktx-test-XXXXXX", base && *base ? base : "/tmp") > 0);
    assert_non_null(mkdtemp(path));
    return path;
}

static int remove_one(const char *path, const struct stat *info, int type, struct FTW *where)
{
    (void)info, (void)type, (void)where;
    return remove(path);
}

void remove_tree(const char *path)
{
    if (path_exists(path))
        assert_int_equal(nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
}

const char *path_of(const char *format, ...)
{
    static char paths[32][4096];
    static unsigned turn;
    char *path = paths[turn++ % 32];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(path, sizeof paths[0], format, arguments);
    va_end(arguments);
    return path;
}

bool path_exists(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0;
}

void make_dirs(const char *path)
{
    char part[4096];
    snprintf(part, sizeof part, "%s", path);
    for (char *slash = part + 1; (slash = strchr(slash, '/')); *slash++ = '/') {
        *slash = '\0';
        mkdir(part, 0777);
    }
    assert_true(mkdir(part, 0777) == 0 || errno == EEXIST);
}

char *read_file(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    return file ? read_back(file, size) : NULL;
}

void write_file(const char *path, const void *bytes, size_t size)
{
    FILE *file = fopen(path, "wb");
    if (!file)
        fail_msg("cannot write %s", path);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
}

void copy_file(const char *from, const char *to)
{
    size_t size;
    char *bytes = read_file(from, &size);
    if (!bytes)
        fail_msg("cannot read %s", from);
    write_file(to, bytes, size);
    free(bytes);
}

void copy_files(const char *from_folder, const char *to_folder)
{
    char from[2000], to[2000]; /* copies: they may come from path_of */
    snprintf(from, sizeof from, "%s", from_folder);
    snprintf(to, sizeof to, "%s", to_folder);
    DIR *dir = opendir(from);
    if (!dir)
        fail_msg("no folder %s", from);
    make_dirs(to);
    for (struct dirent *entry; (entry = readdir(dir));)
        if (entry->d_name[0] != '.')
            copy_file(path_of("%s/%s", from, entry->d_name), path_of("%s/%s", to, entry->d_name));
    closedir(dir);
}

void copy_bundled_chain(const char *datadir)
{
    copy_files("tests/fixtures/regtest-xor/regtest/blocks", path_of("%s/regtest/blocks", datadir));
}

void assert_same_file(const char *a, const char *b)
{
    size_t a_size, b_size, at = 0;
    char *a_bytes = read_file(a, &a_size), *b_bytes = read_file(b, &b_size);
    if (!a_bytes || !b_bytes)
        fail_msg("cannot read %s or %s", a, b);
    while (at < a_size && at < b_size && a_bytes[at] == b_bytes[at])
        at++;
    if (at != a_size || at != b_size)
        fail_msg("%s and %s differ at byte %zu (%zu and %zu bytes)", a, b, at, a_size, b_size);
    free(a_bytes);
    free(b_bytes);
}

/* ---- blk files ---- */

static void add_record(struct records *records, const uint8_t *bytes, size_t size)
{
    must_reserve(&records->list, &records->capacity, records->count + 1, sizeof *records->list);
    struct record *record = &records->list[records->count++];
    record->bytes = must_alloc(size, 1);
    record->size = size;
    memcpy(record->bytes, bytes, size);
}

struct records records_read(const char *folder)
{
    char blocks_dir[4000]; /* a copy: `folder` may come from path_of */
    snprintf(blocks_dir, sizeof blocks_dir, "%s", folder);
    struct records records = {0};
    size_t size;
    char *key = read_file(path_of("%s/xor.dat", blocks_dir), &size), *text;
    for (unsigned n = 0; (text = read_file(path_of("%s/blk%05u.dat", blocks_dir, n), &size)); n++) {
        uint8_t *bytes = (uint8_t *)text;
        for (size_t i = 0; key && i < size; i++)
            bytes[i] ^= (uint8_t)key[i % 8];
        /* Zeros after the last record are raw: undone, they read as the key. */
        for (size_t at = 0; at + 8 < size && memcmp(bytes + at, "\xfa\xbf\xb5\xda", 4) == 0;) {
            size_t length = 8 + (size_t)load_le32(bytes + at + 4);
            assert_true(length <= size - at);
            add_record(&records, bytes + at, length);
            at += length;
        }
        free(text);
    }
    free(key);
    return records;
}

void records_free(struct records *records)
{
    for (size_t i = 0; i < records->count; i++)
        free(records->list[i].bytes);
    free(records->list);
    *records = (struct records){0};
}

void records_write(const struct records *records, const char *folder, size_t per_file, const uint8_t key[8])
{
    char blocks_dir[4000]; /* a copy: `folder` may come from path_of */
    snprintf(blocks_dir, sizeof blocks_dir, "%s", folder);
    make_dirs(blocks_dir);
    if (key)
        write_file(path_of("%s/xor.dat", blocks_dir), key, 8);
    for (size_t first = 0; first < records->count; first += per_file) {
        FILE *file = fopen(path_of("%s/blk%05zu.dat", blocks_dir, first / per_file), "wb");
        assert_non_null(file);
        size_t offset = 0;
        for (size_t r = first; r < records->count && r < first + per_file; r++)
            for (size_t i = 0; i < records->list[r].size; i++, offset++)
                putc(records->list[r].bytes[i] ^ (key ? key[offset % 8] : 0), file);
        assert_int_equal(fclose(file), 0);
    }
}

void records_rewrite(const struct records *records, const size_t *order, size_t count, const char *blocks_dir,
                     size_t per_file, const uint8_t key[8])
{
    struct records changed = {.list = must_alloc(count + 1, sizeof *changed.list), .count = count};
    for (size_t i = 0; i < count; i++)
        changed.list[i] = records->list[order[i]];
    remove_tree(blocks_dir);
    records_write(&changed, blocks_dir, per_file, key);
    free(changed.list);
}
