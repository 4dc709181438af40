#include "parser/disk.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "parser/file.h"

#define NOTHING '?'

/* The first byte of a file of sysfs. */
static char flag_of(const char *path)
{
    char flag = NOTHING;
    int fd = file_open_again(path, O_RDONLY);
    if (fd < 0)
        return NOTHING;
    if (read(fd, &flag, 1) != 1)
        flag = NOTHING;
    close(fd);
    return flag;
}

bool disk_is_rotational(const char *sysfs, const char *path)
{
    char device[PATH_MAX], place[PATH_MAX], queue[PATH_MAX + 32];
    struct stat info;
    if (stat(path, &info) != 0)
        return false;
    int size = snprintf(device, sizeof device, "%s/dev/block/%u:%u", sysfs, major(info.st_dev), minor(info.st_dev));
    ssize_t length = size > 0 && (size_t)size < sizeof device ? readlink(device, place, sizeof place - 1) : -1;
    if (length < 0)
        return false;
    place[length] = '\0';
    if (strstr(place, "/virtio") || strstr(place, "/block/loop"))
        return false;
    snprintf(queue, sizeof queue, "%s/queue/rotational", device);
    char flag = flag_of(queue);
    if (flag == NOTHING) {
        snprintf(queue, sizeof queue, "%s/../queue/rotational", device);
        flag = flag_of(queue);
    }
    return flag == '1';
}
