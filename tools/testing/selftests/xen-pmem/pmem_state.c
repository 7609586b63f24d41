// SPDX-License-Identifier: GPL-2.0
/*
 * What a call of XENPF_pmem may change, so that two readings of it can be compared.
 *
 * The hardware domain's permitted I/O memory is not in any interface but that of
 * the debug keys: 'q' makes Xen print it to its console, whose ring is then read.
 */
#define _GNU_SOURCE
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "xen_call.h"

#define SYSCTL_INTERFACE_VERSION	0x15
#define SYSCTL_READCONSOLE		1
#define SYSCTL_PHYSINFO			3
#define SYSCTL_DEBUG_KEYS		7

/* Xen's ring is 16 KiB, and larger on a host with many CPUs. */
#define RING_BYTES	BIT(20)
#define TRIES		20

struct sysctl {
	u32 cmd;
	u32 interface_version;
	union {
		struct {
			u8 clear;
			u8 incremental;
			u8 pad[2];
			u32 index;
			u64 buffer;
			u32 count;
		} console;
		struct {
			u32 cpus[10];
			u64 total_pages;
			u64 free_pages;
			u64 scrub_pages;
			u64 outstanding_pages;
			u64 max_mfn;
			u32 hw_cap[8];
		} physinfo;
		struct {
			u64 keys;
			u32 nr_keys;
		} keys;
		u8 pad[128];
	};
};

static struct sysctl *new_sysctl(u32 cmd)
{
	struct sysctl *op = (struct sysctl *)args;

	memset(op, 0, sizeof(*op));
	op->cmd = cmd;
	op->interface_version = SYSCTL_INTERFACE_VERSION;

	return op;
}

static int call_sysctl(struct sysctl *op)
{
	return hypercall(HYPERVISOR_SYSCTL, (uintptr_t)op, 0, 0);
}

int free_pages(u64 *pages)
{
	struct sysctl *op = new_sysctl(SYSCTL_PHYSINFO);
	int rc = call_sysctl(op);

	*pages = op->physinfo.free_pages;

	return rc;
}

/* Text of the ring from *@index on, which is then the end; NUL-terminated. */
static int read_console(char *text, u32 *index)
{
	struct sysctl *op = new_sysctl(SYSCTL_READCONSOLE);
	int rc;

	op->console.incremental = 1;
	op->console.index = *index;
	op->console.buffer = (uintptr_t)text;
	op->console.count = RING_BYTES - 1;
	rc = call_sysctl(op);
	if (rc)
		return rc;
	*index = op->console.index;
	text[op->console.count] = 0;

	return 0;
}

static int press(char key)
{
	struct sysctl *op = new_sysctl(SYSCTL_DEBUG_KEYS);
	char *keys = (char *)args + sizeof(*op);

	*keys = key;
	op->keys.keys = (uintptr_t)keys;
	op->keys.nr_keys = 1;

	return call_sysctl(op);
}

/* "12", "12-345"; the end of it, or NULL. */
static char *skip_range(char *text)
{
	if (!isxdigit(*text))
		return NULL;
	while (isxdigit(*text))
		text++;
	if (*text == '-') {
		if (!isxdigit(*++text))
			return NULL;
		while (isxdigit(*text))
			text++;
	}

	return text;
}

/*
 * Xen prints the line in pieces, and whatever else it has to say may come in
 * between.  So the line counts only if there is nothing but ranges in it.
 */
static char *whole_line(char *text)
{
	static const char name[] = "I/O Memory {";
	char *end = strstr(text, "Rangesets belonging to domain 0:");
	char *line = end ? strstr(end, name) : NULL;

	end = line ? line + sizeof(name) - 1 : NULL;
	while (end && *end == ' ' && end[1] != '}') {
		end = skip_range(end + 1);
		if (end && *end == ',')
			end++;
	}
	if (!end || strncmp(end, " }\n", 3))
		return NULL;
	end[2] = 0;

	return line;
}

static int print_iomem(void)
{
	static u32 index;
	char *text = resident(RING_BYTES), *line = NULL;
	int i, rc = 0;

	if (text == MAP_FAILED)
		return -ENOMEM;
	for (i = 0; i < TRIES && !line && !rc; i++) {
		rc = read_console(text, &index);
		if (!rc)
			rc = press('q');
		if (!rc)
			rc = read_console(text, &index);
		if (!rc)
			line = whole_line(text);
	}
	if (!rc && !line) {
		fprintf(stderr,
			"xenpf_pmem: Xen's console has no whole line \"I/O Memory\" of domain 0 after the key 'q', pressed %d times; give Xen conring_size=64 or more\n",
			TRIES);
		rc = -ENODATA;
	}
	if (!rc)
		printf("%s\n", line);
	munmap(text, RING_BYTES);

	return rc;
}

static int print_max_page(void)
{
	int rc = hypercall(HYPERVISOR_MEMORY_OP, XENMEM_MAXIMUM_RAM_PAGE, 0, 0);

	if (rc < 0)
		return rc;
	printf("max_page=0x%x\n", rc);

	return 0;
}

static int print_free(void)
{
	u64 pages;
	int rc = free_pages(&pages);

	if (!rc)
		printf("free_pages=%llu\n", pages);

	return rc;
}

static int result(int rc)
{
	return rc ? report(rc) : 0;
}

int do_iomem(char **words, int nr)
{
	if (nr)
		return bad_usage("iomem takes no arguments");

	return result(print_iomem());
}

int do_free(char **words, int nr)
{
	if (nr)
		return bad_usage("free takes no arguments");

	return result(print_free());
}

/* [s, e): the frames that a range has a part in. */
int do_e820(char **words, int nr)
{
	unsigned int i;
	int rc;

	if (nr)
		return bad_usage("e820 takes no arguments");
	rc = machine_map();
	for (i = 0; !rc && i < args->map.op.nr_entries; i++) {
		const struct memory_map_entry *entry = &args->map.entries[i];
		u64 end = map_addr(entry) + map_size(entry);

		print_hex("spfn", map_addr(entry) / PAGE_SIZE);
		print_hex("epfn", (end + PAGE_SIZE - 1) / PAGE_SIZE);
		printf("type=%u\n", entry->type);
	}

	return result(rc);
}

int do_state(char **words, int nr)
{
	bool brief = nr == 1 && !strcmp(words[0], "brief");
	int rc;

	if (nr && !brief)
		return bad_usage("state takes no arguments, or \"brief\"");
	rc = list_regions();
	if (!rc && !brief)
		rc = print_iomem();
	if (!rc)
		rc = print_max_page();
	if (!rc)
		rc = print_free();

	return result(rc);
}

/* Without a number: where the ring ends now. With it: the text since. */
int do_console(char **words, int nr)
{
	char *text = resident(RING_BYTES);
	u64 from = 0;
	u32 index;
	int rc;

	if (nr > 1 || (nr && parse_number(words[0], &from)))
		return bad_usage("console takes one number, which it had printed as index=");
	if (text == MAP_FAILED)
		return report(-ENOMEM);

	index = from;
	rc = read_console(text, &index);
	if (rc)
		return report(rc);
	if (nr)
		fputs(text, stdout);
	else
		printf("index=%u\n", index);

	return 0;
}
