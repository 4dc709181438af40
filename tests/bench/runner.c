#define _GNU_SOURCE /* nftw */
#include "tests/bench/runner.h"
#include "tests/support/kind_names.h"

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "parser/blkfile.h"

struct bench bench;

/* A look at the memory of what runs costs it some 50 us of a processor. */
static const struct timespec between_looks = {.tv_nsec = 20000000};

void die(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    exit(1);
}

double now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static uint64_t anon_of(pid_t pid)
{
    char path[64], line[256];
    uint64_t kib = 0;
    snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
    FILE *file = fopen(path, "r");
    while (file && fgets(line, sizeof line, file))
        if (sscanf(line, "RssAnon: %ju", &kib) == 1)
            break;
    if (file)
        fclose(file);
    return kib;
}

static uint64_t bytes_in(const char *path)
{
    uint64_t bytes = 0;
    struct stat info;
    const struct dirent *entry;
    DIR *folder = opendir(path);
    while (folder && (entry = readdir(folder)))
        if (entry->d_name[0] != '.' && fstatat(dirfd(folder), entry->d_name, &info, 0) == 0)
            bytes += (uint64_t)info.st_blocks * 512;
    if (folder)
        closedir(folder);
    return bytes;
}

struct usage run(const char *format, ...)
{
    char line[8192], *words[64];
    size_t count = 0;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    for (char *rest, *word = strtok_r(line, " ", &rest); word && count < 63; word = strtok_r(NULL, " ", &rest))
        words[count++] = word;
    words[count] = NULL;
    struct usage usage = {0};
    sigset_t ended;
    sigemptyset(&ended);
    sigaddset(&ended, SIGCHLD);
    sigprocmask(SIG_BLOCK, &ended, NULL);
    double begin = now_s();
    pid_t child = fork();
    if (child == 0) {
        sigprocmask(SIG_UNBLOCK, &ended, NULL);
        int null = open("/dev/null", O_WRONLY);
        dup2(null, 1);
        execvp(words[0], words);
        perror(words[0]);
        _exit(127);
    }
    int status;
    struct rusage resources;
    for (;;) {
        /* a first look at once would see this program's own memory, before the other takes its place */
        sigtimedwait(&ended, NULL, &between_looks);
        uint64_t anon = anon_of(child);
        if (anon > usage.anon_kib)
            usage.anon_kib = anon;
        uint64_t bytes = bench.watched ? bytes_in(bench.watched) : 0;
        usage.watched = bytes > usage.watched ? bytes : usage.watched;
        if (wait4(child, &status, WNOHANG, &resources) == child)
            break;
    }
    usage.seconds = now_s() - begin;
    usage.rss_kib = (uint64_t)resources.ru_maxrss;
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        die("bench: `%s ...` (%s) failed", words[0], count > 1 ? words[1] : "");
    return usage;
}

static int remove_one(const char *path, const struct stat *info, int type, struct FTW *where)
{
    (void)info, (void)type, (void)where;
    return remove(path);
}

void remove_tree(const char *path) { nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS); }

char *in_base(const char *format, ...)
{
    static char paths[8][4096];
    static unsigned turn;
    char *path = paths[turn++ % 8], name[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(name, sizeof name, format, arguments);
    va_end(arguments);
    snprintf(path, sizeof paths[0], "%s/%s", bench.base, name);
    return path;
}

/* ---- chains ---- */

double truth_number(const char *dir, const char *key, unsigned index)
{
    char path[4200], quoted[80], text[8192] = "";
    snprintf(path, sizeof path, "%s/truth.json", dir);
    FILE *file = fopen(path, "r");
    if (!file || fread(text, 1, sizeof text - 1, file) == 0)
        die("bench: no %s", path);
    fclose(file);
    snprintf(quoted, sizeof quoted, "\"%s\":", key);
    char *at = strstr(text, quoted);
    if (!at)
        die("bench: no %s in %s", key, path);
    for (at += strlen(quoted) + strspn(at + strlen(quoted), " ["); index > 0 && at; index--)
        at = strpbrk(at, ",") + 1;
    return strtod(at, NULL);
}

void make_chain(const char *dir, const char *options)
{
    char path[4200];
    struct stat info;
    snprintf(path, sizeof path, "%s/truth.json", dir);
    if (stat(path, &info) == 0)
        return;
    double begin = now_s();
    run("%s %s %s", bench.chaingen, options, dir);
    double bytes = truth_number(dir, "bytes", 0), seconds = now_s() - begin;
    printf("made %s: %.2f GB in %.1f s, %.0f MB/s\n", options, bytes / 1e9, seconds, bytes / 1e6 / seconds);
    fflush(stdout);
}

void check_totals(const char *store, const char *dir)
{
    char csv[4200], line[4096];
    snprintf(csv, sizeof csv, "%s.stats.csv", store);
    run("%s stats --quiet --store %s -o %s", bench.unktx, store, csv);
    FILE *file = fopen(csv, "r");
    if (!file || !fgets(line, sizeof line, file) || !fgets(line, sizeof line, file))
        die("bench: no %s", csv);
    fclose(file);
    double got[40];
    unsigned count = 0;
    for (char *at = strchr(line, ','); at && count < 40; at = strchr(at + 1, ','))
        got[count++] = strtod(at + 1, NULL);
    static const char *const sums[4] = {"blocks", "txs", "inputs", "outputs"};
    for (unsigned i = 0; i < 4; i++)
        if (got[i] != truth_number(dir, sums[i], 0))
            die("bench: WRONG: %s are %.0f, the truth is %.0f", sums[i], got[i], truth_number(dir, sums[i], 0));
    for (unsigned k = 0; k < 22; k++)
        if (got[4 + k] != truth_number(dir, kind_names[k / 2], k % 2))
            die("bench: WRONG: %s: %.0f, the truth is %.0f", kind_names[k / 2], got[4 + k],
                truth_number(dir, kind_names[k / 2], k % 2));
    for (unsigned r = 0; r < 3; r++)
        if (got[26 + r] != truth_number(dir, "unknown_txs", r))
            die("bench: WRONG: unknown_txs are %.0f, the truth is %.0f", got[26 + r],
                truth_number(dir, "unknown_txs", r));
    remove(csv);
}

void check_dags(const char *out, const char *dir)
{
    static const char *const keys[5] = {"unknown_txs", "roots", "tdags", "nodes", "edges"};
    char path[4200];
    snprintf(path, sizeof path, "%s/summary.json", out);
    FILE *file = fopen(path, "r");
    static char text[1 << 16];
    if (!file)
        die("bench: no %s", path);
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    char *rules = strstr(text, "\"core-0.18\": {");
    for (unsigned k = 0; k < 5; k++) {
        char quoted[40];
        snprintf(quoted, sizeof quoted, "\"%s\":", keys[k]);
        char *at = rules ? strstr(rules, quoted) : NULL;
        double got = at ? strtod(at + strlen(quoted), NULL) : -1;
        if (got != truth_number(dir, keys[k], 0))
            die("bench: WRONG: %s are %.0f, the truth is %.0f", keys[k], got, truth_number(dir, keys[k], 0));
    }
}

uint64_t store_bytes(const char *store)
{
    char path[4200];
    struct stat info;
    snprintf(path, sizeof path, "%s/data.mdb", store);
    return stat(path, &info) == 0 ? (uint64_t)info.st_blocks * 512 : 0;
}

void print_store(const char *what, const char *store, const char *dir)
{
    double info = truth_number(dir, "info", 0), bytes = (double)store_bytes(store);
    printf("store of %s: %.1f MB, %.2f x the %.1f MB of information in it (%.0f unknown outputs that can be spent)\n",
           what, bytes / 1e6, bytes / info, info / 1e6, truth_number(dir, "tracked", 0));
}

void warm(const char *dir)
{
    static char bytes[1 << 20];
    struct blkdir files;
    struct fault fault = {0};
    if (blkdir_open(dir, "regtest", &files, &fault) != STATUS_OK)
        die("bench: %s: %s", fault.path, fault.text);
    for (size_t f = 0; f < files.count; f++) {
        int fd = open(files.files[f].path, O_RDONLY);
        while (fd >= 0 && read(fd, bytes, sizeof bytes) > 0)
            ;
        close(fd);
    }
    blkdir_free(&files);
}

struct usage scan(const char *dir, const char *store, unsigned threads, const char *more)
{
    warm(dir);
    return run("%s scan --quiet --no-sequential --datadir %s --store %s --threads %u%s", bench.unktx, dir, store,
               threads, more);
}
