/* When preloaded, kill a process by SIGKILL at its n-th call that changes a folder; a write is torn, done by half.

   DYING_FOLDER: the folder, absolute; DYING_AT: n, 0 for never; DYING_COUNT: a file of 8 bytes that counts the calls of
   all processes. Writes through mapped memory are not counted. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

static const char *folder;
static unsigned long at, *count;
static int is_armed = 0;

__attribute__((constructor)) static void arm(void) {
  const char *file = getenv("DYING_COUNT"), *n = getenv("DYING_AT");
  folder = getenv("DYING_FOLDER");
  if (!file || !n || !folder) return;
  int fd = open(file, O_RDWR);
  if (fd < 0) return;
  count = mmap(NULL, sizeof *count, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  close(fd);
  at = strtoul(n, NULL, 10);
  is_armed = count != MAP_FAILED;
}

static int is_inside(int dir, const char *path) {
  char link[64], full[2 * PATH_MAX];
  full[0] = 0;
  if (!path || path[0] != '/') {
    ssize_t length;
    if (dir == AT_FDCWD) snprintf(link, sizeof link, "/proc/self/cwd");
    else snprintf(link, sizeof link, "/proc/self/fd/%d", dir);
    if ((length = readlink(link, full, PATH_MAX)) < 0) return 0;
    full[length] = 0;
    if (path) strcat(full, "/");
  }
  if (path) strncat(full, path, PATH_MAX - 1);
  return strncmp(full, folder, strlen(folder)) == 0;
}

/* Tells whether this is the call to die at. */
static int is_due(int dir, const char *path) {
  if (!is_armed || !is_inside(dir, path)) return 0;
  return __atomic_add_fetch(count, 1, __ATOMIC_SEQ_CST) == at;
}

static void die(void) { kill(getpid(), SIGKILL); }

#define REAL(name) __typeof__(name) *real = (__typeof__(name) *)dlsym(RTLD_NEXT, #name)
#define BEFORE(name, type, dir, path, arguments, ...) \
  type name arguments { REAL(name); if (is_due(dir, path)) die(); return real(__VA_ARGS__); }
#define OPENS(name, dir, arguments, ...) \
  int name arguments { \
    REAL(name); va_list rest; va_start(rest, flags); mode_t mode = va_arg(rest, mode_t); va_end(rest); \
    if (flags & (O_CREAT | O_TRUNC) && is_due(dir, path)) die(); \
    return real(__VA_ARGS__); }
#define WRITES(name, arguments, half, ...) \
  ssize_t name arguments { REAL(name); if (is_due(fd, NULL)) { half; die(); } return real(__VA_ARGS__); }

OPENS(open, AT_FDCWD, (const char *path, int flags, ...), path, flags, mode)
OPENS(open64, AT_FDCWD, (const char *path, int flags, ...), path, flags, mode)
OPENS(openat, dir, (int dir, const char *path, int flags, ...), dir, path, flags, mode)
OPENS(openat64, dir, (int dir, const char *path, int flags, ...), dir, path, flags, mode)
WRITES(write, (int fd, const void *from, size_t size), real(fd, from, size / 2), fd, from, size)
WRITES(pwrite, (int fd, const void *from, size_t size, off_t to), real(fd, from, size / 2, to), fd, from, size, to)
WRITES(pwrite64, (int fd, const void *from, size_t size, off64_t to), real(fd, from, size / 2, to), fd, from, size, to)
WRITES(writev, (int fd, const struct iovec *from, int parts), real(fd, from, parts / 2), fd, from, parts)
BEFORE(fsync, int, fd, NULL, (int fd), fd)
BEFORE(fdatasync, int, fd, NULL, (int fd), fd)
BEFORE(ftruncate, int, fd, NULL, (int fd, off_t size), fd, size)
BEFORE(ftruncate64, int, fd, NULL, (int fd, off64_t size), fd, size)
BEFORE(fallocate, int, fd, NULL, (int fd, int mode, off_t from, off_t size), fd, mode, from, size)
BEFORE(fallocate64, int, fd, NULL, (int fd, int mode, off64_t from, off64_t size), fd, mode, from, size)
BEFORE(posix_fallocate, int, fd, NULL, (int fd, off_t from, off_t size), fd, from, size)
BEFORE(posix_fallocate64, int, fd, NULL, (int fd, off64_t from, off64_t size), fd, from, size)
BEFORE(msync, int, AT_FDCWD, folder, (void *from, size_t size, int flags), from, size, flags)
BEFORE(rename, int, AT_FDCWD, path, (const char *path, const char *to), path, to)
BEFORE(renameat, int, dir, path, (int dir, const char *path, int other, const char *to), dir, path, other, to)
BEFORE(unlink, int, AT_FDCWD, path, (const char *path), path)
BEFORE(unlinkat, int, dir, path, (int dir, const char *path, int flags), dir, path, flags)
BEFORE(mkdir, int, AT_FDCWD, path, (const char *path, mode_t mode), path, mode)
BEFORE(mkdirat, int, dir, path, (int dir, const char *path, mode_t mode), dir, path, mode)
BEFORE(rmdir, int, AT_FDCWD, path, (const char *path), path)
