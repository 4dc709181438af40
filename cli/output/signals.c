#define _GNU_SOURCE
#include "cli/output/signals.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli/output/mapping.h"
#include "cli/output/message.h"
#include "parser/stop.h"

#define FILES_MAX 64

enum { FILE_NONE, FILE_BUSY, FILE_THERE };

/* Who says how the process ends: the command, or what cuts it off. */
enum { ENDING_NOT_YET, ENDING_COMMAND, ENDING_CUT_OFF };

static atomic_int held, ended_by;
/* The states stand beside each other: to look at all of them touches one page of memory, not one for each path. */
static atomic_int file_states[FILES_MAX];
static char file_paths[FILES_MAX][PATH_MAX];
static timer_t timer;
static bool has_timer;

static void arm(void)
{
    struct itimerspec when = {.it_value.tv_nsec = SIGNALS_PATIENCE_MS * 1000000L};
    if (has_timer)
        timer_settime(timer, 0, &when, NULL);
}

/* Whoever asks again after a moment does not want to wait for a commit. Not at once: timeout(1) sends its signal to the
 * program and to its group. Any thread may be the one that the system interrupts. */
static void on_signal(int number)
{
    static atomic_int first_s;
    struct timespec now;
    int error = errno;
    clock_gettime(CLOCK_MONOTONIC, &now);
    if (stop_requested() && (int)now.tv_sec - first_s > 1) {
        signal(number, SIG_DFL);
        raise(number);
    }
    if (!stop_requested()) {
        first_s = (int)now.tv_sec;
        arm();
    }
    stop_request();
    errno = error;
}

/* The three that follow call only what a signal handler may. */
static void remove_files(void)
{
    for (int i = 0; i < FILES_MAX; i++) {
        if (file_states[i] == FILE_THERE)
            (void)(unlink(file_paths[i]) == 0 || rmdir(file_paths[i]) == 0); /* else it stays */
    }
}

/* A bus error that is no page of a file is an error of this program. */
static void on_bus_error(int number, siginfo_t *info, void *context)
{
    static atomic_flag told = ATOMIC_FLAG_INIT;
    static char path[PATH_MAX];
    (void)context;
    if (info->si_code != BUS_ADRERR && info->si_code != BUS_OBJERR) {
        signal(number, SIG_DFL);
        raise(number);
        return;
    }
    while (atomic_flag_test_and_set(&told)) /* another thread tells of it, and ends the process */
        pause();
    bool known = mapping_path(info->si_addr, path, sizeof path);
    remove_files();
    message_lost_page(known ? path : NULL);
    _exit(EXIT_FAILED);
}

static void on_deadline(int number)
{
    int error = errno, nobody = ENDING_NOT_YET;
    (void)number;
    if (held > 0 || !atomic_compare_exchange_strong(&ended_by, &nobody, ENDING_CUT_OFF)) {
        arm();
        errno = error;
        return;
    }
    remove_files();
    message_interrupted();
    _exit(EXIT_INTERRUPTED);
}

static void catch (int number, void (*handler)(int))
{
    struct sigaction action = {.sa_handler = handler};
    sigemptyset(&action.sa_mask);
    sigaction(number, &action, NULL);
}

void signals_catch(void)
{
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGALRM};
    struct sigaction bus_error = {.sa_sigaction = on_bus_error, .sa_flags = SA_SIGINFO};
    sigemptyset(&bus_error.sa_mask);
    sigaction(SIGBUS, &bus_error, NULL);
    catch (SIGALRM, on_deadline);
    has_timer = timer_create(CLOCK_MONOTONIC, &event, &timer) == 0;
    catch (SIGINT, on_signal);
    catch (SIGTERM, on_signal);
    catch (SIGPIPE, SIG_IGN);
    catch (SIGXFSZ, SIG_IGN);
}

void signals_wait(void)
{
    sigset_t ending, before;
    sigemptyset(&ending);
    sigaddset(&ending, SIGINT);
    sigaddset(&ending, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &ending, &before);
    while (!stop_requested()) {
        struct timespec second = {.tv_sec = 1};
        (void)!ppoll(NULL, 0, &second, &before); /* a signal ends it, also one that came before */
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

void signals_hold(void) { held++; }

void signals_release(void) { held--; }

/* Where another thread has the deadline it writes its line now, and ends the process. */
void signals_end(void)
{
    int nobody = ENDING_NOT_YET;
    if (!atomic_compare_exchange_strong(&ended_by, &nobody, ENDING_COMMAND))
        while (ended_by == ENDING_CUT_OFF)
            pause();
}

void signals_remember_file(const char *path)
{
    size_t size = strlen(path) + 1;
    for (int i = 0; i < FILES_MAX && size <= sizeof file_paths[0]; i++) {
        int free_now = FILE_NONE;
        if (atomic_compare_exchange_strong(&file_states[i], &free_now, FILE_BUSY)) {
            memcpy(file_paths[i], path, size);
            file_states[i] = FILE_THERE;
            return;
        }
    }
}

void signals_forget_file(const char *path)
{
    for (int i = 0; i < FILES_MAX; i++) {
        if (file_states[i] == FILE_THERE && strcmp(file_paths[i], path) == 0)
            file_states[i] = FILE_NONE;
    }
}
