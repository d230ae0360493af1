/*
 * Preloaded into a process under test: counts and fails its system calls on files below one directory, from outside of
 * the code that makes them. HOLDFAST_SHIM_ROOT is that directory. Every call is a line `operation path` in the file
 * HOLDFAST_SHIM_LOG. Before each one the file HOLDFAST_SHIM_RULES is read, when it is there; a line of it is
 * `operation action text`: a call of that operation on a path that holds the text fails with the errno `action`, or,
 * for a write, does a part of its work (-1) or none (-2) and says so, or meets a disk that is full after a part of the
 * first such write (-3).
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

#define REAL(name, type) ((type)dlsym(RTLD_NEXT, name))
#define PART (-1)
#define NOTHING (-2)
#define FILLS (-3)

/* What is asked of a call on this path: 0 for nothing, an errno, PART or NOTHING. */
static int ask(const char *operation, const char *path) {
  const char *root = getenv("HOLDFAST_SHIM_ROOT"), *log = getenv("HOLDFAST_SHIM_LOG");
  const char *rules = getenv("HOLDFAST_SHIM_RULES");
  char text[4096], line[4600];
  int action = 0;
  if (root == NULL || log == NULL || rules == NULL || strncmp(path, root, strlen(root)) != 0) return 0;
  int kept = errno;
  int file = (int)syscall(SYS_openat, AT_FDCWD, log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (file >= 0) {
    int length = snprintf(line, sizeof line, "%s %s\n", operation, path);
    syscall(SYS_write, file, line, (size_t)length);
    syscall(SYS_close, file);
  }
  file = (int)syscall(SYS_openat, AT_FDCWD, rules, O_RDONLY | O_CLOEXEC, 0);
  if (file >= 0) {
    long length = syscall(SYS_read, file, text, sizeof text - 1);
    syscall(SYS_close, file);
    text[length > 0 ? length : 0] = 0;
    char *rest = NULL;
    for (char *rule = strtok_r(text, "\n", &rest); rule != NULL; rule = strtok_r(NULL, "\n", &rest)) {
      char which[32], part[256];
      int what;
      if (sscanf(rule, "%31s %d %255s", which, &what, part) != 3) continue;
      if (strcmp(which, operation) == 0 && strstr(path, part) != NULL) action = what;
    }
  }
  errno = kept;
  return action;
}

static int ask_file(const char *operation, int file) {
  char link[64], path[4096];
  int kept = errno;
  snprintf(link, sizeof link, "/proc/self/fd/%d", file);
  ssize_t length = readlink(link, path, sizeof path - 1);
  errno = kept;
  if (length < 0) return 0;
  path[length] = 0;
  return ask(operation, path);
}

/* What is asked of a write. libuv goes on after a short one itself, and reports it only when the rest fails. */
static int ask_write(int file) {
  static int filled = 0;
  int action = ask_file("write", file);
  if (action != FILLS) return action;
  return __atomic_exchange_n(&filled, 1, __ATOMIC_SEQ_CST) ? ENOSPC : PART;
}

static int failed(int action) {
  errno = action;
  return -1;
}

int fdatasync(int file) {
  int action = ask_file("fdatasync", file);
  return action > 0 ? failed(action) : REAL("fdatasync", int (*)(int))(file);
}

int fsync(int file) {
  int action = ask_file("fsync", file);
  return action > 0 ? failed(action) : REAL("fsync", int (*)(int))(file);
}

int rename(const char *from, const char *to) {
  int action = ask("rename", from);
  return action > 0 ? failed(action) : REAL("rename", int (*)(const char *, const char *))(from, to);
}

static ssize_t write_at(int file, const void *bytes, size_t length, off_t at) {
  int action = ask_write(file);
  if (action > 0) return failed(action);
  if (action == NOTHING) return 0;
  size_t asked = action == PART && length > 1 ? length / 2 : length;
  return syscall(SYS_pwrite64, file, bytes, asked, at);
}

ssize_t pwrite(int file, const void *bytes, size_t length, off_t at) { return write_at(file, bytes, length, at); }
ssize_t pwrite64(int file, const void *bytes, size_t length, off64_t at) { return write_at(file, bytes, length, at); }

static ssize_t write_all_at(int file, const struct iovec *parts, int count, off_t at) {
  int action = ask_write(file);
  if (action > 0) return failed(action);
  if (action == NOTHING) return 0;
  if (action == PART && parts[0].iov_len > 1)
    return syscall(SYS_pwrite64, file, parts[0].iov_base, parts[0].iov_len / 2, at);
  return syscall(SYS_pwritev, file, parts, count, (long)at, 0L);
}

ssize_t pwritev(int file, const struct iovec *parts, int count, off_t at) { return write_all_at(file, parts, count, at); }
ssize_t pwritev64(int file, const struct iovec *parts, int count, off64_t at) {
  return write_all_at(file, parts, count, at);
}

ssize_t write(int file, const void *bytes, size_t length) {
  int action = ask_write(file);
  if (action > 0) return failed(action);
  if (action == NOTHING) return 0;
  return syscall(SYS_write, file, bytes, action == PART && length > 1 ? length / 2 : length);
}
