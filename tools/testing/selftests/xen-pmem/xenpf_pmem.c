// SPDX-License-Identifier: GPL-2.0
/*
 * xenpf_pmem - drive XENPF_pmem, and what it is good for, from user space
 *
 * Everything goes through /dev/xen/privcmd of a PV control domain.  Frames are
 * hexadecimal, with or without 0x.  Results are printed as key=value words.  The
 * exit status is 0 if what was asked for was done; 1 if not, after errno=-N or
 * status=-N was printed; and 2 for a mistake on the command line.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/types.h>

typedef __u16 u16;
typedef __u32 u32;
typedef __u64 u64;
typedef __s16 s16;

#include "../../../../include/xen/interface/pmem.h"

#define ARRAY_SIZE(x)	(sizeof(x) / sizeof((x)[0]))
#define PAGE_SIZE	4096
#define MIB_FRAMES	256
#define CHUNK_FRAMES	512

#define DOMID_SELF	0x7ff0
#define DOMID_IO	0x7ff1
#define DOMID_XEN	0x7ff2

/* The part of Xen's interface that this program speaks. */
#define HYPERVISOR_PLATFORM_OP		7
#define HYPERVISOR_MEMORY_OP		12
#define HYPERVISOR_GRANT_TABLE_OP	20
#define XENPF_INTERFACE_VERSION		0x03000001
#define XENMEM_DECREASE_RESERVATION	1
#define XENMEM_EXCHANGE			11
#define GNTTABOP_TRANSFER		4
#define GNTTABOP_COPY			5

struct platform_op {
	u32 cmd;
	u32 interface_version;
	union {
		struct xenpf_pmem pmem;
		unsigned char pad[128];
	};
};

struct memory_reservation {
	u64 extent_start;
	u64 nr_extents;
	u32 extent_order;
	u32 mem_flags;
	u16 domid;
};

struct memory_exchange {
	struct memory_reservation in;
	struct memory_reservation out;
	u64 nr_exchanged;
};

struct copy_end {
	u64 frame;
	u16 domid;
	u16 offset;
};

struct gnttab_copy {
	struct copy_end source;
	struct copy_end dest;
	u16 len;
	u16 flags;
	s16 status;
};

struct gnttab_transfer {
	u64 mfn;
	u16 domid;
	u32 ref;
	s16 status;
};

struct privcmd_hypercall {
	u64 op;
	u64 arg[5];
};

struct privcmd_mmapbatch_v2 {
	unsigned int num;
	u16 dom;
	u64 addr;
	const u64 *arr;
	int *err;
};

#define IOCTL_HYPERCALL \
	_IOC(_IOC_NONE, 'P', 0, sizeof(struct privcmd_hypercall))
#define IOCTL_MMAPBATCH_V2 \
	_IOC(_IOC_NONE, 'P', 4, sizeof(struct privcmd_mmapbatch_v2))

static const char * const states[] = {
	[XENPF_PMEM_STATE_NONE] = "none",
	[XENPF_PMEM_STATE_ADDING] = "adding",
	[XENPF_PMEM_STATE_ACTIVE] = "active",
	[XENPF_PMEM_STATE_REMOVING] = "removing",
};

/* One page, for hypercall arguments; it stays resident. */
static union {
	unsigned char bytes[PAGE_SIZE];
	struct platform_op platform;
	struct {
		struct memory_exchange op;
		u64 in;
		u64 out;
	} memory;
	struct gnttab_copy copy;
	struct gnttab_transfer transfer;
} *args;

static int privcmd;

static void usage(FILE *to)
{
	fputs("xenpf_pmem query SPFN [EPFN [RSV_SPFN RSV_EPFN DATA_SPFN DATA_EPFN]]\n"
	      "xenpf_pmem add|remove SPFN EPFN RSV_SPFN RSV_EPFN DATA_SPFN DATA_EPFN\n"
	      "xenpf_pmem list\n"
	      "xenpf_pmem raw FIELD=VALUE...\n"
	      "xenpf_pmem gcopy SOURCE DEST\n"
	      "xenpf_pmem map [xen|io|self] FRAME [ro|rw] [hold]\n"
	      "xenpf_pmem decrease|exchange|transfer FRAME\n",
	      to);
}

static int bad_usage(const char *what)
{
	fprintf(stderr, "xenpf_pmem: %s\n", what);
	usage(stderr);

	return 2;
}

static int parse_frame(const char *text, u64 *frame)
{
	char *end;

	errno = 0;
	*frame = strtoull(text, &end, 16);
	if (end == text || *end || errno || *text == '-') {
		fprintf(stderr, "xenpf_pmem: %s is not a frame number\n", text);
		return -EINVAL;
	}

	return 0;
}

static void print_errno(int error)
{
	const char *name = strerrorname_np(error);

	printf("errno=%d (%s)\n", -error, name ? name : "unknown");
}

/* Finish the line of output, and give the exit status. */
static int report(int rc)
{
	if (rc) {
		print_errno(-rc);
		return 1;
	}
	putchar('\n');

	return 0;
}

static int hypercall(u64 op, u64 arg0, u64 arg1, u64 arg2)
{
	struct privcmd_hypercall call = { op, { arg0, arg1, arg2 } };
	int rc = ioctl(privcmd, IOCTL_HYPERCALL, &call);

	return rc < 0 ? -errno : rc;
}

static int platform_op(void)
{
	return hypercall(HYPERVISOR_PLATFORM_OP, (uintptr_t)args, 0, 0);
}

static struct xenpf_pmem *prepare(u16 cmd)
{
	struct platform_op *op = &args->platform;

	memset(args, 0, sizeof(*args));
	op->cmd = XENPF_pmem;
	op->interface_version = XENPF_INTERFACE_VERSION;
	op->pmem.cmd = cmd;
	op->pmem.version = XENPF_PMEM_VERSION;

	return &op->pmem;
}

static const char *state_name(u16 state)
{
	return state < ARRAY_SIZE(states) ? states[state] : "unknown";
}

static void print_hex(const char *key, u64 value)
{
	printf("%s=0x%llx ", key, value);
}

static void print_tuple(const struct xenpf_pmem *pmem)
{
	print_hex("spfn", pmem->spfn);
	print_hex("epfn", pmem->epfn);
	print_hex("rsv_spfn", pmem->rsv_spfn);
	print_hex("rsv_epfn", pmem->rsv_epfn);
	print_hex("data_spfn", pmem->data_spfn);
	print_hex("data_epfn", pmem->data_epfn);
}

static void print_result(const struct xenpf_pmem *pmem)
{
	printf("state=%s ", state_name(pmem->state));
	print_hex("rsv_need", pmem->rsv_need);
	print_hex("rsv_max", pmem->rsv_max);
	print_hex("rsv_used", pmem->rsv_used);
	print_hex("bad_mfn", pmem->bad_mfn);
	printf("page_info_size=%u m2p_size=%u compat_m2p_size=%u ",
	       pmem->page_info_size, pmem->m2p_size, pmem->compat_m2p_size);
}

/*
 * Fill in the tuple.  What is left out is the smallest region there can be: two
 * chunks, of which the first is the reserved area.
 */
static int parse_tuple(struct xenpf_pmem *pmem, char **words, int nr)
{
	u64 *const fields[] = {
		&pmem->spfn, &pmem->epfn, &pmem->rsv_spfn, &pmem->rsv_epfn,
		&pmem->data_spfn, &pmem->data_epfn,
	};
	int i;

	for (i = 0; i < nr; i++) {
		if (parse_frame(words[i], fields[i]))
			return -EINVAL;
	}
	if (nr < 2)
		pmem->epfn = pmem->spfn + 2 * CHUNK_FRAMES;
	if (nr < 6) {
		pmem->rsv_spfn = pmem->spfn;
		pmem->rsv_epfn = pmem->spfn + CHUNK_FRAMES;
		pmem->data_spfn = pmem->rsv_epfn;
		pmem->data_epfn = pmem->epfn;
	}

	return 0;
}

static int do_region(u16 cmd, char **words, int nr)
{
	struct xenpf_pmem *pmem = prepare(cmd);
	int rc;

	if (nr != 6 && (cmd != XENPF_PMEM_QUERY || (nr != 1 && nr != 2)))
		return bad_usage("six frame numbers are needed");
	if (parse_tuple(pmem, words, nr))
		return 2;

	rc = platform_op();
	/* A Xen without the operation, or refusing it, leaves this as it was. */
	if (pmem->page_info_size)
		print_result(pmem);

	return report(rc);
}

static int do_query(char **words, int nr)
{
	return do_region(XENPF_PMEM_QUERY, words, nr);
}

static int do_add(char **words, int nr)
{
	return do_region(XENPF_PMEM_ADD, words, nr);
}

static int do_remove(char **words, int nr)
{
	return do_region(XENPF_PMEM_REMOVE, words, nr);
}

static void print_mib(const char *key, u64 frames)
{
	printf("%s=%lluMiB ", key, frames / MIB_FRAMES);
}

static int do_list(char **words, int nr)
{
	struct xenpf_pmem *pmem;
	u32 index;
	int rc;

	if (nr)
		return bad_usage("list takes no arguments");

	for (index = 0; ; index++) {
		pmem = prepare(XENPF_PMEM_LIST);
		pmem->index = index;
		rc = platform_op();
		if (rc == -ENOENT)
			return 0;
		if (rc)
			return report(rc);
		printf("index=%u state=%s ", index, state_name(pmem->state));
		print_tuple(pmem);
		print_hex("rsv_used", pmem->rsv_used);
		print_mib("size", pmem->epfn - pmem->spfn);
		print_mib("data", pmem->data_epfn - pmem->data_spfn);
		print_mib("reserved", pmem->rsv_epfn - pmem->rsv_spfn);
		print_mib("used", pmem->rsv_used);
		putchar('\n');
	}
}

static const struct raw_field {
	const char *name;
	size_t offset;
	size_t size;
} raw_fields[] = {
	{ "op", offsetof(struct platform_op, cmd), sizeof(u32) },
	{ "interface_version", offsetof(struct platform_op, interface_version), sizeof(u32) },
	{ "cmd", offsetof(struct platform_op, pmem.cmd), sizeof(u16) },
	{ "version", offsetof(struct platform_op, pmem.version), sizeof(u16) },
	{ "flags", offsetof(struct platform_op, pmem.flags), sizeof(u32) },
	{ "spfn", offsetof(struct platform_op, pmem.spfn), sizeof(u64) },
	{ "epfn", offsetof(struct platform_op, pmem.epfn), sizeof(u64) },
	{ "rsv_spfn", offsetof(struct platform_op, pmem.rsv_spfn), sizeof(u64) },
	{ "rsv_epfn", offsetof(struct platform_op, pmem.rsv_epfn), sizeof(u64) },
	{ "data_spfn", offsetof(struct platform_op, pmem.data_spfn), sizeof(u64) },
	{ "data_epfn", offsetof(struct platform_op, pmem.data_epfn), sizeof(u64) },
	{ "index", offsetof(struct platform_op, pmem.index), sizeof(u32) },
	{ "pad", offsetof(struct platform_op, pmem.pad), sizeof(u32) },
};

static int set_raw(const char *word)
{
	const char *value = strchr(word, '=');
	unsigned int i;
	char *end;
	u64 number;

	if (!value++)
		return -EINVAL;
	errno = 0;
	number = strtoull(value, &end, 0);
	if (end == value || *end || errno)
		return -EINVAL;

	for (i = 0; i < ARRAY_SIZE(raw_fields); i++) {
		size_t len = strlen(raw_fields[i].name);

		if (strncmp(word, raw_fields[i].name, len) || word[len] != '=')
			continue;
		/* Little-endian, as all that Xen with this operation runs on. */
		memcpy(args->bytes + raw_fields[i].offset, &number, raw_fields[i].size);
		return 0;
	}

	return -EINVAL;
}

/* Numbers as in C: hexadecimal only with 0x. */
static int do_raw(char **words, int nr)
{
	struct xenpf_pmem *pmem = prepare(XENPF_PMEM_QUERY);
	int i, rc;

	for (i = 0; i < nr; i++) {
		if (set_raw(words[i])) {
			fprintf(stderr, "xenpf_pmem: %s is not a FIELD=VALUE of raw\n",
				words[i]);
			return 2;
		}
	}

	rc = platform_op();
	print_tuple(pmem);
	print_result(pmem);

	return report(rc);
}

static const char *grant_status(int status)
{
	switch (status) {
	case 0:
		return "GNTST_okay";
	case -1:
		return "GNTST_general_error";
	case -2:
		return "GNTST_bad_domain";
	case -3:
		return "GNTST_bad_gntref";
	case -8:
		return "GNTST_permission_denied";
	case -9:
		return "GNTST_bad_page";
	default:
		return "unknown";
	}
}

static int report_status(int status)
{
	printf("status=%d (%s)\n", status, grant_status(status));

	return status ? 1 : 0;
}

static int do_gcopy(char **words, int nr)
{
	struct gnttab_copy *copy = &args->copy;
	int rc;

	if (nr != 2)
		return bad_usage("gcopy takes two frames");
	if (parse_frame(words[0], &copy->source.frame) ||
	    parse_frame(words[1], &copy->dest.frame))
		return 2;

	copy->source.domid = DOMID_SELF;
	copy->dest.domid = DOMID_SELF;
	copy->len = PAGE_SIZE;
	rc = hypercall(HYPERVISOR_GRANT_TABLE_OP, GNTTABOP_COPY, (uintptr_t)copy, 1);

	return rc ? report(rc) : report_status(copy->status);
}

static int do_transfer(char **words, int nr)
{
	struct gnttab_transfer *transfer = &args->transfer;
	int rc;

	if (nr != 1)
		return bad_usage("transfer takes one frame");
	if (parse_frame(words[0], &transfer->mfn))
		return 2;

	transfer->domid = DOMID_SELF;
	rc = hypercall(HYPERVISOR_GRANT_TABLE_OP, GNTTABOP_TRANSFER,
		       (uintptr_t)transfer, 1);

	return rc ? report(rc) : report_status(transfer->status);
}

static void one_extent(struct memory_reservation *to, const u64 *frame)
{
	to->extent_start = (uintptr_t)frame;
	to->nr_extents = 1;
	to->domid = DOMID_SELF;
}

static int do_decrease(char **words, int nr)
{
	int rc;

	if (nr != 1)
		return bad_usage("decrease takes one frame");
	if (parse_frame(words[0], &args->memory.in))
		return 2;

	one_extent(&args->memory.op.in, &args->memory.in);
	rc = hypercall(HYPERVISOR_MEMORY_OP, XENMEM_DECREASE_RESERVATION,
		       (uintptr_t)&args->memory.op.in, 0);
	if (rc < 0)
		return report(rc);
	printf("freed=%d\n", rc);

	return rc == 1 ? 0 : 1;
}

static int do_exchange(char **words, int nr)
{
	int rc;

	if (nr != 1)
		return bad_usage("exchange takes one frame");
	if (parse_frame(words[0], &args->memory.in))
		return 2;

	args->memory.out = args->memory.in;
	one_extent(&args->memory.op.in, &args->memory.in);
	one_extent(&args->memory.op.out, &args->memory.out);
	rc = hypercall(HYPERVISOR_MEMORY_OP, XENMEM_EXCHANGE,
		       (uintptr_t)&args->memory.op, 0);
	printf("exchanged=%llu ", args->memory.op.nr_exchanged);

	return report(rc);
}

static int map_frame(u16 domid, u64 frame, int prot, u64 **va)
{
	int error = 0;
	struct privcmd_mmapbatch_v2 batch = {
		.num = 1, .dom = domid, .arr = &frame, .err = &error,
	};

	*va = mmap(NULL, PAGE_SIZE, prot, MAP_SHARED, privcmd, 0);
	if (*va == MAP_FAILED)
		return -errno;
	batch.addr = (uintptr_t)*va;
	if (ioctl(privcmd, IOCTL_MMAPBATCH_V2, &batch))
		return -errno;

	return error;
}

static int do_map(char **words, int nr)
{
	int i, rc, prot = PROT_READ | PROT_WRITE;
	const char *dom = "self";
	u16 domid = DOMID_SELF;
	int frames = 0, hold = 0;
	u64 frame = 0, *va;

	for (i = 0; i < nr; i++) {
		if (!strcmp(words[i], "--dom")) {
			continue;
		} else if (!strcmp(words[i], "xen") || !strcmp(words[i], "io") ||
			   !strcmp(words[i], "self")) {
			dom = words[i];
			domid = *dom == 'x' ? DOMID_XEN : *dom == 'i' ? DOMID_IO : DOMID_SELF;
		} else if (!strcmp(words[i], "ro")) {
			prot = PROT_READ;
		} else if (!strcmp(words[i], "hold")) {
			hold = 1;
		} else if (strcmp(words[i], "rw")) {
			if (parse_frame(words[i], &frame))
				return 2;
			frames++;
		}
	}
	if (frames != 1)
		return bad_usage("map takes one frame");

	rc = map_frame(domid, frame, prot, &va);
	printf("dom=%s frame=0x%llx prot=%s ", dom, frame,
	       prot & PROT_WRITE ? "rw" : "ro");
	if (!rc)
		printf("value=0x%016llx ",
		       __atomic_load_n(va, __ATOMIC_RELAXED));
	rc = report(rc);
	fflush(stdout);
	while (!rc && hold)
		pause();

	return rc;
}

static const struct command {
	const char *name;
	int (*run)(char **words, int nr);
} commands[] = {
	{ "query", do_query },
	{ "add", do_add },
	{ "remove", do_remove },
	{ "list", do_list },
	{ "raw", do_raw },
	{ "gcopy", do_gcopy },
	{ "map", do_map },
	{ "decrease", do_decrease },
	{ "exchange", do_exchange },
	{ "transfer", do_transfer },
};

/* Only when a command was recognised: a mistake needs no Xen to be told. */
static int set_up(void)
{
	int error;

	privcmd = open("/dev/xen/privcmd", O_RDWR | O_CLOEXEC);
	if (privcmd < 0) {
		error = errno;
		fprintf(stderr,
			"xenpf_pmem: /dev/xen/privcmd: %s; this takes a Xen control domain and xen-privcmd\n",
			strerror(error));
		print_errno(error);
		return -error;
	}

	args = mmap(NULL, sizeof(*args), PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE | MAP_LOCKED, -1, 0);
	if (args == MAP_FAILED) {
		error = errno;
		print_errno(error);
		return -error;
	}

	return 0;
}

int main(int argc, char **argv)
{
	unsigned int i;

	if (argc == 2 && (!strcmp(argv[1], "-h") || !strcmp(argv[1], "--help"))) {
		usage(stdout);
		return 0;
	}
	if (argc < 2)
		return bad_usage("what is to be done?");

	for (i = 0; i < ARRAY_SIZE(commands); i++) {
		if (strcmp(argv[1], commands[i].name))
			continue;
		return set_up() ? 1 : commands[i].run(argv + 2, argc - 2);
	}

	return bad_usage("no such command");
}
