// SPDX-License-Identifier: GPL-2.0
/*
 * A grant of a frame to this same domain, and a mapping of it: a reference that is
 * not that of a page table entry of its owner. test_modules/xen_pmem_grant.ko makes
 * the grant, /dev/xen/gntdev maps it.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "xen_call.h"

#define GRANT_FILE	"/sys/kernel/debug/xen_pmem_grant/grant"

struct map_grant_ref {
	u32 count;
	u32 pad;
	u64 index;
	u32 domid;
	u32 ref;
};

#define IOCTL_MAP_GRANT_REF \
	_IOC(_IOC_NONE, 'G', 0, sizeof(struct map_grant_ref))

static int write_file(const char *text)
{
	int fd = open(GRANT_FILE, O_WRONLY | O_CLOEXEC), rc = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		rc = -errno;
	close(fd);

	return rc;
}

static int make_grant(u64 frame, u32 *ref)
{
	char text[32];
	FILE *file;
	int rc;

	snprintf(text, sizeof(text), "grant %#llx", frame);
	rc = write_file(text);
	if (rc)
		return rc;
	file = fopen(GRANT_FILE, "re");
	if (!file)
		return -errno;
	rc = fscanf(file, "%u", ref) == 1 ? 0 : -EIO;
	fclose(file);

	return rc;
}

static int map_grant(u32 ref, u64 **va)
{
	struct map_grant_ref map = { .count = 1, .ref = ref };
	int fd = open("/dev/xen/gntdev", O_RDWR | O_CLOEXEC), rc = 0;

	if (fd < 0)
		return -errno;
	if (ioctl(fd, IOCTL_MAP_GRANT_REF, &map))
		rc = -errno;
	if (!rc) {
		*va = mmap(NULL, PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
			   map.index);
		rc = *va == MAP_FAILED ? -errno : 0;
	}
	close(fd);

	return rc;
}

/* Until somebody says TERM: the grant ends only after the mapping. */
static void hold_it(void)
{
	sigset_t set;
	int got;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	fflush(stdout);
	sigwait(&set, &got);
}

int do_grant(char **words, int nr)
{
	u64 frame, *va;
	u32 ref;
	int rc;

	if (!nr || nr > 2 || (nr == 2 && strcmp(words[1], "hold")))
		return bad_usage("grant takes one frame");
	if (parse_frame(words[0], &frame))
		return 2;

	rc = make_grant(frame, &ref);
	if (rc)
		return report(rc);
	printf("frame=0x%llx ref=%u ", frame, ref);
	rc = map_grant(ref, &va);
	if (!rc) {
		printf("value=0x%016llx\n", __atomic_load_n(va, __ATOMIC_RELAXED));
		if (nr == 2)
			hold_it();
		munmap(va, PAGE_SIZE);
	}
	if (write_file("end"))
		rc = rc ? rc : -EBUSY;

	return rc ? report(rc) : 0;
}
