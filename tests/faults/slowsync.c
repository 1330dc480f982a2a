/* An SD card in a library: every flush takes SLOWSYNC_US microseconds longer, and where SLOWSYNC_WHEN names a file,
   only while that is there. LD_PRELOAD it. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <unistd.h>

static int slow(const char *name, int fd) {
    const char *us = getenv("SLOWSYNC_US");
    const char *when = getenv("SLOWSYNC_WHEN");
    if (us && (!when || access(when, F_OK) == 0)) usleep((useconds_t)atoi(us));
    return ((int (*)(int))dlsym(RTLD_NEXT, name))(fd);
}
int fsync(int fd) { return slow("fsync", fd); }
int fdatasync(int fd) { return slow("fdatasync", fd); }
