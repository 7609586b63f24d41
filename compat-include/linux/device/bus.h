/* SPDX-License-Identifier: GPL-2.0-only */
/* A bus is const to who listens to it or asks for its devices. Retired by 6.4. */
#include_next <linux/device/bus.h>

#ifndef __COMPAT_LINUX_DEVICE_BUS_H__
#define __COMPAT_LINUX_DEVICE_BUS_H__

#include <linux/version.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 4, 0)
#define bus_register_notifier(bus, nb) \
	bus_register_notifier((struct bus_type *)(bus), nb)
#define bus_unregister_notifier(bus, nb) \
	bus_unregister_notifier((struct bus_type *)(bus), nb)
#define bus_for_each_dev(bus, start, data, fn) \
	bus_for_each_dev((struct bus_type *)(bus), start, data, fn)
#endif

#endif /* __COMPAT_LINUX_DEVICE_BUS_H__ */
