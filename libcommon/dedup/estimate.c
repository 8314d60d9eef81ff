#include "libcommon/dedup/estimate.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "libcommon/io/instream.h"

#define SAMPLE ((size_t)1 << 20)
#define BASE ((uint64_t)40 << 20) /* the program and its batches */

/* Bytes a document, upper bounds. */
#define EXACT_MEMORY 28	      /* keyset.h */
#define EXACT_DISK (80 + 56)  /* keys in two passes, the list of what is removed */
#define LOG_MEMORY 80	      /* keys that are sorted in memory */
#define LOG_DISK 64	      /* where it came from */
#define HELD_DISK 32	      /* table of held records */
#define NEAR_MEMORY 264	      /* near.h: without a bound */
#define NEAR_DISK (448 + 121) /* pairs in two passes, sketches */
/* Bytes a second: of records on one core, and of temporary files. */
#define EXACT_RATE 400e6
#define NEAR_RATE 60e6
#define DISK_RATE 300e6

void lu_estimate_run(struct lu_estimate *e, const struct lu_dedup_options *o)
{
	uint64_t bound = o->std.memory, memory = 0, disk = 0;
	bool log = o->removed != NULL, held = o->near;

	if (o->exact || o->paragraphs) {
		uint64_t need = e->docs * (EXACT_MEMORY + (log ? LOG_MEMORY : 0));
		bool late = o->keep.kind != LU_KEEP_FIRST || (bound && need > bound / 2);

		memory += need;
		held |= late;
		disk += late && bound ? e->docs * EXACT_DISK : 0;
	}
	if (o->near && !o->signatures) {
		memory += e->docs * NEAR_MEMORY;
		disk += bound && memory > bound ? e->docs * NEAR_DISK : 0;
	}
	if (held && !o->signatures)
		disk += e->bytes + e->docs * HELD_DISK;
	if (log)
		disk += e->docs * LOG_DISK;
	e->memory = BASE + (bound && memory > bound ? bound : memory);
	e->disk = disk;
	e->seconds = (double)e->bytes / (o->near ? NEAR_RATE * o->std.threads : EXACT_RATE) +
			2 * (double)disk / DISK_RATE;
}

/* The first megabyte of a file: its lines, and the bytes of the file that it took. */
struct sample {
	double bytes, lines, file;
};

static bool take_sample(const char *path, struct sample *s)
{
	struct lu_err ignored;
	struct lu_in *in = NULL;
	char *p = malloc(SAMPLE);
	ssize_t n = -1;

	if (p && lu_in_open(&in, path, &ignored) == 0)
		n = lu_in_read(in, p, SAMPLE, &ignored);
	for (ssize_t i = 0; i < n; i++)
		s->lines += p[i] == '\n';
	if (n > 0) {
		s->bytes += (double)n;
		s->file += (double)lu_in_consumed(in);
	}
	lu_in_close(in);
	free(p);
	return n >= 0;
}

/* Bytes of all files, or 0 if one of them is no regular file. */
static uint64_t size_of(const struct lu_args *args)
{
	uint64_t bytes = 0;
	struct stat st;

	for (size_t i = 0; i < args->files; i++) {
		if (stat(args->file[i], &st) < 0 || !S_ISREG(st.st_mode))
			return 0;
		bytes += (uint64_t)st.st_size;
	}
	return bytes;
}

/* Bytes for people: 512 MB, 3.4 GB. */
static void put_bytes(uint64_t v, char out[32])
{
	if (v < 1000000000)
		snprintf(out, 32, "%" PRIu64 " MB", (v + 999999) / 1000000);
	else
		snprintf(out, 32, "%.1f GB", (double)v / 1e9);
}

static void put_time(double seconds, char out[32])
{
	if (seconds < 100)
		snprintf(out, 32, "%.0f seconds", seconds < 1 ? 1 : seconds);
	else if (seconds < 6000)
		snprintf(out, 32, "%.0f minutes", seconds / 60);
	else
		snprintf(out, 32, "%.1f hours", seconds / 3600);
}

static void say(const struct lu_estimate *e, const struct lu_dedup_options *o, bool large)
{
	uint64_t machine = (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE);
	char bytes[32], memory[32], disk[32], room[32], takes[32], text[256];
	struct statvfs fs;

	put_bytes(e->bytes, bytes);
	put_bytes(e->memory, memory);
	put_bytes(e->disk, disk);
	put_time(e->seconds, takes);
	snprintf(text, sizeof(text),
			"about %s in %" PRIu64
			" documents: up to %s of memory, %s of temporary files, "
			"%s",
			bytes, e->docs, memory, disk, takes);
	if (large)
		lu_note("%s", text);
	else
		lu_detail("%s", text);
	if (statvfs(o->std.tmpdir, &fs) == 0 && (uint64_t)fs.f_bavail * fs.f_frsize < e->disk) {
		put_bytes((uint64_t)fs.f_bavail * fs.f_frsize, room);
		lu_warn("%s has room for %s only: -T names another folder", o->std.tmpdir, room);
	}
	if (machine && e->memory > machine) {
		put_bytes(machine, room);
		lu_warn("this machine has %s of memory: -m limits what is used", room);
	}
}

void lu_estimate_say(const struct lu_dedup_options *o, const struct lu_args *args)
{
	uint64_t size = size_of(args);
	bool large = size >= LU_ESTIMATE_LARGE;
	struct sample s = { 0 };
	struct lu_estimate e = { 0 };

	if (size == 0 || (!large && !o->std.verbose))
		return;
	for (int k = 0; k < 3; k++) {
		size_t i = (args->files - 1) * (size_t)k / 2;

		if ((k == 0 || i != (args->files - 1) * (size_t)(k - 1) / 2) &&
				!take_sample(args->file[i], &s))
			return;
	}
	if (s.bytes == 0 || s.file == 0)
		return;
	e.bytes = (uint64_t)((double)size * (s.bytes > s.file ? s.bytes / s.file : 1));
	e.docs = (uint64_t)((double)e.bytes * (s.lines + 1) / s.bytes);
	lu_estimate_run(&e, o);
	say(&e, o, large);
}
