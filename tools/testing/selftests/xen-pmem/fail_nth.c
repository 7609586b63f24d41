// SPDX-License-Identifier: GPL-2.0
/*
 * fail_nth N FILE TEXT: write TEXT into FILE with one write(), in which the Nth call
 * of the kernel's that can be made to fail does fail.
 *
 * It prints "errno=E injected=0" or "errno=E injected=1"; the former if the write had
 * less than N such calls.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FAIL_NTH "/proc/thread-self/fail-nth"

static int open_or_exit(const char *name, int flags)
{
	int fd = open(name, flags);

	if (fd < 0)
		err(2, "%s", name);
	return fd;
}

/* What is left of N; 0 if it was reached. */
static long left(int nth)
{
	char text[16] = "";

	if (pread(nth, text, sizeof(text) - 1, 0) <= 0)
		err(2, FAIL_NTH);
	return strtol(text, NULL, 10);
}

int main(int argc, char **argv)
{
	int nth, file, error;
	long rest;

	if (argc != 4)
		errx(2, "usage: fail_nth N FILE TEXT");
	nth = open_or_exit(FAIL_NTH, O_RDWR);
	file = open_or_exit(argv[2], O_WRONLY);
	if (write(nth, argv[1], strlen(argv[1])) < 0)
		err(2, FAIL_NTH);
	error = write(file, argv[3], strlen(argv[3])) < 0 ? errno : 0;
	rest = left(nth);
	if (pwrite(nth, "0", 1, 0) != 1)
		err(2, FAIL_NTH);
	printf("errno=%d injected=%d\n", error, !rest);
	return 0;
}
