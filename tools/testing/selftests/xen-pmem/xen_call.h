/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Hypercalls from user space, through /dev/xen/privcmd, for the selftests of
 * xen-pmem.  Functions return a hypercall's result, or -errno.
 */
#ifndef XEN_CALL_H
#define XEN_CALL_H

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>

#include <linux/types.h>

typedef __u8 u8;
typedef __u16 u16;
typedef __u32 u32;
typedef __u64 u64;
typedef __s16 s16;
typedef __s32 s32;

#include "../../../../include/xen/interface/pmem.h"

#define BIT(nr)		(1U << (nr))
#define ARRAY_SIZE(x)	(sizeof(x) / sizeof((x)[0]))
#define PAGE_SIZE	4096
#define MIB_FRAMES	256
#define CHUNK_FRAMES	512

#define DOMID_SELF	0x7ff0
#define DOMID_IO	0x7ff1
#define DOMID_XEN	0x7ff2

/* The part of Xen's interface that the programs here speak. */
#define HYPERVISOR_PLATFORM_OP		7
#define HYPERVISOR_MEMORY_OP		12
#define HYPERVISOR_XEN_VERSION		17
#define HYPERVISOR_GRANT_TABLE_OP	20
#define HYPERVISOR_MMUEXT_OP		26
#define HYPERVISOR_SCHED_OP		29
#define HYPERVISOR_EVENT_CHANNEL_OP	32
#define HYPERVISOR_PHYSDEV_OP		33
#define HYPERVISOR_SYSCTL		35
#define HYPERVISOR_DOMCTL		36
#define XENPF_INTERFACE_VERSION		0x03000001
#define XENMEM_DECREASE_RESERVATION	1
#define XENMEM_MAXIMUM_RAM_PAGE		2
#define XENMEM_ADD_TO_PHYSMAP		7
#define XENMAPSPACE_GMFN		2
#define XENMEM_MACHINE_MEMORY_MAP	10
#define XENMEM_EXCHANGE			11
#define XENVER_GET_FEATURES		6
#define XENFEAT_AUTO_TRANSLATED		BIT(2)
#define GNTTABOP_TRANSFER		4
#define GNTTABOP_COPY			5

/* What Xen answers to an operation that it does not have. */
#define NO_OP				38

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

struct add_to_physmap {
	u16 domid;
	u16 size;
	u32 space;
	u64 idx;
	u64 gpfn;
};

struct memory_map_entry {
	u32 addr[2];
	u32 size[2];
	u32 type;
};

struct memory_map {
	u32 nr_entries;
	u64 buffer;
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

struct feature_info {
	u32 submap_idx;
	u32 submap;
};

/* One page, for hypercall arguments; it stays resident. */
union xen_args {
	unsigned char bytes[PAGE_SIZE];
	struct platform_op platform;
	struct {
		struct memory_exchange op;
		u64 in;
		u64 out;
	} memory;
	struct {
		struct memory_map op;
		struct memory_map_entry entries[128];
	} map;
	struct add_to_physmap physmap;
	struct gnttab_copy copy;
	struct gnttab_transfer transfer;
	struct feature_info features;
};

extern union xen_args *args;

/* 0, or -errno after telling why. */
int xen_open(void);

int hypercall(u64 op, u64 arg0, u64 arg1, u64 arg2);
int hypercall4(u64 op, u64 arg0, u64 arg1, u64 arg2, u64 arg3);
int platform_op(void);

/* A call of XENPF_pmem is made ready in @args. */
struct xenpf_pmem *prepare(u16 cmd);

/* A page of zeroes that stays resident, or MAP_FAILED. */
void *resident(unsigned long bytes);

/* Is this a domain whose frame numbers Xen translates, as a PVH one's are? */
bool translated(void);

/*
 * Map a frame into this process: in a PV domain as a page of @domid, in a
 * translated one through /dev/mem.
 */
int map_frame(u16 domid, u64 frame, int prot, u64 **va);
void unmap_frame(u64 *va);

/* The six numbers of @tuple. */
void put_tuple(struct xenpf_pmem *pmem, const struct xenpf_pmem *tuple);

/* A copy by GNTTABOP_copy, of one's own page to another; @status is a GNTST_*. */
int copy_frame(u64 from, u64 to, int *status);

const char *error_name(int error);
const char *state_name(u16 state);
void print_errno(int error);
void print_hex(const char *key, u64 value);
void print_tuple(const struct xenpf_pmem *pmem);

/* Finish the line of output, and give the exit status. */
int report(int rc);

int bad_usage(const char *what);
int parse_frame(const char *text, u64 *frame);
int parse_number(const char *text, u64 *number);

/*
 * Fill in the tuple.  What is left out is the smallest region there can be: two
 * chunks, of which the first is the reserved area.
 */
int parse_tuple(struct xenpf_pmem *pmem, char **words, int nr);

int list_regions(void);

/* The firmware's memory map, into args->map. */
int machine_map(void);
u64 map_addr(const struct memory_map_entry *entry);
u64 map_size(const struct memory_map_entry *entry);

/* Free pages of the host, in pmem_state.c. */
int free_pages(u64 *pages);

/* Commands of other files. */
int do_state(char **words, int nr);
int do_iomem(char **words, int nr);
int do_e820(char **words, int nr);
int do_free(char **words, int nr);
int do_console(char **words, int nr);
int do_fuzz(char **words, int nr);
int do_cycles(char **words, int nr);
int do_orders(char **words, int nr);
int do_race(char **words, int nr);
int do_grant(char **words, int nr);
int do_domain(char **words, int nr);
int do_permit(char **words, int nr);
int do_revoke(char **words, int nr);
int do_track(char **words, int nr);
int do_destroy(char **words, int nr);

#endif /* XEN_CALL_H */
