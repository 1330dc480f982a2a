/* A failing disk in a library: LD_PRELOAD it, then call arm(). Touches only files of the journal.
 * The n-th write, flush or truncation from now fails (and all after it, when `sticky`) with `error`; a short
 * write (error 0) writes half of it and then says the disk is full. failed() tells how many failed; arm(-1, 0, 0) mends it. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

static long at = -1, count, failures;
static int code, stays;

void arm(long n, int error, int sticky) {
    at = n, code = error, stays = sticky;
    if (n > 0) count = failures = 0;
}
long failed(void) { return failures; }

static int fails(int fd) {
    char link[64], path[512];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t size = readlink(link, path, sizeof path - 1);
    if (size < 0 || (path[size] = 0, !strstr(path, "journal.db"))) return 0;
    count++;
    int now = at > 0 && (stays ? count >= at : count == at);
    failures += now;
    return now;
}

#define REAL(name) ((typeof(&name))dlsym(RTLD_NEXT, #name))

ssize_t pwrite64(int fd, const void *data, size_t size, off64_t offset) {
    if (!fails(fd)) return REAL(pwrite64)(fd, data, size, offset);
    if (!code) REAL(pwrite64)(fd, data, size / 2, offset);
    errno = code ? code : ENOSPC;
    return -1;
}
ssize_t pwrite(int fd, const void *data, size_t size, off_t offset) {
    if (!fails(fd)) return REAL(pwrite)(fd, data, size, offset);
    if (!code) REAL(pwrite)(fd, data, size / 2, offset);
    errno = code ? code : ENOSPC;
    return -1;
}
ssize_t write(int fd, const void *data, size_t size) {
    if (!fails(fd)) return REAL(write)(fd, data, size);
    errno = code ? code : ENOSPC;
    return -1;
}
int fsync(int fd) {
    if (!fails(fd)) return REAL(fsync)(fd);
    errno = code ? code : EIO;
    return -1;
}
int fdatasync(int fd) {
    if (!fails(fd)) return REAL(fdatasync)(fd);
    errno = code ? code : EIO;
    return -1;
}
int ftruncate64(int fd, off64_t size) {
    if (!fails(fd)) return REAL(ftruncate64)(fd, size);
    errno = code ? code : EIO;
    return -1;
}
int ftruncate(int fd, off_t size) {
    if (!fails(fd)) return REAL(ftruncate)(fd, size);
    errno = code ? code : EIO;
    return -1;
}
