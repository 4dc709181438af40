#include "cli/output/signals.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli/output/message.h"
#include "parser/stop.h"

#define FILES_MAX 64

enum { FILE_NONE, FILE_BUSY, FILE_THERE };

static atomic_int held;
static struct {
    atomic_int state;
    char path[PATH_MAX];
} files[FILES_MAX];
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

/* Only what a signal handler may call. */
static void on_deadline(int number)
{
    int error = errno;
    (void)number;
    if (held > 0) {
        arm();
        errno = error;
        return;
    }
    for (int i = 0; i < FILES_MAX; i++) {
        if (files[i].state == FILE_THERE)
            unlink(files[i].path);
    }
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
    catch (SIGALRM, on_deadline);
    has_timer = timer_create(CLOCK_MONOTONIC, &event, &timer) == 0;
    catch (SIGINT, on_signal);
    catch (SIGTERM, on_signal);
    catch (SIGPIPE, SIG_IGN);
    catch (SIGXFSZ, SIG_IGN);
}

void signals_hold(void) { held++; }

void signals_release(void) { held--; }

void signals_remember_file(const char *path)
{
    size_t size = strlen(path) + 1;
    for (int i = 0; i < FILES_MAX && size <= sizeof files[0].path; i++) {
        int free_now = FILE_NONE;
        if (atomic_compare_exchange_strong(&files[i].state, &free_now, FILE_BUSY)) {
            memcpy(files[i].path, path, size);
            files[i].state = FILE_THERE;
            return;
        }
    }
}

void signals_forget_file(const char *path)
{
    for (int i = 0; i < FILES_MAX; i++) {
        if (files[i].state == FILE_THERE && strcmp(files[i].path, path) == 0)
            files[i].state = FILE_NONE;
    }
}
