/* Loaded before the C library (LD_PRELOAD): time that goes faster than real time, and can be set
 * forward. TEST_CLOCK names a file that says how: three numbers of 64 bits. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

struct test_clock {
    int64_t ahead; /* nanoseconds that the time of day is set forward */
    int64_t speed; /* seconds in a real one */
    int64_t since; /* when it began, by the time of day, in nanoseconds */
};

static volatile struct test_clock *test_clock;
static int64_t since; /* the same by the monotonic clock */

static int64_t nanoseconds(const struct timespec *time) {
    return (int64_t)time->tv_sec * 1000000000 + time->tv_nsec;
}

static int64_t read_clock(clockid_t id) {
    struct timespec time;
    syscall(SYS_clock_gettime, id, &time);
    return nanoseconds(&time);
}

__attribute__((constructor)) static void open_clock(void) {
    const char *path = getenv("TEST_CLOCK");
    int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (file < 0) return;
    void *memory = mmap(NULL, sizeof *test_clock, PROT_READ, MAP_SHARED, file, 0);
    close(file);
    if (memory == MAP_FAILED) return;
    test_clock = memory;
    since = read_clock(CLOCK_MONOTONIC) - (read_clock(CLOCK_REALTIME) - test_clock->since);
}

int clock_gettime(clockid_t id, struct timespec *time) {
    int failed = (int)syscall(SYS_clock_gettime, id, time);
    if (failed || !test_clock || (id != CLOCK_REALTIME && id != CLOCK_MONOTONIC)) return failed;
    int64_t passed = read_clock(CLOCK_MONOTONIC) - since;
    int64_t now = nanoseconds(time) + passed * (test_clock->speed - 1);
    if (id == CLOCK_REALTIME) now += test_clock->ahead;
    time->tv_sec = now / 1000000000;
    time->tv_nsec = now % 1000000000;
    return 0;
}

/* Waiting takes as much less of real time. */
struct epoll_event;
int epoll_wait(int poll, struct epoll_event *events, int most, int timeout) {
    if (test_clock && timeout > 0) timeout = (int)((timeout + test_clock->speed - 1) / test_clock->speed);
    return (int)syscall(SYS_epoll_pwait, poll, events, most, timeout, NULL, 8);
}
