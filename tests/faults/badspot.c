/* A disk with one bad spot in a library: LD_PRELOAD it. The first page of a duty desk's record cannot be read (EIO)
 * until something writes there, as real disks give another sector for one that is written anew. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#define REAL(name) ((typeof(&name))dlsym(RTLD_NEXT, #name))
static int mended;

static int is_record(int fd) {
    char link[64], path[512];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t size = readlink(link, path, sizeof path - 1);
    return size > 8 && (path[size] = 0, !strcmp(path + size - 8, "/desk.db"));
}

ssize_t pread64(int fd, void *data, size_t size, off64_t offset) {
    if (mended || offset >= 4096 || !is_record(fd)) return REAL(pread64)(fd, data, size, offset);
    errno = EIO;
    return -1;
}
ssize_t pread(int fd, void *data, size_t size, off_t offset) { return pread64(fd, data, size, offset); }

ssize_t write(int fd, const void *data, size_t size) {
    if (is_record(fd)) mended = 1;
    return REAL(write)(fd, data, size);
}
