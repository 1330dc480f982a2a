/* An SD card in a library: every flush takes SLOWSYNC_US microseconds longer. LD_PRELOAD it. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <unistd.h>

static int slow(const char *name, int fd) {
    const char *us = getenv("SLOWSYNC_US");
    usleep(us ? (useconds_t)atoi(us) : 0);
    return ((int (*)(int))dlsym(RTLD_NEXT, name))(fd);
}
int fsync(int fd) { return slow("fsync", fd); }
int fdatasync(int fd) { return slow("fdatasync", fd); }
