// SPDX-License-Identifier: GPL-2.0
/*
 * pmem_bench - what operations on persistent memory take, in ticks of the TSC
 *
 * In a virtual machine of tools/vmtest with icount a tick is an instruction. Results are
 * "NAME=TICKS" lines, of one operation each. The exit status is 0 if all was measured.
 */
#define _GNU_SOURCE
#include <cpuid.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/io.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pmem_bench.h"

#define PAGE		4096UL
#define HUGE		(2UL << 20)
#define ROUNDS		3
#define MARK_PORT	0xe9
#define PROBE		200		/* its part's number */

static int usage(void)
{
	fputs("pmem_bench ticks                    of a thousand instructions\n"
	      "pmem_bench dax FILE                 a file on ext4 -o dax, which is made\n"
	      "pmem_bench map PREFIX FILE         loads and stores of a file that is mapped\n"
	      "pmem_bench xen FRAME GIB...         QUERY, ADD, LIST and REMOVE from FRAME on\n"
	      "pmem_bench until NODE FILE TEXT     from when TEXT is written to FILE until there is NODE\n"
	      "pmem_bench mark NUMBER              begin that part, or end one (0), for QEMU's plugin\n",
	      stderr);

	return 2;
}

int failed(const char *what)
{
	fprintf(stderr, "pmem_bench: %s: %s\n", what, strerror(errno));

	return -1;
}

/* Nothing before it is counted later, nothing after it earlier. */
uint64_t ticks(void)
{
	uint32_t low, high;

	asm volatile("lfence; rdtsc; lfence" : "=a" (low), "=d" (high) : : "memory");

	return (uint64_t)high << 32 | low;
}

void tell(const char *name, uint64_t value)
{
	printf("%s=%llu\n", name, (unsigned long long)value);
}

/* The least of some, as an interrupt may come between. */
static int do_ticks(void)
{
	uint64_t best = UINT64_MAX, count, began, took;
	unsigned int round;

	for (round = 0; round < ROUNDS; round++) {
		count = 500000;
		began = ticks();
		/* Two instructions a turn. */
		asm volatile("1: dec %0; jnz 1b" : "+r" (count));
		took = ticks() - began;
		if (took < best)
			best = took;
	}
	tell("ticks_per_1000_instructions", best / 1000);

	return 0;
}

/* The number is for tools/vmtest/plugin/count.c, which looks for this one instruction. */
int mark(unsigned char number)
{
	static bool permitted;

	if (!permitted && ioperm(MARK_PORT, 1, 1))
		return failed("I/O port 0xe9");
	permitted = true;
	asm volatile("outb %%al, %%dx" : : "a" (number), "d" (MARK_PORT));

	return 0;
}

/* --- a file ------------------------------------------------------------------ */

#define FILE_BYTES	(8UL << 20)

struct file {
	int fd;
	char *buffer;			/* of a MiB */
	char *map;			/* of all of it, or NULL */
};

/* One operation on @bytes at @offset; 0 or -1. */
typedef int (*operation)(struct file *file, off_t offset, size_t bytes);

static int op_read(struct file *file, off_t offset, size_t bytes)
{
	return pread(file->fd, file->buffer, bytes, offset) == (ssize_t)bytes ? 0 : -1;
}

static int op_write(struct file *file, off_t offset, size_t bytes)
{
	return pwrite(file->fd, file->buffer, bytes, offset) == (ssize_t)bytes ? 0 : -1;
}

static int op_write_sync(struct file *file, off_t offset, size_t bytes)
{
	return op_write(file, offset, bytes) ?: fdatasync(file->fd);
}

static int compare(const void *a, const void *b)
{
	uint64_t one = *(const uint64_t *)a, two = *(const uint64_t *)b;

	return (one > two) - (one < two);
}

static uint64_t median(uint64_t *values)
{
	qsort(values, ROUNDS, sizeof(*values), compare);

	return values[ROUNDS / 2];
}

/* The median of rounds, each of which covers @span bytes of the file. */
static int measure(const char *name, struct file *file, operation op, size_t bytes,
		   size_t span)
{
	uint64_t took[ROUNDS], began;
	unsigned int round;
	size_t offset;

	for (round = 0; round < ROUNDS; round++) {
		began = ticks();
		for (offset = 0; offset < span; offset += bytes)
			if (op(file, offset, bytes))
				return failed(name);
		took[round] = (ticks() - began) / (span / bytes);
	}
	tell(name, median(took));

	return 0;
}

static int make_file(struct file *file, const char *path)
{
	size_t offset;

	file->fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
	file->buffer = aligned_alloc(PAGE, 1 << 20);
	if (file->fd < 0 || !file->buffer)
		return failed(path);
	memset(file->buffer, 0x5a, 1 << 20);
	for (offset = 0; offset < FILE_BYTES; offset += 1 << 20)
		if (op_write(file, offset, 1 << 20))
			return failed(path);

	return fsync(file->fd);
}

/* --- a mapping ---------------------------------------------------------------- */

/*
 * A new mapping of the file at an address that is @skew bytes past a multiple of 2 MiB:
 * with 0 its pages can be large ones.
 */
static char *map_at(struct file *file, size_t skew, int flags)
{
	char *space = mmap(NULL, FILE_BYTES + 2 * HUGE, PROT_NONE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	char *at = (char *)(((uintptr_t)space + HUGE - 1) / HUGE * HUGE + skew);

	if (space == MAP_FAILED)
		return space;

	return mmap(at, FILE_BYTES, PROT_READ | PROT_WRITE, flags | MAP_FIXED, file->fd, 0);
}

/* Accesses that the compiler does not leave out. */
static void store(char *at, char value)
{
	asm volatile("movb %1, %0" : "=m" (*at) : "q" (value));
}

static void load(const char *at)
{
	char value;

	asm volatile("movb %1, %0" : "=q" (value) : "m" (*at));
}

/* The first access to each @step bytes of a new mapping. */
static int touch(const char *name, struct file *file, size_t skew, size_t step, bool write,
		 int flags)
{
	uint64_t took[ROUNDS], began;
	unsigned int round;
	size_t offset;

	for (round = 0; round < ROUNDS; round++) {
		char *map = map_at(file, skew, flags);

		if (map == MAP_FAILED)
			return failed(name);
		began = ticks();
		for (offset = 0; offset < FILE_BYTES; offset += step) {
			if (write)
				store(map + offset, round);
			else
				load(map + offset);
		}
		took[round] = (ticks() - began) / (FILE_BYTES / step);
		munmap(map, FILE_BYTES);
		if (fsync(file->fd))
			return failed(name);
	}
	tell(name, median(took));

	return 0;
}

/* fsync of pages that were written to through a mapping, for each page. */
static int sync_dirty(const char *name, struct file *file)
{
	char *map = map_at(file, PAGE, MAP_SHARED);
	uint64_t took[ROUNDS], began;
	unsigned int round;
	size_t offset;

	if (map == MAP_FAILED)
		return failed(name);
	for (round = 0; round < ROUNDS; round++) {
		for (offset = 0; offset < FILE_BYTES; offset += PAGE)
			store(map + offset, round + 1);
		began = ticks();
		if (fsync(file->fd))
			return failed(name);
		took[round] = (ticks() - began) / (FILE_BYTES / PAGE);
	}
	munmap(map, FILE_BYTES);
	tell(name, median(took));

	return 0;
}

static void flush(const char *line)
{
	asm volatile("clwb %0" : : "m" (*line) : "memory");
}

/* Stores to a page that is mapped, and a flush of each of its lines: no system call. */
static int store_flush(const char *name, struct file *file)
{
	char *map = map_at(file, PAGE, MAP_SHARED_VALIDATE | MAP_SYNC);
	uint64_t took[ROUNDS], began;
	unsigned int round, line;
	size_t offset;

	if (map == MAP_FAILED)
		return failed(name);
	for (round = 0; round < ROUNDS; round++) {
		began = ticks();
		for (offset = 0; offset < FILE_BYTES; offset += PAGE) {
			memcpy(map + offset, file->buffer, PAGE);
			for (line = 0; line < PAGE; line += 64)
				flush(map + offset + line);
			asm volatile("sfence" : : : "memory");
		}
		took[round] = (ticks() - began) / (FILE_BYTES / PAGE);
	}
	munmap(map, FILE_BYTES);
	tell(name, median(took));

	return 0;
}

static bool has_clwb(void)
{
	unsigned int a, b = 0, c, d;

	return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & bit_CLWB);
}

static int do_dax(const char *path)
{
	struct file file;

	if (make_file(&file, path))
		return -1;

	return measure("read_4k", &file, op_read, PAGE, FILE_BYTES / 4) ||
	       measure("read_1m", &file, op_read, 1 << 20, FILE_BYTES) ||
	       measure("write_4k_fdatasync", &file, op_write_sync, PAGE, FILE_BYTES / 8) ||
	       measure("write_1m_fdatasync", &file, op_write_sync, 1 << 20, FILE_BYTES) ||
	       touch("fault_read", &file, PAGE, PAGE, false, MAP_SHARED) ||
	       touch("fault_write", &file, PAGE, PAGE, true, MAP_SHARED) ||
	       touch("fault_write_sync", &file, PAGE, PAGE, true,
		     MAP_SHARED_VALIDATE | MAP_SYNC) ||
	       touch("touch_2m", &file, 0, HUGE, true, MAP_SHARED) ||
	       touch("touch_2m_by_4k", &file, 0, PAGE, true, MAP_SHARED) ||
	       sync_dirty("fsync_page", &file) ||
	       (has_clwb() && store_flush("store_flush_4k", &file)) ? -1 : 0;
}

static int op_load(struct file *file, off_t offset, size_t bytes)
{
	memcpy(file->buffer, file->map + offset, bytes);
	asm volatile("" : : "r" (file->buffer) : "memory");

	return 0;
}

static int op_store(struct file *file, off_t offset, size_t bytes)
{
	memcpy(file->map + offset, file->buffer, bytes);
	asm volatile("" : : "r" (file->map) : "memory");

	return 0;
}

/* Of pages that are mapped already: the first round is not told. */
static int measure_map(const char *prefix, const char *what, struct file *file, operation op)
{
	char name[64];
	size_t offset;

	for (offset = 0; offset < FILE_BYTES; offset += 1 << 20)
		op(file, offset, 1 << 20);
	snprintf(name, sizeof(name), "%s_%s", prefix, what);

	return measure(name, file, op, 1 << 20, FILE_BYTES);
}

static int do_map(const char *prefix, const char *path)
{
	struct file file;

	if (make_file(&file, path))
		return -1;
	file.map = map_at(&file, 0, MAP_SHARED);
	if (file.map == MAP_FAILED)
		return failed(path);

	return measure_map(prefix, "store_1m", &file, op_store) ||
	       measure_map(prefix, "load_1m", &file, op_load) ? -1 : 0;
}

/* --- a device ----------------------------------------------------------------- */

/* Only what nobody else has a use for of the CPU goes to this process. */
static int stand_back(void)
{
	struct sched_param none = {};

	return sched_setscheduler(0, SCHED_IDLE, &none);
}

static int do_until(const char *node, const char *path, const char *text)
{
	uint64_t began, written, limit = 400000000000ULL;
	int fd = open(path, O_WRONLY);
	struct stat status;

	if (fd < 0 || stand_back())
		return failed(path);
	mark(PROBE);
	began = ticks();
	/* A namespace whose data is another device's is not bound itself: that is no error. */
	if (write(fd, text, strlen(text)) < 0 && errno != ENXIO && errno != ENODEV)
		return failed(path);
	written = ticks();
	while (stat(node, &status)) {
		sched_yield();
		if (ticks() - began > limit)
			return failed(node);
	}
	tell("until_written", written - began);
	tell("until_there", ticks() - began);
	mark(0);

	return 0;
}

static int run(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "ticks"))
		return do_ticks();
	if (argc == 3 && !strcmp(argv[1], "dax"))
		return do_dax(argv[2]);
	if (argc == 4 && !strcmp(argv[1], "map"))
		return do_map(argv[2], argv[3]);
	if (argc >= 4 && !strcmp(argv[1], "xen"))
		return do_xen(argv + 2);
	if (argc == 5 && !strcmp(argv[1], "until"))
		return do_until(argv[2], argv[3], argv[4]);
	if (argc == 3 && !strcmp(argv[1], "mark"))
		return mark(strtoul(argv[2], NULL, 0));

	return usage();
}

int main(int argc, char **argv)
{
	int rc;

	setvbuf(stdout, NULL, _IOLBF, 0);
	rc = run(argc, argv);

	return rc < 0 ? 1 : rc;
}
