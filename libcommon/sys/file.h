#ifndef LUCIE_SYS_FILE_H
#define LUCIE_SYS_FILE_H
/*
 * Files and folders: complete reads and writes, temporary files, paths. Output files that must
 * appear complete or not at all are in atomicfile.h.
 *
 * Errors name the file and give the system's reason.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "libcommon/base/err.h"

/* Open a file as open(2) with O_CLOEXEC does, on a network file system too: there a file or folder that
 * another host has just written may be missing for a while (ENOENT, from a remembered "no such file"),
 * and one that was just replaced is stale (ESTALE). Reading the folder makes the file system ask anew,
 * so the folder is read and the file tried again: a missing one for LUCIE_WAIT seconds, a variable of the
 * environment that the shared rules of make(1) set, since they name no file that was not there, and
 * which is 0 otherwise; a stale one for that long and at least ten seconds. Returns the descriptor, or
 * -1 with errno. */
int lu_open(const char *path, int flags, mode_t mode) LU_CHECKED;

/* Wait for a file in the same way. True if it is there. */
bool lu_await(const char *path);

/* Open a file to read it, the same way. Returns the descriptor, or -1: "PATH: No such file or
 * directory", and how long it was waited for. */
int lu_open_read(const char *path, struct lu_err *err) LU_CHECKED;

/* Write all n bytes, retrying after EINTR, EAGAIN and short counts. `name` is the file name for
 * messages. */
int lu_write_all(int fd, const void *p, size_t n, const char *name, struct lu_err *err) LU_CHECKED;

/* The same at offset `at` of a regular file. */
int lu_pwrite_all(int fd, const void *p, size_t n, uint64_t at, const char *name,
		struct lu_err *err) LU_CHECKED;

/* Read exactly n bytes at offset `at`; a shorter file is an error. */
int lu_pread_all(int fd, void *p, size_t n, uint64_t at, const char *name,
		struct lu_err *err) LU_CHECKED;

/* Read a small file: *out is malloc'd and NUL-terminated, *n its length without the NUL. A file of
 * more than `limit` bytes is an error, and one that is missing is not waited for. */
int lu_read_file(const char *path, size_t limit, char **out, size_t *n,
		struct lu_err *err) LU_CHECKED;

/* The same for a file of the user, which then cannot become an output of this run (readset.h). */
int lu_read_input(const char *path, size_t limit, char **out, size_t *n,
		struct lu_err *err) LU_CHECKED;

/* Create a temporary file in `dir` and unlink it, for data that does not fit in memory. Returns the
 * descriptor, or -1. */
int lu_temp_open(const char *dir, struct lu_err *err) LU_CHECKED;

/* Create the folder and its missing parents (mkdir -p). */
int lu_make_folders(const char *path, struct lu_err *err) LU_CHECKED;

/* Sync the folder that contains `path`, so that a rename in it survives a crash. */
int lu_sync_folder(const char *path, struct lu_err *err) LU_CHECKED;

/* Set the error of a file that cannot be created: which folder is missing, or the system's reason,
 * which for a missing folder could be meant of the file. Returns -1. */
int lu_fail_create(const char *path, int errnum, struct lu_err *err);

/* Fail when two of the paths name the same regular file or folder, by whatever spelling, symbolic
 * link or hard link: "PATH: given twice". The file looked at is PATH and `suffix` (".json" for shard
 * prefixes, "" for files). Pipes, devices, "-" and files that do not exist are passed over. */
int lu_files_distinct(
		char *const *path, size_t n, const char *suffix, struct lu_err *err) LU_CHECKED;
/* The same without a judgement: 1 with the first path that is an earlier one again, and that one. */
int lu_files_repeated(char *const *path, size_t n, const char *suffix, size_t *first, size_t *again,
		struct lu_err *err) LU_CHECKED;

/* The same for files and folders that are read with all they hold: fails also when one lies within
 * another, "da/sub: lies within da, which is read too". */
int lu_trees_distinct(char *const *path, size_t n, struct lu_err *err) LU_CHECKED;

/* Concatenate up to three strings (NULL ends the list early): a path from a folder or prefix and its
 * suffixes. malloc'd; NULL when memory is out. */
char *lu_concat(const char *a, const char *b, const char *c) LU_CHECKED;

#endif
