/* disk: what kind of disk a file is on.
 *
 * Thread rule: any thread, no state. */
#ifndef UNKTX_PARSER_DISK_H
#define UNKTX_PARSER_DISK_H

#include <stdbool.h>

#define DISK_SYSFS "/sys"

/* True if the kernel says of the disk that holds `path` that it rotates: queue/rotational of the block device, or of
 * the disk of which that is a partition, below `sysfs` (Linux, Documentation/ABI/stable/sysfs-block). False where
 * nothing is known (a file system on a network, or on several disks), and of virtio disks and loop devices: those are
 * said to rotate whatever is behind them. */
bool disk_is_rotational(const char *sysfs, const char *path);

#endif
