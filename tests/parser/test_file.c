/* Opening and reading files: what is none, what a limit of the process refuses, what a signal interrupts. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "parser/file.h"
#include "parser/stop.h"
#include "tests/support/run.h"

static void expect_no_file(const char *path, const char *kind)
{
    struct fault fault = {0};
    struct stat info;
    int fd = 7;
    assert_int_equal(file_open(path, "the XOR key", &fd, &info, &fault), STATUS_FORMAT);
    assert_int_equal(fd, -1);
    assert_string_equal(fault.path, path);
    assert_non_null(strstr(fault.text, kind));
}

/* Each is named, and none makes it wait: a FIFO that nobody writes to would, for ever. */
static void test_no_files(void **state)
{
    (void)state;
    char *dir = temp_dir();
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    struct fault fault = {0};
    struct stat info;
    int fd, socket_fd = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(mkfifo(path_of("%s/fifo", dir), 0600), 0);
    expect_no_file(path_of("%s/fifo", dir), "the XOR key is no file but a FIFO");
    expect_no_file(dir, "a folder");
    expect_no_file("/dev/null", "a device");
    strcpy(name.sun_path, path_of("%s/socket", dir));
    assert_int_equal(bind(socket_fd, (struct sockaddr *)&name, sizeof name), 0);
    expect_no_file(path_of("%s/socket", dir), "a socket");
    close(socket_fd);
    assert_int_equal(file_open(path_of("%s/none", dir), "it", &fd, &info, &fault), STATUS_NOT_FOUND);
    write_file(path_of("%s/file", dir), "0123456789", 10);
    assert_int_equal(file_open(path_of("%s/file", dir), "it", &fd, &info, &fault), STATUS_OK);
    assert_int_equal(info.st_size, 10);
    char bytes[16];
    assert_int_equal(file_read_at(fd, bytes, sizeof bytes, 4), 6);
    assert_memory_equal(bytes, "456789", 6);
    assert_int_equal(file_read_at(fd, bytes, sizeof bytes, 10), 0);
    close(fd);
    assert_int_equal(file_read_at(fd, bytes, sizeof bytes, 0), -1);
    remove_tree(dir);
    free(dir);
}

/* A limit is named, and is no STATUS_IO, which would count as damage. */
static void test_too_many_open_files(void **state)
{
    (void)state;
    char *dir = temp_dir();
    struct rlimit before, none;
    struct fault fault = {0};
    struct stat info;
    int fd;
    write_file(path_of("%s/file", dir), "x", 1);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    none = before;
    none.rlim_cur = 0;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    enum status status = file_open(path_of("%s/file", dir), "the file", &fd, &info, &fault);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_int_equal(status, STATUS_RESOURCES);
    assert_non_null(strstr(fault.text, "Too many open files (the limit of this process: raise it with ulimit -n)"));
    remove_tree(dir);
    free(dir);
}

static void test_errors(void **state)
{
    (void)state;
    static const struct {
        int error;
        enum status status;
        const char *text;
    } cases[] = {
        {EMFILE, STATUS_RESOURCES, "ulimit -n"},
        {ENFILE, STATUS_RESOURCES, "fs.file-max"},
        {ESTALE, STATUS_RESOURCES, "network file system"},
        {EAGAIN, STATUS_RESOURCES, ""},
        {ENOLCK, STATUS_RESOURCES, ""},
        {ENOMEM, STATUS_NOMEM, "ulimit -v"},
        {EINTR, STATUS_INTERRUPTED, ""},
        {EIO, STATUS_IO, "Input/output error"},
        {EFBIG, STATUS_IO, "ulimit -f"},
        {EACCES, STATUS_IO, "Permission denied"},
        {ENOSPC, STATUS_IO, "No space left on device (free some space there)"},
        {EDQUOT, STATUS_IO, "(your quota: free some space there)"},
        {EROFS, STATUS_IO, "(mount it for writing)"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct fault fault = {0};
        errno = cases[i].error;
        assert_int_equal(fault_errno(&fault, "path", 3, "cannot"), cases[i].status);
        assert_int_equal(fault.status, cases[i].status);
        assert_non_null(strstr(fault.text, cases[i].text));
    }
}

/* Where the user can name another place the text says how, and of no permission only there. */
static void test_other_place(void **state)
{
    (void)state;
    static const int errors[] = {ENOSPC, EDQUOT, EROFS, EACCES, EPERM, ENOENT, ENOTDIR};
    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++) {
        struct fault fault = {0};
        errno = errors[i];
        assert_int_equal(fault_errno_place(&fault, "path", 3, "another folder with --tmp", "cannot"), STATUS_IO);
        assert_int_equal(errno, errors[i]);
        assert_non_null(strstr(fault.text, "name another folder with --tmp"));
        errno = errors[i];
        assert_int_equal(fault_errno(&fault, "path", 3, "cannot"), STATUS_IO);
        assert_null(strstr(fault.text, "--tmp"));
    }
    struct fault fault = {0};
    errno = EISDIR;
    assert_int_equal(fault_errno_place(&fault, "path", 3, "another place", "cannot"), STATUS_IO);
    assert_non_null(strstr(fault.text, "(name a file in it, or another place)"));
}

/* A FIFO whose writer has not come yet is waited for, until somebody asks for an end. */
static void test_fifo_without_writer(void **state)
{
    (void)state;
    char *dir = temp_dir(), bytes[8];
    assert_int_equal(mkfifo(path_of("%s/fifo", dir), 0600), 0);
    int fd = file_open_again(path_of("%s/fifo", dir), O_RDONLY | O_NONBLOCK);
    assert_true(fd >= 0);
    stop_after(3);
    assert_int_equal(file_read_some(fd, bytes, sizeof bytes), -1);
    assert_int_equal(errno, EINTR);
    stop_after(-1);
    int writer = file_open_again(path_of("%s/fifo", dir), O_WRONLY);
    assert_int_equal(write(writer, "abc", 3), 3);
    close(writer);
    assert_int_equal(file_read_some(fd, bytes, sizeof bytes), 3);
    assert_int_equal(file_read_some(fd, bytes, sizeof bytes), 0);
    close(fd);
    remove_tree(dir);
    free(dir);
}

/* A write that a limit cuts short: what there is room for is written, and the limit is named. */
static void test_write_beyond_limit(void **state)
{
    (void)state;
    char *dir = temp_dir(), bytes[3000] = {0};
    struct rlimit before, small;
    struct fault fault = {0};
    struct stat info;
    int fd = file_open_again(path_of("%s/file", dir), O_RDWR | O_CREAT);
    assert_true(fd >= 0);
    assert_true(file_write_at(fd, bytes, 100, 10));
    assert_int_equal(fstat(fd, &info), 0);
    assert_int_equal(info.st_size, 110);
    void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small = before;
    small.rlim_cur = 2000;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    bool written = file_write_at(fd, bytes, sizeof bytes, 10);
    enum status status = fault_errno(&fault, "path", 0, "cannot write");
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    signal(SIGXFSZ, handler);
    assert_false(written);
    assert_int_equal(status, STATUS_IO);
    assert_non_null(strstr(fault.text, "ulimit -f"));
    assert_int_equal(fstat(fd, &info), 0);
    assert_int_equal(info.st_size, 2000);
    close(fd);
    remove_tree(dir);
    free(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_files),
        cmocka_unit_test(test_too_many_open_files),
        cmocka_unit_test(test_errors),
        cmocka_unit_test(test_other_place),
        cmocka_unit_test(test_fifo_without_writer),
        cmocka_unit_test(test_write_beyond_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
