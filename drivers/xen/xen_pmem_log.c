// SPDX-License-Identifier: GPL-2.0
/* What xen_pmem has to say of a namespace: to the kernel log, and to sysfs. */

/**
 * DOC: last errors
 *
 * A namespace that was refused has no driver, and so no attributes of ours.  That
 * is why the last error of each namespace is kept here, by name, and can be read
 * from the driver's attribute last_errors; and from the namespace's own group as
 * soon as it is bound.  An error stays until the next one of the same name.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/cleanup.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/printk.h>
#include <linux/slab.h>
#include <linux/stdarg.h>
#include <linux/string.h>
#include <linux/sysfs.h>
#include "xen_pmem_drv.h"

/* A page of sysfs takes that many. */
#define XEN_PMEM_MAX_ERRORS	12

struct xen_pmem_error {
	struct list_head list;
	char name[32];
	int rc;
	char text[288];
};

/* Protects the list, the latest error last. */
static DEFINE_MUTEX(xen_pmem_errors_lock);
static LIST_HEAD(xen_pmem_errors);
static unsigned int xen_pmem_nr_errors;

static struct xen_pmem_error *xen_pmem_error_of(const char *name)
{
	struct xen_pmem_error *error;

	list_for_each_entry(error, &xen_pmem_errors, list)
		if (!strcmp(error->name, name))
			return error;
	return NULL;
}

/* An entry for @name, off the list: its former one, a new one, or the oldest. */
static struct xen_pmem_error *xen_pmem_error_get(const char *name)
{
	struct xen_pmem_error *error = xen_pmem_error_of(name);

	if (!error && xen_pmem_nr_errors < XEN_PMEM_MAX_ERRORS) {
		error = kzalloc(sizeof(*error), GFP_KERNEL);
		xen_pmem_nr_errors += !!error;
		return error;
	}
	if (!error)
		error = list_first_entry(&xen_pmem_errors,
					 struct xen_pmem_error, list);
	list_del(&error->list);
	return error;
}

static void xen_pmem_keep(const char *name, int rc, struct va_format *vaf)
{
	struct xen_pmem_error *error;

	guard(mutex)(&xen_pmem_errors_lock);
	error = xen_pmem_error_get(name);
	if (!error)
		return;
	strscpy(error->name, name, sizeof(error->name));
	error->rc = rc;
	snprintf(error->text, sizeof(error->text), "%pV", vaf);
	list_add_tail(&error->list, &xen_pmem_errors);
}

/**
 * xen_pmem_error() - say in one line what is wrong with a namespace, and keep it
 * @name: of the namespace
 * @rc: the error that goes with it
 * @fmt: what was found, what was expected and what to do; no newline
 *
 * Context: can sleep.
 * Return: @rc.
 */
int xen_pmem_error(const char *name, int rc, const char *fmt, ...)
{
	struct va_format vaf = { .fmt = fmt };
	va_list args;

	va_start(args, fmt);
	vaf.va = &args;
	pr_err("%s: %pV\n", name, &vaf);
	xen_pmem_keep(name, rc, &vaf);
	va_end(args);
	return rc;
}

/**
 * xen_pmem_last_error() - the last error of a namespace
 * @name: of the namespace
 * @buf: a page of sysfs
 *
 * Return: bytes written to @buf, only a newline if there was no error.
 */
int xen_pmem_last_error(const char *name, char *buf)
{
	struct xen_pmem_error *error;

	guard(mutex)(&xen_pmem_errors_lock);
	error = xen_pmem_error_of(name);
	if (!error)
		return sysfs_emit(buf, "\n");
	return sysfs_emit(buf, "%d: %s\n", error->rc, error->text);
}

/**
 * xen_pmem_last_errors() - the last error of each namespace that had one
 * @buf: a page of sysfs
 *
 * Return: bytes written to @buf, one line for each.
 */
int xen_pmem_last_errors(char *buf)
{
	struct xen_pmem_error *error;
	int len = 0;

	guard(mutex)(&xen_pmem_errors_lock);
	list_for_each_entry(error, &xen_pmem_errors, list)
		len += sysfs_emit_at(buf, len, "%s: %d: %s\n", error->name,
				     error->rc, error->text);
	return len;
}

/**
 * xen_pmem_forget_errors() - end of the module
 */
void xen_pmem_forget_errors(void)
{
	struct xen_pmem_error *error, *next;

	guard(mutex)(&xen_pmem_errors_lock);
	list_for_each_entry_safe(error, next, &xen_pmem_errors, list) {
		list_del(&error->list);
		kfree(error);
	}
}
