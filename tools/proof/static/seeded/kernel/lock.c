// SPDX-License-Identifier: GPL-2.0-only
/*
 * Faults: one way out of a function keeps the lock.
 * finds sparse-6.*: context imbalance in 'seeded_spin'
 * finds coccinelle: preceding lock on line
 */
#include <linux/errno.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>

static DEFINE_SPINLOCK(seeded_lock);
static DEFINE_MUTEX(seeded_mutex);

int seeded_spin(int *value)
{
	spin_lock(&seeded_lock);
	if (*value < 0)
		return -EINVAL;
	(*value)++;
	spin_unlock(&seeded_lock);
	return 0;
}

int seeded_mutexed(int *value)
{
	mutex_lock(&seeded_mutex);
	if (*value < 0)
		return -EINVAL;
	(*value)++;
	mutex_unlock(&seeded_mutex);
	return 0;
}
