// SPDX-License-Identifier: GPL-2.0
/*
 * xenpf_pmem - drive XENPF_pmem, and what it is good for, from user space
 *
 * Everything goes through /dev/xen/privcmd of a control domain.  Frames are
 * hexadecimal, with or without 0x; other numbers are as in C.  Results are printed
 * as key=value words.  The exit status is 0 if what was asked for was done; 1 if
 * not, after errno=-N or status=-N was printed; and 2 for a mistake on the command
 * line.
 */
#define _GNU_SOURCE
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "xen_call.h"

static void usage(FILE *to)
{
	fputs("xenpf_pmem query SPFN [EPFN [RSV_SPFN RSV_EPFN DATA_SPFN DATA_EPFN]]\n"
	      "xenpf_pmem add|remove SPFN EPFN RSV_SPFN RSV_EPFN DATA_SPFN DATA_EPFN\n"
	      "xenpf_pmem claim|unclaim|guests SIX_FRAMES\n"
	      "xenpf_pmem give|take DOMID GFN SPFN EPFN SIX_FRAMES\n"
	      "xenpf_pmem list\n"
	      "xenpf_pmem raw [address=ADDRESS] FIELD=VALUE...\n"
	      "xenpf_pmem state [brief]        what a call may change; without the I/O memory\n"
	      "xenpf_pmem iomem|free           parts of it\n"
	      "xenpf_pmem e820                 the firmware's map of the machine\n"
	      "xenpf_pmem console [INDEX]      Xen's console from there on, or where it ends\n"
	      "xenpf_pmem fuzz SEED COUNT START END\n"
	      "xenpf_pmem cycles COUNT SIX_FRAMES\n"
	      "xenpf_pmem orders SIX_FRAMES SIX_FRAMES [SIX_FRAMES]\n"
	      "xenpf_pmem race COUNT SIX_FRAMES SIX_FRAMES\n"
	      "xenpf_pmem gcopy SOURCE DEST\n"
	      "xenpf_pmem grant FRAME [hold]   takes test_modules/xen_pmem_grant.ko\n"
	      "xenpf_pmem map [xen|io|self|dDOMID] FRAME [ro|rw] [hold]\n"
	      "xenpf_pmem poke FRAME VALUE     written to its first 8 bytes, and read back\n"
	      "xenpf_pmem decrease|exchange|transfer FRAME\n"
	      "xenpf_pmem move FRAME GFN      in a domain with a p2m\n"
	      "xenpf_pmem domain               a new domain, which never runs\n"
	      "xenpf_pmem permit DOMID FRAME NR [map]\n"
	      "xenpf_pmem revoke DOMID FRAME NR   what it has mapped stays so\n"
	      "xenpf_pmem track DOMID         its dirty pages\n"
	      "xenpf_pmem destroy DOMID\n"
	      "In a PVH domain map and poke use /dev/mem, which Xen does not count.\n",
	      to);
}

int bad_usage(const char *what)
{
	fprintf(stderr, "xenpf_pmem: %s\n", what);
	usage(stderr);

	return 2;
}

int parse_frame(const char *text, u64 *frame)
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

int parse_number(const char *text, u64 *number)
{
	char *end;

	errno = 0;
	*number = strtoull(text, &end, 0);
	if (end == text || *end || errno || *text == '-') {
		fprintf(stderr, "xenpf_pmem: %s is not a number\n", text);
		return -EINVAL;
	}

	return 0;
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

int parse_tuple(struct xenpf_pmem *pmem, char **words, int nr)
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

static int do_claim(char **words, int nr)
{
	return do_region(XENPF_PMEM_CLAIM, words, nr);
}

static int do_unclaim(char **words, int nr)
{
	return do_region(XENPF_PMEM_UNCLAIM, words, nr);
}

static int do_mapping(u16 cmd, char **words, int nr)
{
	struct xenpf_pmem *pmem = prepare(cmd);
	u64 domid;
	int rc;

	if (nr != 10)
		return bad_usage("a domain and nine frame numbers are needed");
	if (parse_number(words[0], &domid) ||
	    parse_frame(words[1], &pmem->guest_gfn) ||
	    parse_frame(words[2], &pmem->guest_spfn) ||
	    parse_frame(words[3], &pmem->guest_epfn) ||
	    parse_tuple(pmem, words + 4, 6))
		return 2;

	pmem->domid = domid;
	rc = platform_op();
	print_hex("bad_mfn", pmem->bad_mfn);

	return report(rc);
}

static int do_give(char **words, int nr)
{
	return do_mapping(XENPF_PMEM_MAP, words, nr);
}

static int do_take(char **words, int nr)
{
	return do_mapping(XENPF_PMEM_UNMAP, words, nr);
}

/* A line for each mapping, and for each domain that may access data of the region. */
static int do_guests(char **words, int nr)
{
	struct xenpf_pmem region, *pmem;
	u32 index;
	int rc;

	if (nr != 6)
		return bad_usage("six frame numbers are needed");
	if (parse_tuple(&region, words, nr))
		return 2;

	for (index = 0; ; index++) {
		pmem = prepare(XENPF_PMEM_GUEST);
		put_tuple(pmem, &region);
		pmem->index = index;
		rc = platform_op();
		if (rc)
			return rc == -ENOENT ? 0 : report(rc);
		printf("domid=%u ", pmem->domid);
		print_hex("guest_spfn", pmem->guest_spfn);
		print_hex("guest_epfn", pmem->guest_epfn);
		if (pmem->flags & XENPF_PMEM_MAPPED)
			print_hex("guest_gfn", pmem->guest_gfn);
		if (pmem->flags & XENPF_PMEM_LEAVING)
			printf("leaving=yes ");
		putchar('\n');
	}
}

static void print_mib(const char *key, u64 frames)
{
	printf("%s=%lluMiB ", key, frames / MIB_FRAMES);
}

static void print_region(u32 index, const struct xenpf_pmem *pmem)
{
	printf("index=%u state=%s ", index, state_name(pmem->state));
	print_tuple(pmem);
	print_hex("rsv_used", pmem->rsv_used);
	print_mib("size", pmem->epfn - pmem->spfn);
	print_mib("data", pmem->data_epfn - pmem->data_spfn);
	print_mib("reserved", pmem->rsv_epfn - pmem->rsv_spfn);
	print_mib("used", pmem->rsv_used);
	if (pmem->flags & XENPF_PMEM_CLAIMED)
		printf("claimed=yes ");
	putchar('\n');
}

int list_regions(void)
{
	struct xenpf_pmem *pmem;
	u32 index;
	int rc;

	for (index = 0; ; index++) {
		pmem = prepare(XENPF_PMEM_LIST);
		pmem->index = index;
		rc = platform_op();
		if (rc)
			return rc == -ENOENT ? 0 : rc;
		print_region(index, pmem);
	}
}

static int do_list(char **words, int nr)
{
	int rc;

	if (nr)
		return bad_usage("list takes no arguments");
	rc = list_regions();

	return rc ? report(rc) : 0;
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
	{ "pad", offsetof(struct platform_op, pmem.pad), sizeof(u16) },
	{ "domid", offsetof(struct platform_op, pmem.domid), sizeof(u16) },
	{ "guest_spfn", offsetof(struct platform_op, pmem.guest_spfn), sizeof(u64) },
	{ "guest_epfn", offsetof(struct platform_op, pmem.guest_epfn), sizeof(u64) },
	{ "guest_gfn", offsetof(struct platform_op, pmem.guest_gfn), sizeof(u64) },
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

/*
 * Numbers as in C: hexadecimal only with 0x.  The address is that of the structure,
 * if Xen is to look for it somewhere else.
 */
static int do_raw(char **words, int nr)
{
	struct xenpf_pmem *pmem = prepare(XENPF_PMEM_QUERY);
	u64 address = (uintptr_t)args;
	int i, rc;

	for (i = 0; i < nr; i++) {
		if (!strncmp(words[i], "address=", 8)) {
			if (parse_number(words[i] + 8, &address))
				return 2;
			continue;
		}
		if (set_raw(words[i])) {
			fprintf(stderr, "xenpf_pmem: %s is not a FIELD=VALUE of raw\n",
				words[i]);
			return 2;
		}
	}

	rc = hypercall(HYPERVISOR_PLATFORM_OP, address, 0, 0);
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
	int rc, status;
	u64 from, to;

	if (nr != 2)
		return bad_usage("gcopy takes two frames");
	if (parse_frame(words[0], &from) || parse_frame(words[1], &to))
		return 2;
	rc = copy_frame(from, to, &status);

	return rc ? report(rc) : report_status(status);
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

static int do_move(char **words, int nr)
{
	struct add_to_physmap *physmap = &args->physmap;

	if (nr != 2)
		return bad_usage("move takes two frames");
	if (parse_frame(words[0], &physmap->idx) || parse_frame(words[1], &physmap->gpfn))
		return 2;

	physmap->domid = DOMID_SELF;
	physmap->space = XENMAPSPACE_GMFN;

	return report(hypercall(HYPERVISOR_MEMORY_OP, XENMEM_ADD_TO_PHYSMAP,
				(uintptr_t)physmap, 0));
}

static int show_frame(u16 domid, u64 frame, int prot, bool hold)
{
	u64 *va;
	int rc = map_frame(domid, frame, prot, &va);

	print_hex("frame", frame);
	printf("prot=%s ", prot & PROT_WRITE ? "rw" : "ro");
	if (!rc)
		printf("value=0x%016llx ", __atomic_load_n(va, __ATOMIC_RELAXED));
	rc = report(rc);
	fflush(stdout);
	while (!rc && hold)
		pause();

	return rc;
}

/* How to map; false if the word is not about that. */
static bool map_word(const char *word, u16 *domid, int *prot, bool *hold)
{
	char end;

	if (sscanf(word, "d%hu%c", domid, &end) == 1)
		return true;
	if (!strcmp(word, "xen"))
		*domid = DOMID_XEN;
	else if (!strcmp(word, "io"))
		*domid = DOMID_IO;
	else if (!strcmp(word, "ro"))
		*prot = PROT_READ;
	else if (!strcmp(word, "hold"))
		*hold = true;
	else
		return !strcmp(word, "self") || !strcmp(word, "rw");

	return true;
}

static int do_map(char **words, int nr)
{
	int i, frames = 0, prot = PROT_READ | PROT_WRITE;
	u16 domid = DOMID_SELF;
	bool hold = false;
	u64 frame = 0;

	for (i = 0; i < nr; i++) {
		if (map_word(words[i], &domid, &prot, &hold))
			continue;
		if (parse_frame(words[i], &frame))
			return 2;
		frames++;
	}
	if (frames != 1)
		return bad_usage("map takes one frame");

	return show_frame(domid, frame, prot, hold);
}

/* What is written may be dropped without an error. */
static int do_poke(char **words, int nr)
{
	u64 frame, value, found, *va;
	int rc;

	if (nr != 2)
		return bad_usage("poke takes a frame and a number");
	if (parse_frame(words[0], &frame) || parse_number(words[1], &value))
		return 2;
	rc = map_frame(DOMID_SELF, frame, PROT_READ | PROT_WRITE, &va);
	if (rc)
		return report(rc);

	__atomic_store_n(va, value, __ATOMIC_SEQ_CST);
	found = __atomic_load_n(va, __ATOMIC_SEQ_CST);
	printf("frame=0x%llx wrote=0x%llx read=0x%llx\n", frame, value, found);

	return found != value;
}

static const struct command {
	const char *name;
	int (*run)(char **words, int nr);
} commands[] = {
	{ "query", do_query },
	{ "add", do_add },
	{ "remove", do_remove },
	{ "claim", do_claim },
	{ "unclaim", do_unclaim },
	{ "guests", do_guests },
	{ "give", do_give },
	{ "take", do_take },
	{ "list", do_list },
	{ "raw", do_raw },
	{ "gcopy", do_gcopy },
	{ "grant", do_grant },
	{ "map", do_map },
	{ "poke", do_poke },
	{ "decrease", do_decrease },
	{ "exchange", do_exchange },
	{ "move", do_move },
	{ "transfer", do_transfer },
	{ "state", do_state },
	{ "iomem", do_iomem },
	{ "e820", do_e820 },
	{ "free", do_free },
	{ "console", do_console },
	{ "fuzz", do_fuzz },
	{ "cycles", do_cycles },
	{ "orders", do_orders },
	{ "race", do_race },
	{ "domain", do_domain },
	{ "permit", do_permit },
	{ "revoke", do_revoke },
	{ "track", do_track },
	{ "destroy", do_destroy },
};

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
		/* A mistake needs no Xen to be told. */
		return xen_open() ? 1 : commands[i].run(argv + 2, argc - 2);
	}

	return bad_usage("no such command");
}
