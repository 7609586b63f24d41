// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fault: a way out of the loop keeps the reference of the child.
 * finds coccinelle: should have of_node_put\(\) before return
 */
#include <linux/of.h>

bool seeded_has_child(struct device_node *parent, const char *name)
{
	struct device_node *child;

	for_each_child_of_node(parent, child) {
		if (of_node_name_eq(child, name))
			return true;
	}
	return false;
}
