// SPDX-License-Identifier: GPL-2.0
/*
 * ADD and REMOVE many times, while another process does what it can at the same
 * time: map frames of the data, or ADD and REMOVE something else.
 */
#define _GNU_SOURCE
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "xen_call.h"

#define TOUCHED		64
#define MAX_BUSY	100000
#define ERRNO_MAX	200

static struct shared {
	u64 stop;
	u64 mapped;
	u64 not_mapped;
	u64 wrong;
	u64 errors[ERRNO_MAX];
} *shared;

static int share(void)
{
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	return shared == MAP_FAILED ? -errno : 0;
}

/* The child is gone when this process is. */
static pid_t start(void)
{
	pid_t pid = fork();

	if (!pid)
		prctl(PR_SET_PDEATHSIG, SIGKILL);

	return pid;
}

static int region_op(u16 cmd, const struct xenpf_pmem *tuple, u64 *bad)
{
	struct xenpf_pmem *pmem = prepare(cmd);
	int rc;

	put_tuple(pmem, tuple);
	rc = platform_op();
	if (bad)
		*bad = pmem->bad_mfn;

	return rc;
}

/* One frame of the last ones: mapped, written, read and unmapped. */
static void touch(const struct xenpf_pmem *tuple, u64 round)
{
	u64 frame = tuple->data_epfn - 1 - round % TOUCHED, *va;

	if (map_frame(DOMID_SELF, frame, PROT_READ | PROT_WRITE, &va)) {
		shared->not_mapped++;
		return;
	}
	__atomic_store_n(va, round, __ATOMIC_SEQ_CST);
	sched_yield();
	if (__atomic_load_n(va, __ATOMIC_SEQ_CST) != round)
		shared->wrong++;
	shared->mapped++;
	unmap_frame(va);
}

static void toucher(const struct xenpf_pmem *tuple)
{
	u64 round;

	for (round = 0; !__atomic_load_n(&shared->stop, __ATOMIC_RELAXED); round++)
		touch(tuple, round);
	_exit(0);
}

/* The first data frame has @old; from now on @new. */
static int swap(const struct xenpf_pmem *tuple, u64 old, u64 new)
{
	u64 *va;
	int rc = map_frame(DOMID_SELF, tuple->data_spfn, PROT_READ | PROT_WRITE, &va);

	if (rc)
		return rc;
	if (old && __atomic_load_n(va, __ATOMIC_SEQ_CST) != old) {
		printf("found=0x%llx expected=0x%llx ",
		       __atomic_load_n(va, __ATOMIC_SEQ_CST), old);
		rc = -EIO;
	}
	__atomic_store_n(va, new, __ATOMIC_SEQ_CST);
	unmap_frame(va);

	return rc;
}

/* Busy only with a frame that the other process uses, and not for ever. */
static int remove_region(const struct xenpf_pmem *tuple, u64 *busy)
{
	u64 bad, tries;
	int rc;

	for (tries = 0; tries < MAX_BUSY; tries++) {
		rc = region_op(XENPF_PMEM_REMOVE, tuple, &bad);
		if (rc != -EBUSY)
			return rc;
		if (bad < tuple->data_epfn - TOUCHED || bad >= tuple->data_epfn) {
			print_hex("bad_mfn", bad);
			return rc;
		}
		++*busy;
		sched_yield();
	}

	return rc;
}

static int one_cycle(const struct xenpf_pmem *tuple, u64 n, u64 *busy)
{
	int rc = region_op(XENPF_PMEM_ADD, tuple, NULL);

	if (!rc)
		rc = swap(tuple, n ? ~(n - 1) : 0, ~n);
	if (!rc)
		rc = remove_region(tuple, busy);

	return rc;
}

/* A frame that the other process had mapped may take Xen a moment to let go. */
static int free_again(u64 expected, u64 *found)
{
	int i, rc;

	for (i = 0; i < 50; i++) {
		rc = free_pages(found);
		if (rc || *found == expected)
			return rc;
		usleep(20000);
	}

	return -ENOMEM;
}

static void stop(pid_t pid)
{
	__atomic_store_n(&shared->stop, 1, __ATOMIC_SEQ_CST);
	waitpid(pid, NULL, 0);
}

/* The first cycle is not counted: in it Xen allocates what it then keeps. */
static int cycle(const struct xenpf_pmem *tuple, u64 count)
{
	u64 n, before, after = 0, busy = 0;
	pid_t pid;
	int rc = one_cycle(tuple, 0, &busy);

	if (!rc)
		rc = free_pages(&before);
	if (rc)
		return report(rc);

	pid = start();
	if (!pid)
		toucher(tuple);
	for (n = 1; !rc && n <= count; n++)
		rc = one_cycle(tuple, n, &busy);
	stop(pid);
	if (!rc)
		rc = free_again(before, &after);
	printf("cycles=%llu busy=%llu mapped=%llu not_mapped=%llu wrong=%llu ",
	       n - 1, busy, shared->mapped, shared->not_mapped, shared->wrong);
	printf("free_before=%llu free_after=%llu ", before, after);

	return report(rc ? rc : shared->wrong ? -EIO : 0);
}

int do_cycles(char **words, int nr)
{
	struct xenpf_pmem tuple = {};
	u64 count;
	int rc;

	if (nr != 7 || parse_number(words[0], &count))
		return bad_usage("cycles takes a number and six frames");
	if (parse_tuple(&tuple, words + 1, 6))
		return 2;
	rc = share();

	return rc ? report(rc) : cycle(&tuple, count);
}

static void count_error(int rc)
{
	u64 *slot = &shared->errors[-rc < ERRNO_MAX ? -rc : ERRNO_MAX - 1];

	__atomic_fetch_add(slot, 1, __ATOMIC_RELAXED);
}

static void add_and_remove(const struct xenpf_pmem *tuple)
{
	count_error(region_op(XENPF_PMEM_ADD, tuple, NULL));
	count_error(region_op(XENPF_PMEM_REMOVE, tuple, NULL));
}

static void racer(const struct xenpf_pmem *tuple)
{
	while (!__atomic_load_n(&shared->stop, __ATOMIC_RELAXED))
		add_and_remove(tuple);
	_exit(0);
}

/* What is left of a region that the other process was stopped with. */
static int clean_up(const struct xenpf_pmem *tuple)
{
	int rc;

	do {
		rc = region_op(XENPF_PMEM_REMOVE, tuple, NULL);
	} while (rc == -EAGAIN);

	return rc == -ENOENT ? 0 : rc;
}

static int race(const struct xenpf_pmem *one, const struct xenpf_pmem *other, u64 count)
{
	unsigned int i;
	int rc;
	pid_t pid = start();

	if (!pid)
		racer(other);
	while (count--)
		add_and_remove(one);
	stop(pid);
	rc = clean_up(other);
	if (!rc)
		rc = clean_up(one);
	for (i = 0; i < ERRNO_MAX; i++) {
		if (shared->errors[i])
			printf("%s=%llu ", error_name(i), shared->errors[i]);
	}

	return report(rc);
}

int do_race(char **words, int nr)
{
	struct xenpf_pmem one = {}, other = {};
	u64 count;
	int rc;

	if (nr != 13 || parse_number(words[0], &count))
		return bad_usage("race takes a number and twice six frames");
	if (parse_tuple(&one, words + 1, 6) || parse_tuple(&other, words + 7, 6))
		return 2;
	rc = share();

	return rc ? report(rc) : race(&one, &other, count);
}
