// SPDX-License-Identifier: GPL-2.0
/*
 * Hypercalls from user space, through /dev/xen/privcmd.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "xen_call.h"

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

union xen_args *args;

static const char * const states[] = {
	[XENPF_PMEM_STATE_NONE] = "none",
	[XENPF_PMEM_STATE_ADDING] = "adding",
	[XENPF_PMEM_STATE_ACTIVE] = "active",
	[XENPF_PMEM_STATE_REMOVING] = "removing",
};

static int privcmd;

void *resident(unsigned long bytes)
{
	return mmap(NULL, bytes, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE | MAP_LOCKED, -1, 0);
}

int xen_open(void)
{
	int error;

	privcmd = open("/dev/xen/privcmd", O_RDWR | O_CLOEXEC);
	if (privcmd < 0) {
		error = errno;
		fprintf(stderr,
			"/dev/xen/privcmd: %s; this takes a Xen control domain and xen-privcmd\n",
			strerror(error));
		print_errno(error);
		return -error;
	}

	args = resident(sizeof(*args));
	if (args == MAP_FAILED) {
		error = errno;
		print_errno(error);
		return -error;
	}
	/* Asked once, while nothing is in @args. */
	translated();

	return 0;
}

int hypercall4(u64 op, u64 arg0, u64 arg1, u64 arg2, u64 arg3)
{
	struct privcmd_hypercall call = { op, { arg0, arg1, arg2, arg3 } };
	int rc = ioctl(privcmd, IOCTL_HYPERCALL, &call);

	return rc < 0 ? -errno : rc;
}

int hypercall(u64 op, u64 arg0, u64 arg1, u64 arg2)
{
	return hypercall4(op, arg0, arg1, arg2, 0);
}

int platform_op(void)
{
	return hypercall(HYPERVISOR_PLATFORM_OP, (uintptr_t)args, 0, 0);
}

struct xenpf_pmem *prepare(u16 cmd)
{
	struct platform_op *op = &args->platform;

	memset(op, 0, sizeof(*op));
	op->cmd = XENPF_pmem;
	op->interface_version = XENPF_INTERFACE_VERSION;
	op->pmem.cmd = cmd;
	op->pmem.version = XENPF_PMEM_VERSION;

	return &op->pmem;
}

bool translated(void)
{
	static int answer = -1;

	if (answer < 0) {
		memset(&args->features, 0, sizeof(args->features));
		answer = !hypercall(HYPERVISOR_XEN_VERSION, XENVER_GET_FEATURES,
				    (uintptr_t)&args->features, 0) &&
			 (args->features.submap & XENFEAT_AUTO_TRANSLATED);
	}

	return answer;
}

static int map_own(u64 frame, int prot, u64 **va)
{
	int mem = open("/dev/mem", (prot & PROT_WRITE ? O_RDWR : O_RDONLY) | O_CLOEXEC);
	int rc = 0;

	if (mem < 0)
		return -errno;
	*va = mmap(NULL, PAGE_SIZE, prot, MAP_SHARED, mem, frame * PAGE_SIZE);
	if (*va == MAP_FAILED)
		rc = -errno;
	close(mem);

	return rc;
}

int map_frame(u16 domid, u64 frame, int prot, u64 **va)
{
	int error = 0;
	struct privcmd_mmapbatch_v2 batch = {
		.num = 1, .dom = domid, .arr = &frame, .err = &error,
	};

	if (translated())
		return domid == DOMID_XEN ? -EOPNOTSUPP : map_own(frame, prot, va);

	*va = mmap(NULL, PAGE_SIZE, prot, MAP_SHARED, privcmd, 0);
	if (*va == MAP_FAILED)
		return -errno;
	batch.addr = (uintptr_t)*va;
	if (ioctl(privcmd, IOCTL_MMAPBATCH_V2, &batch))
		error = -errno;
	if (error)
		munmap(*va, PAGE_SIZE);

	return error;
}

void unmap_frame(u64 *va)
{
	munmap(va, PAGE_SIZE);
}

const char *error_name(int error)
{
	const char *name = error ? strerrorname_np(error) : "OK";

	return name ? name : "unknown";
}

const char *state_name(u16 state)
{
	return state < ARRAY_SIZE(states) ? states[state] : "unknown";
}

void print_errno(int error)
{
	printf("errno=%d (%s)\n", -error, error_name(error));
}

int report(int rc)
{
	if (rc) {
		print_errno(-rc);
		return 1;
	}
	putchar('\n');

	return 0;
}

void print_hex(const char *key, u64 value)
{
	printf("%s=0x%llx ", key, value);
}

void print_tuple(const struct xenpf_pmem *pmem)
{
	print_hex("spfn", pmem->spfn);
	print_hex("epfn", pmem->epfn);
	print_hex("rsv_spfn", pmem->rsv_spfn);
	print_hex("rsv_epfn", pmem->rsv_epfn);
	print_hex("data_spfn", pmem->data_spfn);
	print_hex("data_epfn", pmem->data_epfn);
}

int machine_map(void)
{
	memset(&args->map, 0, sizeof(args->map));
	args->map.op.nr_entries = ARRAY_SIZE(args->map.entries);
	args->map.op.buffer = (uintptr_t)args->map.entries;

	return hypercall(HYPERVISOR_MEMORY_OP, XENMEM_MACHINE_MEMORY_MAP,
			 (uintptr_t)&args->map.op, 0);
}

u64 map_addr(const struct memory_map_entry *entry)
{
	return (u64)entry->addr[1] << 32 | entry->addr[0];
}

u64 map_size(const struct memory_map_entry *entry)
{
	return (u64)entry->size[1] << 32 | entry->size[0];
}

void put_tuple(struct xenpf_pmem *pmem, const struct xenpf_pmem *tuple)
{
	pmem->spfn = tuple->spfn;
	pmem->epfn = tuple->epfn;
	pmem->rsv_spfn = tuple->rsv_spfn;
	pmem->rsv_epfn = tuple->rsv_epfn;
	pmem->data_spfn = tuple->data_spfn;
	pmem->data_epfn = tuple->data_epfn;
}

int copy_frame(u64 from, u64 to, int *status)
{
	struct gnttab_copy *copy = &args->copy;
	int rc;

	memset(copy, 0, sizeof(*copy));
	copy->source.frame = from;
	copy->source.domid = DOMID_SELF;
	copy->dest.frame = to;
	copy->dest.domid = DOMID_SELF;
	copy->len = PAGE_SIZE;
	rc = hypercall(HYPERVISOR_GRANT_TABLE_OP, GNTTABOP_COPY, (uintptr_t)copy, 1);
	*status = copy->status;

	return rc;
}
